/** How much there is, and how much of it fails: read from the store, for the metrics and `/health`. */
import type { Clock } from '../lib/clock.js';
import type { Store } from '../store/store.js';
import { LASTING_MS, UNSERVED_MS } from './failure.js';

export function storeFigures(store: Store, clock: Clock) {
  return {
    instancesByPhase: () => store.instances.countByPhase(),
    jobsWaiting: () => store.jobs.countDue(clock()),
    outbox: () => store.outbox.backlog(clock()),
    backups: () => store.backups.counts(clock()),
    stuck: () => stuckInstances(store, clock).length,
  };
}

/** Names of the instances whose work has failed for so long that a person was told; the longest first. */
export function stuckInstances(store: Store, clock: Clock): string[] {
  const keys = store.jobs.failingFor(clock(), { unservedMs: UNSERVED_MS, othersMs: LASTING_MS });
  return keys.map((key) => store.instances.get(key)?.name ?? key);
}
