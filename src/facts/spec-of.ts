/** The spec of a stored instance. */
import { type InstanceSpec, instanceSpec } from '../instance/spec.js';
import type { Instance, Plan } from '../instance/types.js';
import { SHOP_URL } from '../store/meta.js';
import type { Store } from '../store/store.js';
import type { AddressOf } from './address.js';

/** Null while the instance has no place, or no release. */
export type SpecOf = (facts: { instance: Instance; plan: Plan }) => InstanceSpec | null;

export function specReader(store: Store, addressOf: AddressOf): SpecOf {
  return ({ instance, plan }) => {
    const { placement, release } = instance;
    if (!placement || !release) return null;
    const place = { placement, release };
    return instanceSpec(instance, plan, place, addressOf(instance.name, placement), store.meta.get(SHOP_URL) ?? '');
  };
}
