/**
 * The night: everything that is due at 00:00 is a job with that moment; when these are done, one line and one message
 * say what was done. A night that the daemon slept through is told of when it is awake again.
 */
import { type Job, scheduleJob } from 'node-schedule';
import type { Clock } from '../lib/clock.js';
import type { Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { summaryOperation } from '../owed/operations.js';
import type { Store } from '../store/store.js';
import { DAY_MS, midnightAtOrAfter, midnightBefore } from '../subscription/calendar.js';

/** Name of the last night that was told of, as the moment it began. */
const LAST_NIGHT = 'nightly';
/** How long the summary waits for the jobs of the night. */
const LONGEST_WAIT_MS = 30 * 60_000;
const POLL_MS = 2_000;
const EVENTS_KEPT_MS = 400 * DAY_MS;

export interface NightlyOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** IANA name; midnight is there. */
  timeZone: string;
  /** Work that belongs to the night, e.g. removing old final copies. Its failure is its own to tell. */
  chores(): Promise<void>;
}

export function startNightly(options: NightlyOptions): Loop {
  const { store, clock, log, timeZone } = options;
  let alarm: Job | null = null;
  let waitingSince: number | null = null;

  async function look(): Promise<number> {
    const now = clock();
    const midnight = midnightBefore(now, 0, timeZone);
    const last = lastNight();
    // The first start of all has no night behind it.
    if (last === null) store.meta.set(LAST_NIGHT, midnight.toISOString());
    if (last === null || last >= midnight) return sleepUntilMidnight(now);
    waitingSince ??= performance.now();
    const late = performance.now() - waitingSince > LONGEST_WAIT_MS;
    if (store.jobs.countUnfinished(midnight) > 0 && !late) return POLL_MS;
    waitingSince = null;
    await options.chores();
    summarize(last, midnight, late);
    return sleepUntilMidnight(now);
  }

  function lastNight(): Date | null {
    const text = store.meta.get(LAST_NIGHT);
    return text === null ? null : new Date(text);
  }

  /** What was done since the summary of the night before: the days between count for the night that ends them. */
  function summarize(since: Date, midnight: Date, late: boolean): void {
    const told = store.meta.get(TOLD_AT);
    const from = told === null ? since : new Date(told);
    const done = store.events.countSince(from);
    const backups = store.backups.counts(from);
    const counts = {
      suspended: done.suspension ?? 0,
      reminded: done.reminder ?? 0,
      warned: done.deletion_warning ?? 0,
      deleted: done.deletion ?? 0,
      failed: store.instances.countByPhase().error ?? 0,
      backed_up: backups.made,
      not_backed_up: backups.failing,
      not_whole: backups.notWhole,
    };
    const { count: outbox, deadLetters } = store.outbox.backlog(clock());
    store.transaction(() => {
      store.meta.set(LAST_NIGHT, midnight.toISOString());
      store.meta.set(TOLD_AT, clock().toISOString());
      store.events.prune(new Date(clock().getTime() - EVENTS_KEPT_MS));
      // A night without news is no message; that backups were made is none.
      if (Object.entries(counts).some(([what, number]) => number > 0 && what !== 'backed_up')) {
        store.outbox.put(summaryOperation(midnight, counts, timeZone), 'summary');
      }
    });
    const line = Object.entries(counts).map(([what, number]) => `${what} ${number}`);
    log.info('nightly.summary', `${line.join(', ')}.`, {
      ...counts,
      phases: store.instances.countByPhase(),
      outbox,
      deadLetters,
      ...(late ? { advice: 'Some work of the night is not done yet; saas-bridge status lists it.' } : {}),
    });
  }

  /** The alarm is exact; the loop only makes sure that a clock that was set does not make it miss the night. */
  function sleepUntilMidnight(now: Date): number {
    const next = midnightAtOrAfter(new Date(now.getTime() + 1), timeZone);
    alarm?.cancel();
    alarm = scheduleJob(new Date(Date.now() + next.getTime() - now.getTime()), () => loop.wake());
    return 10 * 60_000;
  }

  const loop = startLoop(look, (error) => log.error('nightly.failed', 'The night could not be told of.', { error }));
  return {
    wake: () => loop.wake(),
    async stop() {
      alarm?.cancel();
      await loop.stop();
    },
  };
}

/** When the last summary was made: what was done since then is in the next. */
const TOLD_AT = 'nightly_told_at';
