/** Watches the disk of the engine: whoever fills it far beyond their plan is stopped before it is full for everybody. */
import { containersWanted } from '../instance/phase.js';
import type { Space } from '../instance/ports.js';
import type { Instance, Plan } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { isStopped, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { diskLow } from '../owed/managers.js';
import { stoppedForSpace } from '../owed/todos.js';
import type { Store } from '../store/store.js';
import { GB, storageBytes } from '../subscription/fit.js';

/** At most: what a customer can write between two looks is what there must be room for. */
const LONGEST_MS = 30_000;
/** Under this part of the disk all are measured at once. */
const LOW = 0.15;
/** Under this part whoever is the furthest over their plan is stopped: one at each look, before the disk is at 90 %. */
const CRITICAL = 0.12;
/** So far over the plan nobody is by the measure alone. */
const HARD_LIMIT = 1.1;
/** A measure that is older says nothing of who fills the disk now. */
const FRESH_MS = 5 * 60_000;

export interface SpaceOptions {
  space(): Promise<Space>;
  /** Between two looks, if that is less than half a minute. */
  intervalMs: number;
  /** Called at each look at which there is little left. */
  onLow(): void;
  store: Store;
  clock: Clock;
  log: Log;
}

export interface SpaceKeeper extends Loop {
  /** The result of the last look. */
  check(): { ok: boolean; detail: string };
  /** There is so little left that measures may cost more than usual. */
  isLow(): boolean;
  /** The free part of the disk; null before the first look. */
  free(): number | null;
}

export function startSpace({ space, intervalMs, onLow, store, clock, log }: SpaceOptions): SpaceKeeper {
  const pauseMs = Math.min(LONGEST_MS, intervalMs);
  let free: number | null = null;
  /** What there is the least of. */
  let scarce = 'disk';
  let lowSince: Date | null = null;
  let failure: string | null = null;

  async function look(): Promise<number> {
    try {
      const { bytes, inodes } = await space();
      free = Math.min(bytes, inodes);
      scarce = inodes < bytes ? "disk's inodes" : 'disk';
      failure = null;
    } catch (error) {
      if (!isStopped(error) && failure === null) {
        log.warn('disk.unread', 'The free space of the disk is not known.', errorFields(error));
      }
      failure = messageOf(error);
      return pauseMs;
    }
    if (free >= LOW) {
      if (lowSince !== null) log.info('disk.recovered', `Of the ${scarce} ${percent(free)} are free again.`);
      lowSince = null;
      return pauseMs;
    }
    if (lowSince === null) {
      lowSince = clock();
      log.error('disk.low', `Only ${percent(free)} of the ${scarce} are free: all instances are measured.`, {
        advice:
          'Free disk space (df, df -i), or give the engine a larger disk; whoever is far over the plan is stopped under 12 %.',
      });
      store.outbox.put(diskLow(lowSince, Math.floor(free * 100)), 'disk');
    }
    onLow();
    if (free < CRITICAL) stopFurthest();
    return pauseMs;
  }

  function stopFurthest(): void {
    const [furthest] = store.instances
      .all()
      .flatMap((instance) => excessOf(instance, store.plans.get(instance.planId), clock()) ?? [])
      .sort((a, b) => b.bytes - a.bytes);
    if (!furthest) return;
    const { instance, plan } = furthest;
    const now = clock();
    store.transaction(() => {
      const storageOverSince = instance.storageOverSince ?? now;
      const stopped = store.instances.update(instance.key, { spaceStoppedAt: now, storageOverSince });
      store.outbox.put(stoppedForSpace(stopped, plan, now), instance.key);
      store.jobs.enqueue(instance.key, { reason: 'the disk is nearly full' });
    });
    log.error('instance.stopped_for_space', `${instance.name} is stopped: it is the furthest over its plan.`, {
      instance: instance.name,
      overBytes: furthest.bytes,
    });
  }

  const loop = startLoop(look, (error) =>
    log.error('disk.failed', 'The disk cannot be watched; trying again.', errorFields(error)),
  );
  return {
    ...loop,
    isLow: () => lowSince !== null,
    free: () => free,
    check() {
      if (failure !== null) return { ok: false, detail: `the free space of the disk is not known: ${failure}` };
      if (free === null) return { ok: true, detail: 'the disk has not been looked at yet' };
      return { ok: free >= LOW, detail: `${percent(free)} of the ${scarce} of the engine are free` };
    },
  };
}

/** By how much it is over its plan; null for who is not far over, not running, or not measured lately. */
function excessOf(instance: Instance, plan: Plan | null, now: Date) {
  const { usage, measuredAt, spaceStoppedAt } = instance;
  if (containersWanted(instance) !== 'up' || spaceStoppedAt !== null || !usage || !plan || plan.storageGb === 0)
    return null;
  if (measuredAt === null || now.getTime() - measuredAt.getTime() > FRESH_MS) return null;
  const used = storageBytes(usage);
  const limit = plan.storageGb * GB;
  return used > limit * HARD_LIMIT ? { instance, plan, bytes: used - limit } : null;
}

function percent(part: number): string {
  return `${Math.floor(part * 1000) / 10} %`;
}
