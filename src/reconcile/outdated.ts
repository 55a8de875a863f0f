/** What a start may find: instances that run and were made by a daemon with another key, or told another address. */
import { settingsOf } from '../facts/facts.js';
import type { SpecOf } from '../facts/spec-of.js';
import { containersWanted } from '../instance/phase.js';
import type { Instance } from '../instance/types.js';
import { areSecretsSet, readKnownKey } from '../store/known-key.js';
import type { Store } from '../store/store.js';

/** Has each of them looked at; gives how many there are. */
export function enqueueOutdated(
  store: Pick<Store, 'instances' | 'plans' | 'jobs' | 'meta' | 'transaction'>,
  specOf: SpecOf,
): number {
  const known = readKnownKey(store.meta);
  const isTold = (instance: Instance): boolean => {
    const plan = store.plans.get(instance.planId);
    const spec = plan && specOf({ instance, plan });
    return !spec || instance.settings === settingsOf(spec);
  };
  const outdated = store.instances
    .all()
    .filter((instance) => containersWanted(instance) === 'up')
    .filter((instance) => !areSecretsSet(instance, known) || !isTold(instance));
  store.transaction(() => {
    for (const { key } of outdated) store.jobs.enqueue(key, { reason: 'its settings or passwords are of before' });
  });
  return outdated.length;
}
