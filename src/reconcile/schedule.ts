/** What happens by the calendar. Suspensions have their own moment in the job queue; midnight only looks again. */
import { scheduleJob } from 'node-schedule';
import type { Clock } from '../clock.js';
import type { Log } from '../logger.js';
import type { Store } from '../store/store.js';

export interface ScheduleOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** IANA name; midnight is there. */
  timeZone: string;
}

/** A line a night that says how things stand. */
export function startSchedule({ store, clock, log, timeZone }: ScheduleOptions): { stop(): void } {
  const job = scheduleJob({ rule: '0 0 0 * * *', tz: timeZone }, () => {
    const phases = store.instances.countByPhase();
    const { count, deadLetters } = store.outbox.backlog(clock());
    log.info(
      'nightly.summary',
      `${phases.running ?? 0} running, ${phases.suspended ?? 0} suspended, ${phases.error ?? 0} failed.`,
      {
        ...phases,
        outbox: count,
        deadLetters,
      },
    );
  });
  return {
    stop() {
      job?.cancel();
    },
  };
}
