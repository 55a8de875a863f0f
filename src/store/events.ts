/** What was done once, and when: mails of a period, suspensions, deletions. Lost, the addon still refuses a second mail. */
import type Database from 'better-sqlite3';
import type { Clock } from '../lib/clock.js';
import { toMs } from './time.js';

export interface EventTable {
  /** False if it is known: then it was done before. In the transaction of what it stands for. */
  record(key: string, kind: string): boolean;
  has(key: string): boolean;
  /** How many of each kind since `since`, that moment included. */
  countSince(since: Date): Partial<Record<string, number>>;
  /** Forgets what is older. */
  prune(before: Date): void;
}

export function eventTable(db: Database.Database, clock: Clock): EventTable {
  const insert = db.prepare<[string, string, number]>(
    'INSERT INTO events (key, kind, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const select = db.prepare<[string], number>('SELECT 1 FROM events WHERE key = ?').pluck();
  const count = db.prepare<[number], { kind: string; count: number }>(
    'SELECT kind, count(*) AS count FROM events WHERE at >= ? GROUP BY kind',
  );
  const remove = db.prepare<[number]>('DELETE FROM events WHERE at < ?');
  return {
    record: (key, kind) => insert.run(key, kind, toMs(clock())).changes > 0,
    has: (key) => select.get(key) !== undefined,
    countSince: (since) => Object.fromEntries(count.all(toMs(since)).map(({ kind, count }) => [kind, count])),
    prune(before) {
      remove.run(toMs(before));
    },
  };
}
