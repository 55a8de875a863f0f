/** What a start may find: instances that were made as they must be, by a daemon with another key. */
import { PHASE } from '../instance/phase.js';
import { areSecretsSet, readKnownKey } from '../store/known-key.js';
import type { Store } from '../store/store.js';

/** Has each of them looked at; gives how many there are. */
export function enqueueOutdated(store: Pick<Store, 'instances' | 'jobs' | 'meta' | 'transaction'>): number {
  const key = readKnownKey(store.meta);
  const outdated = store.instances
    .all()
    .filter((instance) => PHASE[instance.phase].containers === 'up' && !areSecretsSet(instance, key));
  store.transaction(() => {
    for (const { key: instanceKey } of outdated) store.jobs.enqueue(instanceKey, { reason: 'it has an old password' });
  });
  return outdated.length;
}
