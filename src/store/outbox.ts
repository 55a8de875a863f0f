/** Writes owed to the master. They survive everything but the loss of the file; the addon gives each key one effect. */
import type Database from 'better-sqlite3';
import type { Clock } from '../lib/clock.js';
import type { PushOperation } from '../protocol/push.js';
import type { Ringer } from './bell.js';
import { fromMs, toMs } from './time.js';

/** The lane of what belongs to no instance. */
export const NO_LANE = '-';

const DEAD_LETTERS_KEPT = 1_000;

/** A write that is being sent now. */
export interface OutboxEntry {
  id: number;
  version: number;
  lane: string;
  operation: PushOperation;
  /** Failures so far. */
  attempts: number;
  /** When it was owed first. */
  createdAt: Date;
}

export interface DeadLetter {
  id: number;
  lane: string;
  operation: PushOperation;
  /** Why the master will never accept it. */
  message: string;
  createdAt: Date;
  refusedAt: Date;
}

export interface Backlog {
  count: number;
  /** Age of the oldest write that is still owed; 0 when nothing is. */
  oldestAgeMs: number;
  deadLetters: number;
}

/**
 * Order is kept within a lane, and no lane waits for another. What is taken by `due` is in flight until `delivered`,
 * `retry` or `refuse`; meanwhile the same key makes a new version behind it.
 */
export interface Outbox {
  /**
   * The same key replaces what is not in flight. Operations `instance` get the key `instance:<instance_key>` and are merged:
   * of each value the newest wins.
   * @param lane the instance's key, or NO_LANE.
   */
  put(operation: PushOperation, lane: string): void;
  /**
   * Takes up to `limit` writes, oldest first; of one lane only those with nothing waiting or in flight before them. None of
   * those that are sent alone.
   */
  due(now: Date, limit: number): OutboxEntry[];
  /** Takes the next of those that are sent alone. */
  dueAlone(now: Date): OutboxEntry | null;
  /** It failed where others did not: from now on it is sent alone. Its lane waits for it only where it is a record. */
  setAlone(id: number): void;
  delivered(id: number, version: number): boolean;
  /**
   * It may still be accepted: try again at `at`. Its lane waits.
   * @param isRefused the master said so of this one, and it stays owed all the same.
   */
  retry(id: number, at: Date, error: string, isRefused?: boolean): void;
  /** It never will be: kept as a dead letter, without its password, for the admin. Its lane goes on. */
  refuse(id: number, message: string): void;
  /** On start: what a crashed daemon was sending is sent again. Returns how many. The lock must be held. */
  releaseAll(): number;
  /** When the next write may be sent; null when none can be before another is finished. */
  nextDueAt(): Date | null;
  /** The same of those that are sent alone. */
  nextAloneAt(): Date | null;
  /** What is owed with this key, as it is now; null when nothing is. */
  find(key: string): PushOperation | null;
  /** All that is owed, in the order in which it was owed. */
  owed(): Pick<OutboxEntry, 'operation' | 'lane'>[];
  /** The newest first. */
  deadLetters(): DeadLetter[];
  backlog(now: Date): Backlog;
}

interface Row {
  id: number;
  version: number;
  key: string;
  lane: string;
  payload: string;
  in_flight: number;
  attempts: number;
  created_at: number;
}

type DeadRow = Pick<Row, 'id' | 'key' | 'lane' | 'payload' | 'created_at'> & { message: string; refused_at: number };

/** What keeps those behind it in its lane from being sent: whatever waits, but of those sent alone the record only. */
const IN_THE_WAY = `iif(alone, key LIKE 'instance:%', in_flight OR next_attempt_at > :now)`;

export function outboxTable(db: Database.Database, clock: Clock, bell: Ringer): Outbox {
  const newestOf = db.prepare<[string], Row>('SELECT * FROM outbox WHERE key = ? ORDER BY version DESC LIMIT 1');
  const selectOne = db.prepare<[number], Row>('SELECT * FROM outbox WHERE id = ?');
  const insert = db.prepare<[string, number, string, string, number, number]>(
    'INSERT INTO outbox (key, version, lane, payload, next_attempt_at, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const replace = db.prepare<[string, number]>('UPDATE outbox SET payload = ? WHERE id = ?');
  const selectDue = db.prepare<[{ now: number; limit: number }], Row>(`
    SELECT outbox.* FROM outbox LEFT JOIN (
      SELECT lane, min(id) AS id FROM outbox WHERE ${IN_THE_WAY} GROUP BY lane
    ) AS blocker ON blocker.lane = outbox.lane
    WHERE NOT alone AND (blocker.id IS NULL OR outbox.id < blocker.id)
    ORDER BY outbox.id LIMIT :limit`);
  const selectAlone = db.prepare<[{ now: number }], Row>(`
    SELECT * FROM outbox WHERE alone AND NOT in_flight AND next_attempt_at <= :now AND NOT EXISTS (
      SELECT 1 FROM outbox AS other WHERE other.lane = outbox.lane AND other.id < outbox.id
        AND (NOT other.alone OR other.key LIKE 'instance:%'))
    ORDER BY next_attempt_at, id LIMIT 1`);
  const setAlone = db.prepare<[number]>('UPDATE outbox SET alone = 1 WHERE id = ?');
  const nextAlone = db
    .prepare<[], number | null>('SELECT min(next_attempt_at) FROM outbox WHERE alone AND NOT in_flight')
    .pluck();
  const setInFlight = db.prepare<[number]>('UPDATE outbox SET in_flight = 1 WHERE id = ?');
  const removeVersion = db.prepare<[number, number]>('DELETE FROM outbox WHERE id = ? AND version = ?');
  const postpone = db.prepare<[number, string, number, number]>(
    'UPDATE outbox SET in_flight = 0, attempts = attempts + 1, next_attempt_at = ?, last_error = ?, refused = ? WHERE id = ?',
  );
  const releaseAll = db.prepare('UPDATE outbox SET in_flight = 0 WHERE in_flight');
  const nextDue = db
    .prepare<[], number | null>(`
      SELECT min(next_attempt_at) FROM outbox
      WHERE NOT in_flight AND NOT alone AND id IN (
        SELECT min(id) FROM outbox WHERE NOT alone OR key LIKE 'instance:%' GROUP BY lane)`)
    .pluck();
  const bury = db.prepare<DeadRow>(`
    INSERT INTO dead_letters (id, key, lane, payload, message, created_at, refused_at)
    VALUES (:id, :key, :lane, :payload, :message, :created_at, :refused_at)`);
  const forgetOld = db.prepare<[number]>(
    'DELETE FROM dead_letters WHERE id <= (SELECT id FROM dead_letters ORDER BY id DESC LIMIT 1 OFFSET ?)',
  );
  const selectDead = db.prepare<[], DeadRow>('SELECT * FROM dead_letters ORDER BY refused_at DESC, id DESC');
  const selectAll = db.prepare<[], Row>('SELECT * FROM outbox ORDER BY id');
  const count = db.prepare<[], { count: number; oldest: number | null; dead: number }>(
    'SELECT count(*) AS count, min(created_at) AS oldest, (SELECT count(*) FROM dead_letters) AS dead FROM outbox',
  );

  const put = db.transaction((operation: PushOperation, lane: string) => {
    const owed = operation.op === 'instance' ? { ...operation, key: `instance:${operation.instance_key}` } : operation;
    const last = newestOf.get(owed.key);
    if (last === undefined || last.in_flight) {
      const now = toMs(clock());
      insert.run(owed.key, (last?.version ?? 0) + 1, lane, JSON.stringify(owed), now, now);
    } else {
      replace.run(JSON.stringify(merged(operationOf(last), owed)), last.id);
    }
  });
  const take = (row: Row): OutboxEntry => {
    setInFlight.run(row.id);
    const { id, version, lane, attempts } = row;
    return { id, version, lane, attempts, operation: operationOf(row), createdAt: fromMs(row.created_at) };
  };
  const due = db.transaction((now: Date, limit: number) => selectDue.all({ now: toMs(now), limit }).map(take));
  const dueAlone = db.transaction((now: Date) => {
    const row = selectAlone.get({ now: toMs(now) });
    return row === undefined ? null : take(row);
  });
  const refuse = db.transaction((id: number, message: string) => {
    const row = selectOne.get(id);
    if (row === undefined) return;
    const { key, lane, created_at } = row;
    const payload = JSON.stringify(withoutPassword(operationOf(row)));
    bury.run({ id, key, lane, payload, message, created_at, refused_at: toMs(clock()) });
    removeVersion.run(id, row.version);
    forgetOld.run(DEAD_LETTERS_KEPT);
  });

  return {
    put(operation, lane) {
      put.immediate(operation, lane);
      bell.ring('outbox');
    },
    due: (now, limit) => due.immediate(now, limit),
    dueAlone: (now) => dueAlone.immediate(now),
    setAlone(id) {
      setAlone.run(id);
      bell.ring('outbox');
    },
    delivered: (id, version) => removeVersion.run(id, version).changes > 0,
    retry(id, at, error, isRefused = false) {
      postpone.run(toMs(at), error, isRefused ? 1 : 0, id);
    },
    refuse: (id, message) => refuse.immediate(id, message),
    releaseAll: () => releaseAll.run().changes,
    nextDueAt: () => fromMs(nextDue.get() ?? null),
    nextAloneAt: () => fromMs(nextAlone.get() ?? null),
    find(key) {
      const row = newestOf.get(key);
      return row ? operationOf(row) : null;
    },
    owed: () => selectAll.all().map((row) => ({ operation: operationOf(row), lane: row.lane })),
    deadLetters: () =>
      selectDead.all().map((row) => ({
        id: row.id,
        lane: row.lane,
        operation: operationOf(row),
        message: row.message,
        createdAt: fromMs(row.created_at),
        refusedAt: fromMs(row.refused_at),
      })),
    backlog(now) {
      const row = count.get() ?? { count: 0, oldest: null, dead: 0 };
      const oldestAgeMs = row.oldest === null ? 0 : Math.max(0, toMs(now) - row.oldest);
      return { count: row.count, oldestAgeMs, deadLetters: row.dead };
    },
  };
}

function operationOf({ payload }: { payload: string }): PushOperation {
  return JSON.parse(payload) as PushOperation;
}

function merged(pending: PushOperation, newer: PushOperation): PushOperation {
  if (pending.op !== 'instance' || newer.op !== 'instance') return newer;
  return { ...newer, values: { ...pending.values, ...newer.values } };
}

function withoutPassword(operation: PushOperation): PushOperation {
  if (operation.op !== 'instance') return operation;
  const { admin_password: _, ...values } = operation.values;
  return { ...operation, values };
}
