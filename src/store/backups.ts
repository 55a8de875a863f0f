/** What is known of the backups of each instance: a cache of its repository, and when it is next to be looked at. */
import type Database from 'better-sqlite3';
import type { Phase } from '../instance/phase.js';
import { fromMs, toMs } from './time.js';

export interface BackupRow {
  instanceKey: string;
  /** When the last one was made, and what it is. */
  madeAt: Date | null;
  snapshot: string | null;
  /** Database and files, as they are. */
  bytes: number | null;
  /** It has run since the last one. */
  changed: boolean;
  /** Failures in a row, when the first of them was, when the last, and why. */
  failures: number;
  failingSince: Date | null;
  triedAt: Date | null;
  error: string | null;
  /** When those whose time was over were last taken out of the repository for good. */
  prunedAt: Date | null;
  /** When one of them was last restored on trial and found whole. */
  provenAt: Date | null;
  /** Why the last trial failed; null where it did not. */
  proofError: string | null;
  /** When the last trial was. */
  proofTriedAt: Date | null;
  /** When all of it is to go: the instance was deleted. */
  removeAt: Date | null;
  /** The volumes that one was restored into last, and found whole. */
  restoredGeneration: number | null;
}

export interface BackupTable {
  get(instanceKey: string): BackupRow | null;
  /** One that runs: what is in its backup is not all. Looked at now where it was not known or was up to date. */
  seen(instanceKey: string, phase: Phase, now: Date): void;
  /** It is there, but does not run. */
  exists(instanceKey: string, now: Date): void;
  update(instanceKey: string, changes: Partial<Omit<BackupRow, 'instanceKey'>>): BackupRow;
  /** When it is looked at again; null: not before something happens. */
  lookAt(instanceKey: string, at: Date | null): void;
  /** The keys of those that are to be looked at, the longest first. */
  due(now: Date, limit: number): string[];
  nextDueAt(): Date | null;
  /** The key whose last trial is the longest ago, of those with a backup and a trial before that date or none. */
  leastProven(before: Date): string | null;
  /** All of them are to go from then on; nothing where there are none. */
  removeFrom(instanceKey: string, at: Date): void;
  /** How many instances have got one since, have one that fails, have one whose trial failed. */
  counts(since: Date): { made: number; failing: number; notWhole: number };
  /** The key of one whose backups are to go by now. */
  removable(now: Date): string | null;
  forget(instanceKey: string): void;
}

interface Row {
  instance_key: string;
  due_at: number | null;
  made_at: number | null;
  snapshot: string | null;
  bytes: number | null;
  changed: number;
  failures: number;
  failing_since: number | null;
  tried_at: number | null;
  error: string | null;
  pruned_at: number | null;
  proven_at: number | null;
  proof_error: string | null;
  proof_tried_at: number | null;
  remove_at: number | null;
  restored_generation: number | null;
}

export function backupTable(db: Database.Database): BackupTable {
  const select = db.prepare<[string], Row>('SELECT * FROM backups WHERE instance_key = ?');
  const ran = db.prepare<[string, number]>(`
    INSERT INTO backups (instance_key, due_at) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET changed = 1, due_at = excluded.due_at WHERE changed = 0`);
  const exists = db.prepare<[string, number]>(
    'INSERT INTO backups (instance_key, due_at) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const lookAt = db.prepare<[number | null, string]>('UPDATE backups SET due_at = ? WHERE instance_key = ?');
  const write = db.prepare<Omit<Row, 'due_at'>>(`
    UPDATE backups SET made_at = :made_at, snapshot = :snapshot, bytes = :bytes, changed = :changed, failures = :failures,
      failing_since = :failing_since, tried_at = :tried_at, error = :error, pruned_at = :pruned_at, proven_at = :proven_at,
      proof_error = :proof_error, proof_tried_at = :proof_tried_at, remove_at = :remove_at,
      restored_generation = :restored_generation
    WHERE instance_key = :instance_key`);
  const selectDue = db
    .prepare<[number, number], string>(
      'SELECT instance_key FROM backups WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?',
    )
    .pluck();
  const selectNext = db.prepare<[], number | null>('SELECT min(due_at) FROM backups WHERE due_at IS NOT NULL').pluck();
  const selectLeast = db.prepare<[], Row>(
    'SELECT * FROM backups INDEXED BY backups_proven WHERE made_at IS NOT NULL AND remove_at IS NULL ORDER BY proof_tried_at LIMIT 1',
  );
  const countMade = db.prepare<[number], number>('SELECT count(*) FROM backups WHERE made_at > ?').pluck();
  const countFailing = db
    .prepare<[], number>('SELECT count(*) FROM backups WHERE failing_since IS NOT NULL AND remove_at IS NULL')
    .pluck();
  const countNotWhole = db
    .prepare<[], number>('SELECT count(*) FROM backups WHERE proof_error IS NOT NULL AND remove_at IS NULL')
    .pluck();
  const removeFrom = db.prepare<[number, string]>(
    'UPDATE backups SET remove_at = ?, due_at = NULL WHERE instance_key = ?',
  );
  const selectRemovable = db
    .prepare<[number], string>(
      'SELECT instance_key FROM backups INDEXED BY backups_removed WHERE remove_at <= ? ORDER BY remove_at LIMIT 1',
    )
    .pluck();
  const remove = db.prepare<[string]>('DELETE FROM backups WHERE instance_key = ?');
  const get = (key: string): BackupRow | null => {
    const row = select.get(key);
    return row ? fromRow(row) : null;
  };
  return {
    get,
    seen(key, phase, now) {
      if (phase === 'running') ran.run(key, toMs(now));
      else if (phase === 'suspended' || phase === 'stopped') exists.run(key, toMs(now));
    },
    exists: (key, now) => void exists.run(key, toMs(now)),
    update(instanceKey, changes) {
      const before = get(instanceKey);
      if (!before) throw new RangeError(`no backups are known of ${instanceKey}`);
      const after = { ...before, ...changes, instanceKey };
      write.run(toRow(after));
      return after;
    },
    lookAt: (key, at) => void lookAt.run(toMs(at), key),
    due: (now, limit) => selectDue.all(toMs(now), limit),
    nextDueAt: () => fromMs(selectNext.get() ?? null),
    leastProven(before) {
      const row = selectLeast.get();
      return row && (row.proof_tried_at === null || row.proof_tried_at < toMs(before)) ? row.instance_key : null;
    },
    counts: (since) => ({
      made: countMade.get(toMs(since)) ?? 0,
      failing: countFailing.get() ?? 0,
      notWhole: countNotWhole.get() ?? 0,
    }),
    removeFrom: (key, at) => void removeFrom.run(toMs(at), key),
    removable: (now) => selectRemovable.get(toMs(now)) ?? null,
    forget: (key) => void remove.run(key),
  };
}

function toRow(row: BackupRow): Omit<Row, 'due_at'> {
  return {
    instance_key: row.instanceKey,
    made_at: toMs(row.madeAt),
    snapshot: row.snapshot,
    bytes: row.bytes,
    changed: row.changed ? 1 : 0,
    failures: row.failures,
    failing_since: toMs(row.failingSince),
    tried_at: toMs(row.triedAt),
    error: row.error,
    pruned_at: toMs(row.prunedAt),
    proven_at: toMs(row.provenAt),
    proof_error: row.proofError,
    proof_tried_at: toMs(row.proofTriedAt),
    remove_at: toMs(row.removeAt),
    restored_generation: row.restoredGeneration,
  };
}

function fromRow(row: Row): BackupRow {
  return {
    instanceKey: row.instance_key,
    madeAt: fromMs(row.made_at),
    snapshot: row.snapshot,
    bytes: row.bytes,
    changed: row.changed === 1,
    failures: row.failures,
    failingSince: fromMs(row.failing_since),
    triedAt: fromMs(row.tried_at),
    error: row.error,
    prunedAt: fromMs(row.pruned_at),
    provenAt: fromMs(row.proven_at),
    proofError: row.proof_error,
    proofTriedAt: fromMs(row.proof_tried_at),
    removeAt: fromMs(row.remove_at),
    restoredGeneration: row.restored_generation,
  };
}
