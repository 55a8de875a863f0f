/** What `/ready` asks of each part, in sentences. */
import type { Check } from './app.js';

/** Of the instances that fail, so many are named by `/ready`. */
const NAMED = 10;

interface Reader {
  lastPolledAt(): number | null;
  lastError(): string | null;
}

export function masterCheck({ lastPolledAt, lastError }: Reader, lateAfterMs: number): Check {
  const age = ageOf(lastPolledAt());
  const seen = age === null ? 'the master has not been read yet' : `last read ${Math.round(age / 1000)} s ago`;
  const error = lastError();
  return { ok: age !== null && age <= Math.max(30_000, 3 * lateAfterMs), detail: error ? `${seen}: ${error}` : seen };
}

export function calendarCheck({ objection }: { objection(): string | null }): Check {
  const why = objection();
  if (why === null) return { ok: true, detail: 'the master was read a moment ago, and the clocks agree' };
  return { ok: false, detail: `suspensions, warnings, reminders and deletions wait: ${why}` };
}

export function outboxCheck({
  count,
  oldestAgeMs,
  deadLetters,
}: {
  count: number;
  oldestAgeMs: number;
  deadLetters: number;
}): Check {
  const detail = `${count} writes owed to the master, the oldest for ${Math.round(oldestAgeMs / 1000)} s; ${deadLetters} refused`;
  return { ok: oldestAgeMs < 600_000, detail };
}

export function workCheck(stuck: string[]): Check {
  const names = stuck.slice(0, NAMED).join(', ');
  const detail =
    stuck.length === 0 ? 'no instance has failed for long' : `${stuck.length} have failed for long: ${names}`;
  return { ok: stuck.length === 0, detail };
}

export function ageOf(time: number | null): number | null {
  return time === null ? null : Date.now() - time;
}
