/**
 * Measures what the running instances use, one after the other, spread over the interval: with pauses while it keeps up,
 * and without where there are more than fit in.
 */

import { containersWanted } from '../instance/phase.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Instance, Plan, Usage } from '../instance/types.js';
import { usageAfter } from '../instance/unreadable.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, isStopped, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { usageOperation } from '../owed/operations.js';
import { usageUnreadable } from '../owed/todos.js';
import type { Store } from '../store/store.js';
import { isOverStorage, isUnreadable } from '../subscription/fit.js';

/** After each measure a pause of so many times its length: at most a tenth of one processor while it keeps up. */
const PAUSE_FACTOR = 9;
/** Late by this part of the interval, it makes no pause at all. */
const LATEST = 0.25;
const LONGEST_PAUSE_MS = 30_000;
/** How old a measure may get while the disk is nearly full: nearly all are late, and there are no pauses. */
const PRESSING_MS = 2 * 60_000;

export interface UsageOptions {
  store: Store;
  measure(spec: InstanceSpec): Promise<Usage>;
  /** Null while it has no place. */
  specOf(facts: { instance: Instance; plan: Plan }): InstanceSpec | null;
  /** The disk is nearly full: all are measured at once. */
  isPressing(): boolean;
  /** How old a measure may get, milliseconds. */
  intervalMs: number;
  clock: Clock;
  log: Log;
}

/** Of the engine, and of no instance. */
const OUTAGES = ['docker.unreachable', 'docker.image_missing', 'docker.no_space', 'scope.unverified'];

/** How long to pause after a measure that took so long, of an instance that was late by so much. Pure. */
export function pauseMs(tookMs: number, lateMs: number, intervalMs: number): number {
  const lateness = Math.min(1, Math.max(0, lateMs / (LATEST * intervalMs)));
  return Math.min(LONGEST_PAUSE_MS, tookMs * PAUSE_FACTOR * (1 - lateness));
}

/** Runs until stopped: the instance that was measured longest ago is the next one. */
export function startUsage(options: UsageOptions): Loop {
  const { store, clock, log } = options;
  /** When a measure was taken last, of whomever. */
  let lastDoneAt: Date | null = null;

  async function measureNext(): Promise<number> {
    const intervalMs = options.isPressing() ? Math.min(PRESSING_MS, options.intervalMs) : options.intervalMs;
    const before = new Date(clock().getTime() - intervalMs);
    const instance = store.instances.leastMeasured(before);
    if (!instance) return Math.min(LONGEST_PAUSE_MS, intervalMs);
    // The one that waited longest tells how the others fare.
    const lateMs = before.getTime() - (instance.measuredAt ?? instance.startedAt ?? before).getTime();
    const startedAt = performance.now();
    await measureOne(instance);
    return pauseMs(performance.now() - startedAt, lateMs, intervalMs);
  }

  async function measureOne(instance: Instance): Promise<void> {
    const { key, name } = instance;
    const plan = store.plans.get(instance.planId);
    try {
      const spec = plan && options.specOf({ instance, plan });
      if (!spec) throw new Error('it has no place or no plan');
      const usage = await options.measure(spec);
      const now = store.instances.get(key);
      if (now === null || containersWanted(now) !== 'up') return;
      lastDoneAt = clock();
      const measured = store.instances.update(key, { usage, measuredAt: clock(), unreadableSince: null });
      store.outbox.put(usageOperation(measured), key);
      const isOver = isOverStorage(usage, plan);
      if (isOver !== (measured.storageOverSince !== null)) {
        store.jobs.enqueue(key, { reason: 'its use of storage changed' });
      }
      log.debug('usage.measured', `${name} has ${usage.users} users.`, { instance: name });
    } catch (error) {
      if (isStopped(error)) return;
      // Its turn comes again: one that cannot be measured keeps nobody from being measured.
      if (store.instances.get(key)) unread(key, plan, error);
      log.warn('usage.failed', `${name} could not be measured: ${messageOf(error)}`, { instance: name });
    }
  }

  /** The reason is the instance's own: where the engine is slow with everybody, nobody is to blame. */
  function isOwn(error: unknown, since: Date | null): boolean {
    if (!(error instanceof BridgeError) || OUTAGES.includes(error.code)) return false;
    return error.code !== 'docker.timeout' || since === null || (lastDoneAt !== null && lastDoneAt > since);
  }

  /** Lest it pay to be unreadable, one that has been for a day counts as over: a manager is told, once. */
  function unread(key: string, plan: Plan | null, error: unknown): void {
    store.transaction(() => {
      const now = clock();
      const known = store.instances.get(key);
      const before = known?.unreadableSince ?? null;
      const since = isOwn(error, before) ? (before ?? now) : before;
      const usage = usageAfter(known?.usage ?? null, error);
      const instance = store.instances.update(key, { usage, measuredAt: now, unreadableSince: since });
      if (usage && plan && isOverStorage(usage, plan) && instance.storageOverSince === null) {
        store.jobs.enqueue(key, { reason: 'its use of storage changed' });
      }
      if (!since || !isUnreadable(instance, now) || !isOwn(error, since)) return;
      if (!store.events.record(`unreadable:${key}:${since.getTime()}`, 'unreadable')) return;
      store.outbox.put(usageUnreadable(instance, since, messageOf(error)), key);
      store.jobs.enqueue(key, { reason: 'it cannot be measured' });
      log.error('usage.unreadable_long', `${instance.name} could not be measured for a day: it counts as over.`, {
        ...errorFields(error),
        instance: instance.name,
      });
    });
  }

  return startLoop(measureNext, (error) =>
    log.error('usage.crashed', 'Measuring failed.', { error: messageOf(error) }),
  );
}
