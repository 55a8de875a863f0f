/** Single values: the poll cursor, the time of the last poll, … */
import type Database from 'better-sqlite3';

/** The name of the shop's company, for mails. */
export const SELLER = 'seller';
/** Address of the shop, for customers. */
export const SHOP_URL = 'shop_url';

export interface MetaTable {
  get(name: string): string | null;
  /** Null forgets the value. */
  set(name: string, value: string | null): void;
}

export function metaTable(db: Database.Database): MetaTable {
  const select = db.prepare<[string], string>('SELECT value FROM meta WHERE name = ?').pluck();
  const upsert = db.prepare(
    'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const remove = db.prepare('DELETE FROM meta WHERE name = ?');
  return {
    get: (name) => select.get(name) ?? null,
    set(name, value) {
      if (value === null) remove.run(name);
      else upsert.run(name, value);
    },
  };
}
