/**
 * Has the backups made: each instance in its moment of the night, what was slept through at once, a few at a time, and
 * whatever a person asks for now. Beside the jobs: a target that is away holds up nobody's work.
 */
import type { Clock } from '../lib/clock.js';
import { messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { createPatience } from '../lib/patience.js';
import { backupsFailing } from '../owed/backups.js';
import type { Store } from '../store/store.js';
import { HOUR_MS } from '../subscription/calendar.js';
import type { BackupMaker } from './backup-maker.js';

const LONGEST_PAUSE_MS = 30_000;
/** So long after a failure that is the target's nobody else's backup is tried. */
const TARGET_PAUSE_MS = 60_000;
/** A manager is told after so long. */
const PATIENCE_MS = HOUR_MS;

export interface BackupKeeperOptions {
  store: Store;
  maker: BackupMaker;
  /** So many at once. */
  concurrency: number;
  clock: Clock;
  log: Log;
}

export function startBackups({ store, maker, concurrency, clock, log }: BackupKeeperOptions): Loop {
  const busy = new Map<string, Promise<void>>();
  let targetPausedUntil = 0;
  const patience = createPatience(PATIENCE_MS, clock, (since, error) =>
    store.outbox.put(backupsFailing(since, messageOf(error)), 'backups'),
  );

  async function look(): Promise<number> {
    const now = clock();
    const pausedMs = targetPausedUntil - performance.now();
    const isFree = () => busy.size < concurrency;
    // Those at work are due too.
    for (const key of store.backups.due(now, 100 + busy.size)) {
      if (busy.has(key)) continue;
      const decided = maker.decide(key, now);
      if (decided !== 'now') store.backups.lookAt(key, decided);
      else if (isFree() && (pausedMs <= 0 || maker.asked(key).length > 0)) begin(key);
    }
    const next = store.backups.nextDueAt();
    const untilNext = next === null ? LONGEST_PAUSE_MS : next.getTime() - clock().getTime();
    // Something is due and waits for a place or for the target: whoever ends wakes the loop.
    return Math.min(LONGEST_PAUSE_MS, untilNext > 0 ? untilNext : Math.max(1000, pausedMs));
  }

  function begin(key: string): void {
    const work = makeDue(key)
      .catch((error) => log.error('backup.crashed', 'Not expected; tried again.', errorFields(error)))
      .finally(() => {
        busy.delete(key);
        loop.wake();
      });
    busy.set(key, work);
  }

  async function makeDue(key: string): Promise<void> {
    const result = await maker.makeDue(key);
    if (result === 'made') patience.done();
    else if (result !== 'not made') {
      targetPausedUntil = performance.now() + TARGET_PAUSE_MS;
      patience.failed(result);
    }
  }

  const loop = startLoop(look, (error) =>
    log.error('backup.crashed', 'The backups cannot be looked at; trying again.', errorFields(error)),
  );
  return {
    wake: () => loop.wake(),
    async stop() {
      await loop.stop();
      await Promise.all(busy.values());
    },
  };
}
