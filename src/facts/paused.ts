/** Which instances have a page in their place, and what is on it: read from the store alone. */
import { isAsleep, PHASE } from '../instance/phase.js';
import type { Paused } from '../instance/types.js';
import type { Store } from '../store/store.js';

/** Null for an instance that is not down, or has no place. */
export function pausedInstance(store: Store, key: string): Paused | null {
  const instance = store.instances.get(key);
  if (!instance || instance.placement === null) return null;
  const { name, phase, placement, customer, seller } = instance;
  const page = isAsleep(instance) ? 'asleep' : PHASE[phase].page;
  if (page === null) return null;
  const base = seller?.shopUrl ?? null;
  const ownerUrl = base && new URL(`/my/instances/named/${encodeURIComponent(name)}`, base).href;
  return { name, phase: page, port: placement.httpPort, lang: customer.lang, ownerUrl };
}
