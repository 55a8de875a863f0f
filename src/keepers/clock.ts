/** Watches the daemon's own clock: where it goes back, nothing waits for the time that it showed before. */
import type { Clock } from '../lib/clock.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import type { Store } from '../store/store.js';

/** The latest time that the clock has shown. */
const SEEN = 'clock_seen';
const INTERVAL_MS = 30_000;
/** Less is a correction that no queue feels. */
const LEAST_MS = 60_000;

export interface ClockKeeperOptions {
  store: Pick<Store, 'meta' | 'waits' | 'transaction'>;
  clock: Clock;
  log: Log;
}

/** The first look is before it returns: what waits is right before anything works. */
export function startClockKeeper({ store, clock, log }: ClockKeeperOptions): Loop {
  function look(): void {
    const now = clock();
    const seen = store.meta.get(SEEN);
    const backMs = seen === null ? 0 : Date.parse(seen) - now.getTime();
    store.transaction(() => {
      if (backMs > LEAST_MS) store.waits.endThoseOfAnotherTime(now);
      store.meta.set(SEEN, now.toISOString());
    });
    if (backMs <= LEAST_MS) return;
    log.warn(
      'clock.went_back',
      `The clock went back by ${Math.round(backMs / 60_000)} minutes: nothing waits for then.`,
      {
        advice: 'Let the host take its time from NTP. What was dated ahead keeps its date.',
      },
    );
  }

  look();
  return startLoop(
    async () => {
      look();
      return INTERVAL_MS;
    },
    (error) => log.error('clock.failed', 'The time could not be written down; trying again.', errorFields(error)),
  );
}
