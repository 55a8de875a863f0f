/** Writes that did not arrive: refused for good, or tried again and again. An admin may send or drop each, beside the daemon. */
import type Database from 'better-sqlite3';
import type { Clock } from '../lib/clock.js';
import type { PushOperation } from '../protocol/push.js';
import { fromMs, toMs } from './time.js';

export interface Letter {
  id: number;
  /** `refused`: it is not sent again by itself. `failing`: it is, where others arrive. */
  state: 'refused' | 'failing';
  lane: string;
  operation: PushOperation;
  /** What the master said, or why it did not arrive. */
  reason: string;
  /** When it was owed, and when it was refused; null for one that is tried again. */
  createdAt: Date;
  refusedAt: Date | null;
  attempts: number;
  /** Null for one that was refused. */
  nextTryAt: Date | null;
}

/** `queued`: it is sent at once. `superseded`: a newer write of its key is owed, so this one is gone. */
export type Retried = 'queued' | 'superseded' | 'unknown';
/** `owed`: a record of an instance; its facts stay true, so that it would be owed again. */
export type Dropped = 'dropped' | 'owed' | 'unknown';

export interface LetterTable {
  /** The oldest first. */
  all(): Letter[];
  retry(id: number): Retried;
  drop(id: number): Dropped;
}

interface Row {
  id: number;
  state: Letter['state'];
  lane: string;
  payload: string;
  reason: string | null;
  created_at: number;
  refused_at: number | null;
  attempts: number;
  next_attempt_at: number | null;
}

type Newest = { version: number; in_flight: number };
type Dead = { key: string; lane: string; payload: string };

/** What fails where others do not: sent alone, or a record that the master refuses. */
const FAILING = '(alone OR refused)';

export function letterTable(db: Database.Database, clock: Clock): LetterTable {
  const selectAll = db.prepare<[], Row>(`
    SELECT id, 'refused' AS state, lane, payload, message AS reason, created_at, refused_at, 0 AS attempts,
      NULL AS next_attempt_at FROM dead_letters
    UNION ALL
    SELECT id, 'failing', lane, payload, last_error, created_at, NULL, attempts, next_attempt_at FROM outbox
      WHERE ${FAILING}
    ORDER BY id`);
  const selectDead = db.prepare<[number], Dead>('SELECT key, lane, payload FROM dead_letters WHERE id = ?');
  const removeDead = db.prepare<[number]>('DELETE FROM dead_letters WHERE id = ?');
  const newestOf = db.prepare<[string], Newest>(
    'SELECT version, in_flight FROM outbox WHERE key = ? ORDER BY version DESC LIMIT 1',
  );
  const insert = db.prepare<Dead & { version: number; now: number }>(`
    INSERT INTO outbox (key, version, lane, payload, next_attempt_at, created_at)
    VALUES (:key, :version, :lane, :payload, :now, :now)`);
  const sendNow = db.prepare<[number, number]>(
    `UPDATE outbox SET next_attempt_at = min(next_attempt_at, ?) WHERE id = ? AND ${FAILING}`,
  );
  const keyOf = db.prepare<[number], string>(`SELECT key FROM outbox WHERE id = ? AND ${FAILING}`).pluck();
  const removeOwed = db.prepare<[number]>('DELETE FROM outbox WHERE id = ?');

  const retry = db.transaction((id: number): Retried => {
    const dead = selectDead.get(id);
    if (!dead) return sendNow.run(toMs(clock()), id).changes > 0 ? 'queued' : 'unknown';
    removeDead.run(id);
    const newest = newestOf.get(dead.key);
    if (newest && !newest.in_flight) return 'superseded';
    insert.run({ ...dead, version: (newest?.version ?? 0) + 1, now: toMs(clock()) });
    return 'queued';
  });

  const drop = db.transaction((id: number): Dropped => {
    if (removeDead.run(id).changes > 0) return 'dropped';
    const key = keyOf.get(id);
    if (key === undefined) return 'unknown';
    if (key.startsWith('instance:')) return 'owed';
    removeOwed.run(id);
    return 'dropped';
  });

  return {
    all: () =>
      selectAll.all().map(({ payload, created_at, refused_at, next_attempt_at, reason, ...row }) => ({
        ...row,
        operation: JSON.parse(payload) as PushOperation,
        reason: reason ?? '',
        createdAt: fromMs(created_at),
        refusedAt: fromMs(refused_at),
        nextTryAt: fromMs(next_attempt_at),
      })),
    retry: (id) => retry.immediate(id),
    drop: (id) => drop.immediate(id),
  };
}
