/** Says whether the daemon knows enough of the master's present to act against a customer by the calendar. */
import type { Clock } from '../lib/clock.js';
import type { Log } from '../lib/logger.js';
import type { JobTable } from '../store/jobs.js';

const OLDEST_POLL_MS = 15 * 60_000;
const MOST_SKEW_MS = 5 * 60_000;

export interface GuardParts {
  jobs: Pick<JobTable, 'enqueue'>;
  clock: Clock;
  /** By how much the clock is moved on purpose, to rehearse another date. */
  clockOffsetMs: number;
  log: Log;
  /** Why the master refuses this daemon, one sentence; null while it does not. */
  refusal(): string | null;
  /** Milliseconds of a clock that never goes back. */
  monotonic?: () => number;
}

export interface Guard {
  /** The master was read to its end, and this was its time. What waited is done if it may be now. */
  heard(serverTime: Date): void;
  /** Why suspensions, warnings, reminders and deletions wait, one sentence; null when they need not. */
  objection(): string | null;
  /** Whether the instance may be acted against now; where it may not, it is run again as soon as it may. */
  mayAct(instanceKey: string): boolean;
  /** Instances that wait. */
  waiting(): number;
}

/** Nobody is suspended, warned, reminded or deleted by what was known a while ago, or by a clock that is wrong. */
export function createGuard(parts: GuardParts): Guard {
  const { jobs, clock, clockOffsetMs, log, refusal, monotonic = () => performance.now() } = parts;
  const waiting = new Set<string>();
  let last: { serverTime: number; at: number } | null = null;

  function objection(): string | null {
    const refused = refusal();
    if (refused !== null) return `${refused[0]?.toUpperCase()}${refused.slice(1)}.`;
    if (last === null) return 'The master has not been read since the start.';
    const age = monotonic() - last.at;
    if (age >= OLDEST_POLL_MS) return `The master was last read ${minutes(age)} minutes ago.`;
    // What the master's clock shows now: a clock of ours that has jumped since is found at once.
    const skew = clock().getTime() - clockOffsetMs - (last.serverTime + age);
    if (Math.abs(skew) < MOST_SKEW_MS) return null;
    return `The clock of this host is ${minutes(Math.abs(skew))} minutes ${skew > 0 ? 'ahead of' : 'behind'} the master's.`;
  }

  return {
    heard(serverTime) {
      last = { serverTime: serverTime.getTime(), at: monotonic() };
      if (waiting.size === 0 || objection() !== null) return;
      log.info('calendar.resumed', 'What the calendar asks for is done again.', { instances: waiting.size });
      for (const key of waiting) jobs.enqueue(key, { reason: 'the calendar may go on' });
      waiting.clear();
    },
    objection,
    mayAct(instanceKey) {
      const why = objection();
      if (why === null) return true;
      if (waiting.size === 0) {
        log.warn('calendar.waits', `Suspensions, warnings, reminders and deletions wait. ${why}`, {
          advice: 'Let the master answer, and let both hosts take their time from NTP; running instances go on.',
        });
      }
      waiting.add(instanceKey);
      return false;
    },
    waiting: () => waiting.size,
  };
}

function minutes(ms: number): number {
  return Math.round(ms / 60_000);
}
