/** What waits in the store for a moment, and how to end these waits when the clock that gave the moments was wrong. */
import type Database from 'better-sqlite3';
import { HOUR_MS } from '../subscription/calendar.js';
import type { Ringer } from './bell.js';
import { toMs } from './time.js';

/** Moments kept as ISO text among the single values: forgotten where they have not come yet. */
const MOMENTS = ['nightly', 'nightly_told_at'];

export interface Waits {
  /** The clock ran ahead and is right again: nothing waits for the time it showed. Jobs are all looked at, once. */
  endThoseOfAnotherTime(now: Date): void;
}

export function waitTable(db: Database.Database, bell: Ringer): Waits {
  const statements = [
    'UPDATE jobs SET run_at = :now WHERE token IS NULL AND run_at > :now',
    'UPDATE jobs SET failing_since = :now WHERE failing_since > :now',
    'UPDATE outbox SET next_attempt_at = :now WHERE next_attempt_at > :now',
    'UPDATE outbox SET created_at = :now WHERE created_at > :now',
    `DELETE FROM bad_slots WHERE until > :now + ${HOUR_MS}`,
    'UPDATE left_slots SET at = :now WHERE at > :now',
    'UPDATE instances SET measured_at = NULL WHERE measured_at > :now',
    'UPDATE events SET at = :now WHERE at > :now',
  ].map((sql) => db.prepare<{ now: number }>(sql));
  const forget = db.prepare<[string, string]>('DELETE FROM meta WHERE name = ? AND value > ?');

  const end = db.transaction((now: Date) => {
    for (const statement of statements) statement.run({ now: toMs(now) });
    for (const name of MOMENTS) forget.run(name, now.toISOString());
  });
  return {
    endThoseOfAnotherTime(now) {
      end.immediate(now);
      bell.ring('jobs');
      bell.ring('outbox');
    },
  };
}
