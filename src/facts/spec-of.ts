/** The spec of a stored instance. */
import { type InstanceSpec, instanceSpec } from '../instance/spec.js';
import type { Instance, Plan } from '../instance/types.js';
import { type AddressOf, publicAddress } from './address.js';

/** Null while the instance has no place, or no release. */
export type SpecOf = (facts: { instance: Instance; plan: Plan }) => InstanceSpec | null;

export function specReader(addressOf: AddressOf): SpecOf {
  return ({ instance, plan }) => {
    const { placement, release, seller } = instance;
    const url = publicAddress(addressOf, instance);
    if (!placement || !release || url === null) return null;
    const place = { placement, release };
    return instanceSpec(instance, plan, place, url, seller?.shopUrl ?? '');
  };
}
