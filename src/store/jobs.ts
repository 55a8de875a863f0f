/** The work queue: at most one row an instance, "make it as it must be". */
import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { Clock } from '../lib/clock.js';
import type { Ringer } from './bell.js';
import { fromMs, toMs } from './time.js';

/** A job in the hands of one worker. */
export interface Job {
  instanceKey: string;
  /** Proof of this claim; without it the job cannot be finished. */
  token: string;
  /** Failures in a row so far. */
  attempts: number;
  /** When the first of these failures was; null when there is none. */
  failingSince: Date | null;
  reason: string;
  runAt: Date;
}

export interface JobRow {
  instanceKey: string;
  runAt: Date;
  reason: string;
  attempts: number;
  claimedBy: string | null;
}

export interface FailingJob {
  instanceKey: string;
  attempts: number;
  failingSince: Date;
  nextTryAt: Date;
}

/** How long what is tried again may fail until a person is to know. */
export interface Patiences {
  /** Of an instance that was never served. */
  unservedMs: number;
  othersMs: number;
}

export interface JobTable {
  /**
   * Wants the instance reconciled at `runAt`, or before anything that has a date. Joins the waiting job, the earlier time
   * wins; while the job is being worked on, it runs once more afterwards.
   */
  enqueue(instanceKey: string, options: { runAt?: Date; reason: string }): void;
  /** Takes up to `limit` due jobs, oldest first. */
  claim(now: Date, workerId: string, limit: number): Job[];
  /** Done; false (and no effect) if the claim is no longer held. Null: nothing more to do unless it was enqueued meanwhile. */
  complete(instanceKey: string, token: string, nextRunAt: Date | null): boolean;
  /**
   * Counts the failure and waits for `retryAt`, or for what was enqueued meanwhile; false if the claim is no longer held.
   * @param since when it failed, if it is the first in a row; now unless given.
   */
  fail(instanceKey: string, token: string, retryAt: Date, since?: Date): boolean;
  /** On start: what a crashed daemon had claimed is waiting again. Returns how many. The lock must be held. */
  releaseAll(): number;
  /** When the next waiting job is due; null when none waits. */
  nextDueAt(): Date | null;
  /** Waiting jobs whose time has come. */
  countDue(now: Date): number;
  /** Jobs whose time came by then and that are not done: waiting for their first try, or in the hands of a worker. */
  countUnfinished(until: Date): number;
  /** Keys of the instances whose jobs have failed in a row for longer than that; the longest first. */
  failingFor(now: Date, patience: Patiences): string[];
  /** Those that failed when they were last run; the one that began to fail first is the first. */
  failing(): FailingJob[];
  /** Nobody needs it, unless a worker has it now. */
  forget(instanceKey: string): void;
  /** A worker has it now. */
  isClaimed(instanceKey: string): boolean;
  /** A worker has it now or as soon as one is free, or it failed and waits for its next try. */
  isInHand(instanceKey: string): boolean;
  /** In the order in which they run. */
  all(): JobRow[];
}

interface Row {
  instance_key: string;
  run_at: number;
  reason: string;
  attempts: number;
  failing_since: number | null;
  claimed_by: string | null;
}

/** Before every date: due at once. */
const AT_ONCE = new Date(0);

/** The claim ends; whatever was enqueued meanwhile takes the place of a later time. */
const UNCLAIM = 'token = NULL, claimed_by = NULL, claimed_at = NULL, again_at = NULL, again_reason = NULL';

export function jobTable(db: Database.Database, clock: Clock, bell: Ringer): JobTable {
  const insert = db.prepare<{ instanceKey: string; runAt: number; reason: string }>(`
    INSERT INTO jobs (instance_key, run_at, reason) VALUES (:instanceKey, :runAt, :reason)
    ON CONFLICT DO UPDATE SET
      reason = iif(token IS NULL AND excluded.run_at < run_at, excluded.reason, reason),
      run_at = iif(token IS NULL, min(run_at, excluded.run_at), run_at),
      again_reason = iif(token IS NOT NULL AND excluded.run_at < coalesce(again_at, 9e18), excluded.reason, again_reason),
      again_at = iif(token IS NOT NULL, min(coalesce(again_at, excluded.run_at), excluded.run_at), NULL)`);
  const selectDue = db.prepare<[number, number], Row>(
    'SELECT * FROM jobs WHERE token IS NULL AND run_at <= ? ORDER BY run_at, rowid LIMIT ?',
  );
  const setClaim = db.prepare<[string, string, number, string]>(
    'UPDATE jobs SET token = ?, claimed_by = ?, claimed_at = ? WHERE instance_key = ?',
  );
  const removeDone = db.prepare<[string, string]>(
    'DELETE FROM jobs WHERE instance_key = ? AND token = ? AND again_at IS NULL',
  );
  const reschedule = db.prepare<{
    instanceKey: string;
    token: string;
    runAt: number | null;
    failed: 0 | 1;
    now: number;
  }>(`
    UPDATE jobs SET
      attempts = iif(:failed, attempts + 1, 0),
      failing_since = iif(:failed, coalesce(failing_since, :now), NULL),
      reason = iif(again_at IS NOT NULL AND again_at <= coalesce(:runAt, again_at), again_reason, reason),
      run_at = min(coalesce(again_at, :runAt), coalesce(:runAt, again_at)), ${UNCLAIM}
    WHERE instance_key = :instanceKey AND token = :token`);
  const releaseAll = db.prepare(
    `UPDATE jobs SET run_at = min(run_at, coalesce(again_at, run_at)), ${UNCLAIM} WHERE token IS NOT NULL`,
  );
  const nextDue = db.prepare<[], number | null>('SELECT min(run_at) FROM jobs WHERE token IS NULL').pluck();
  const countDue = db
    .prepare<[number], number>('SELECT count(*) FROM jobs WHERE token IS NULL AND run_at <= ?')
    .pluck();
  const countUnfinished = db
    .prepare<{ until: number }, number>(`
      SELECT (SELECT count(*) FROM jobs WHERE token IS NOT NULL AND run_at <= :until)
        + (SELECT count(*) FROM jobs WHERE token IS NULL AND run_at <= :until AND attempts = 0)`)
    .pluck();
  const selectFailing = db
    .prepare<{ unserved: number; others: number }, string>(`
      SELECT instance_key FROM jobs LEFT JOIN instances ON instances.key = instance_key
      WHERE failing_since IS NOT NULL
        AND failing_since <= iif(instances.key IS NOT NULL AND started_at IS NULL, :unserved, :others)
      ORDER BY failing_since`)
    .pluck();
  const selectFailed = db.prepare<[], Row & { failing_since: number }>(
    'SELECT * FROM jobs WHERE failing_since IS NOT NULL ORDER BY failing_since',
  );
  const forget = db.prepare<[string]>('DELETE FROM jobs WHERE instance_key = ? AND token IS NULL');
  const selectClaimed = db
    .prepare<[string], number>('SELECT 1 FROM jobs WHERE instance_key = ? AND token IS NOT NULL')
    .pluck();
  const selectInHand = db
    .prepare<[string], number>(
      `SELECT 1 FROM jobs WHERE instance_key = ? AND (token IS NOT NULL OR attempts > 0 OR run_at <= ${AT_ONCE.getTime()})`,
    )
    .pluck();
  const selectAll = db.prepare<[], Row>('SELECT * FROM jobs ORDER BY run_at, rowid');

  const claim = db.transaction((now: Date, workerId: string, limit: number) =>
    selectDue.all(toMs(now), limit).map((row): Job => {
      const token = randomUUID();
      setClaim.run(token, workerId, toMs(now), row.instance_key);
      const { instance_key: instanceKey, attempts, reason } = row;
      return {
        instanceKey,
        token,
        attempts,
        failingSince: fromMs(row.failing_since),
        reason,
        runAt: fromMs(row.run_at),
      };
    }),
  );
  const complete = db.transaction((instanceKey: string, token: string, nextRunAt: Date | null) => {
    if (nextRunAt === null && removeDone.run(instanceKey, token).changes > 0) return true;
    return reschedule.run({ instanceKey, token, runAt: toMs(nextRunAt), failed: 0, now: 0 }).changes > 0;
  });

  return {
    enqueue(instanceKey, { runAt = AT_ONCE, reason }) {
      insert.run({ instanceKey, runAt: toMs(runAt), reason });
      bell.ring('jobs');
    },
    claim: (now, workerId, limit) => claim.immediate(now, workerId, limit),
    complete(instanceKey, token, nextRunAt) {
      const held = complete.immediate(instanceKey, token, nextRunAt);
      // Whoever keeps out of the way of a worker may look at the instance now.
      bell.ringFor(instanceKey);
      return held;
    },
    fail(instanceKey, token, retryAt, since = clock()) {
      const failed = { instanceKey, token, runAt: toMs(retryAt), failed: 1, now: toMs(since) } as const;
      const held = reschedule.run(failed).changes > 0;
      bell.ringFor(instanceKey);
      return held;
    },
    failingFor(now, { unservedMs, othersMs }) {
      return selectFailing.all({ unserved: toMs(now) - unservedMs, others: toMs(now) - othersMs });
    },
    failing: () =>
      selectFailed.all().map((row) => ({
        ...{ instanceKey: row.instance_key, attempts: row.attempts },
        ...{ failingSince: fromMs(row.failing_since), nextTryAt: fromMs(row.run_at) },
      })),
    forget(instanceKey) {
      forget.run(instanceKey);
    },
    isClaimed: (instanceKey) => selectClaimed.get(instanceKey) !== undefined,
    isInHand: (instanceKey) => selectInHand.get(instanceKey) !== undefined,
    releaseAll: () => releaseAll.run().changes,
    nextDueAt: () => fromMs(nextDue.get() ?? null),
    countUnfinished: (until) => countUnfinished.get({ until: toMs(until) }) ?? 0,
    countDue: (now) => countDue.get(toMs(now)) ?? 0,
    all: () =>
      selectAll.all().map((row) => {
        const { instance_key: instanceKey, reason, attempts, claimed_by: claimedBy } = row;
        return { instanceKey, runAt: fromMs(row.run_at), reason, attempts, claimedBy };
      }),
  };
}
