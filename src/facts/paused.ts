/** Which instances have a page in their place, and what is on it: read from the store alone. */
import { slotPorts } from '../instance/naming.js';
import type { Paused } from '../instance/types.js';
import { SHOP_URL } from '../store/meta.js';
import type { Store } from '../store/store.js';

/** Null for an instance that is not down, or has no port. */
export function pausedInstance(store: Store, portBase: number, key: string): Paused | null {
  const instance = store.instances.get(key);
  if (!instance || instance.slot === null) return null;
  const { name, phase, slot, customer } = instance;
  if (phase !== 'suspended' && phase !== 'stopped') return null;
  const base = store.meta.get(SHOP_URL);
  const ownerUrl = base && new URL(`/my/instances/named/${encodeURIComponent(name)}`, base).href;
  return { name, phase, port: slotPorts(portBase, slot).http, lang: customer.lang, ownerUrl };
}
