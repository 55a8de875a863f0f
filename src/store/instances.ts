/** The instances that exist or are being made. */
import type Database from 'better-sqlite3';
import type { Phase } from '../instance/phase.js';
import type { Instance, InstanceChanges } from '../instance/types.js';
import { TerminalError } from '../lib/errors.js';
import type { Ringer } from './bell.js';
import { COLUMNS, fromRow, type Row, toRow } from './instance-row.js';

const MAX_NAME_ATTEMPTS = 1_000;

export interface InstanceTable {
  /**
   * Returns the instance that has this key, made now if there is none.
   * @param suggestName the name to try at the given attempt (1, 2, …): `acme`, `acme-2`, ….
   */
  create(instance: Omit<Instance, 'name' | 'placement'>, suggestName: (attempt: number) => string): Instance;
  /** Writes the whole row, for a rebuild from Odoo records and Docker labels. A taken name or place throws. */
  upsert(instance: Instance): void;
  /** Changes what is given and returns the new row. Throws TerminalError `store.no_instance` if the key is unknown. */
  update(key: string, changes: InstanceChanges): Instance;
  get(key: string): Instance | null;
  /** The living one of that name, else the one deleted last. */
  byName(name: string): Instance | null;
  /** A living instance has the name. */
  isTaken(name: string): boolean;
  /** The running instance, awake, that was never measured, or longest ago, if that was before `before` or never. */
  leastMeasured(before: Date): Instance | null;
  /** Those whose customer is this commercial partner; oldest first. */
  ofCustomer(customerId: number): Instance[];
  keysOfPlan(planId: number): string[];
  /** Of those that run, or are down and stay so: the next ones in the order of their keys. */
  keysAfter(key: string, limit: number): string[];
  /** Oldest first. */
  all(): Instance[];
  countByPhase(): Partial<Record<Phase, number>>;
}

export function instanceTable(db: Database.Database, bell: Ringer): InstanceTable {
  const upsert = db.prepare<Row>(`
    INSERT INTO instances (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map((column) => `:${column}`).join(', ')})
    ON CONFLICT (key) DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`);
  const selectOne = db.prepare<[string], Row>('SELECT * FROM instances WHERE key = ?');
  const selectByName = db.prepare<[string], Row>(
    "SELECT * FROM instances WHERE name = ? ORDER BY phase = 'deleted', created_at DESC LIMIT 1",
  );
  const selectLeastMeasured = db.prepare<[], Row>(
    "SELECT * FROM instances INDEXED BY instances_measured WHERE phase = 'running' AND asleep_since IS NULL ORDER BY measured_at LIMIT 1",
  );
  const selectOfCustomer = db.prepare<[number], Row>(
    "SELECT * FROM instances WHERE json_extract(customer, '$.id') = ? ORDER BY created_at, key",
  );
  const selectOfPlan = db.prepare<[number], string>('SELECT key FROM instances WHERE plan_id = ?').pluck();
  const selectAfter = db
    .prepare<[string, number], string>(`
      SELECT key FROM instances INDEXED BY instances_settled WHERE key > ? AND phase IN ('running', 'suspended', 'stopped') ORDER BY key LIMIT ?`)
    .pluck();
  const selectAll = db.prepare<[], Row>('SELECT * FROM instances ORDER BY created_at, key');
  const countPhases = db.prepare<[], { phase: Phase; count: number }>(
    'SELECT phase, count(*) AS count FROM instances GROUP BY phase',
  );

  const get = (key: string) => orNull(selectOne.get(key));
  const byName = (name: string) => orNull(selectByName.get(name));
  const isTaken = (name: string) => (byName(name)?.phase ?? 'deleted') !== 'deleted';

  const create = db.transaction(
    (instance: Omit<Instance, 'name' | 'placement'>, suggestName: (attempt: number) => string) => {
      const existing = get(instance.key);
      if (existing !== null) return existing;
      for (let attempt = 1; attempt <= MAX_NAME_ATTEMPTS; attempt++) {
        const name = suggestName(attempt);
        if (isTaken(name)) continue;
        const made: Instance = { ...instance, name, placement: null };
        upsert.run(toRow(made));
        return made;
      }
      throw new TerminalError(
        'store.no_name',
        `no free name for ${instance.key} after ${MAX_NAME_ATTEMPTS} attempts`,
        'Give the customer or the instance record another name in the master.',
      );
    },
  );

  const update = db.transaction((key: string, changes: InstanceChanges): Instance => {
    const before = get(key);
    if (before === null) {
      throw new TerminalError('store.no_instance', `no instance ${key}`, 'Run a full poll to rebuild what is known.');
    }
    // The identity again at the end: the type forbids to change it, a cast may not.
    const { name, placement, createdAt } = before;
    const after: Instance = { ...before, ...changes, key, name, placement, createdAt };
    upsert.run(toRow(after));
    return after;
  });

  return {
    create(instance, suggestName) {
      const made = create.immediate(instance, suggestName);
      bell.ringFor(made.key);
      return made;
    },
    upsert(instance) {
      upsert.run(toRow(instance));
      bell.ringFor(instance.key);
    },
    update(key, changes) {
      const changed = update.immediate(key, changes);
      bell.ringFor(key);
      return changed;
    },
    get,
    byName,
    isTaken,
    leastMeasured(before) {
      const least = orNull(selectLeastMeasured.get());
      return least && (least.measuredAt === null || least.measuredAt < before) ? least : null;
    },
    ofCustomer: (customerId) => selectOfCustomer.all(customerId).map(fromRow),
    keysOfPlan: (planId) => selectOfPlan.all(planId),
    keysAfter: (key, limit) => selectAfter.all(key, limit),
    all: () => selectAll.all().map(fromRow),
    countByPhase: () => Object.fromEntries(countPhases.all().map(({ phase, count }) => [phase, count])),
  };
}

function orNull(row: Row | undefined): Instance | null {
  return row === undefined ? null : fromRow(row);
}
