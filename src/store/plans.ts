/** The products sold as SaaS, as the master last described them. */
import type Database from 'better-sqlite3';
import type { Plan } from '../instance/types.js';
import type { Ringer } from './bell.js';

export interface PlanTable {
  /** Returns the ids of the plans that are new or differ from what was kept. */
  save(plans: Plan[]): number[];
  get(id: number): Plan | null;
  all(): Plan[];
}

export function planTable(db: Database.Database, bell: Ringer): PlanTable {
  const upsert = db.prepare<[number, string]>(`
    INSERT INTO plans (id, content) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET content = excluded.content WHERE content <> excluded.content`);
  const selectOne = db.prepare<[number], string>('SELECT content FROM plans WHERE id = ?').pluck();
  const selectAll = db.prepare<[], string>('SELECT content FROM plans ORDER BY id').pluck();
  const saveAll = db.transaction((plans: Plan[]) =>
    plans.filter((plan) => upsert.run(plan.id, encode(plan)).changes > 0).map(({ id }) => id),
  );
  return {
    save(plans) {
      const changed = saveAll.immediate(plans);
      if (changed.length > 0) bell.ring('plans');
      return changed;
    },
    get(id) {
      const content = selectOne.get(id);
      return content === undefined ? null : (JSON.parse(content) as Plan);
    },
    all: () => selectAll.all().map((content) => JSON.parse(content) as Plan),
  };
}

/** With the properties in one order, so that equal plans are equal texts. */
function encode({
  id,
  code,
  name,
  names,
  cpu,
  memoryMb,
  storageGb,
  maxUsers,
  modules,
  graceDays,
  retentionDays,
  trial,
  active,
  egress,
  sleep,
  domains,
  keep,
  release,
}: Plan): string {
  const limits = { cpu, memoryMb, storageGb, maxUsers, modules };
  // Most are sold, have the usual egress and backups, no names of their own and never sleep: what was kept before this was known stays equal.
  const sold = {
    ...(active === false && { active }),
    ...(egress && { egress }),
    ...(sleep && { sleep }),
    ...(domains && { domains }),
    ...(keep && { keep }),
  };
  return JSON.stringify({ id, code, name, names, ...limits, graceDays, retentionDays, trial, ...sold, release });
}
