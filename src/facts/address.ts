/** The public address of an instance. Pure. */
import type { Placement } from '../instance/placement.js';
import type { Instance } from '../instance/types.js';

export type AddressOf = (name: string, placement: Pick<Placement, 'httpPort'>) => string;

/** @param template such as `https://{name}.example.com` or `http://host:{port}`. */
export function addressesBy(template: string): AddressOf {
  return (name, { httpPort }) => template.replaceAll('{port}', String(httpPort)).replaceAll('{name}', name);
}

/** Its customer's own where it has one; null while it has no place. */
export function publicAddress(
  addressOf: AddressOf,
  { name, placement, domain }: Pick<Instance, 'name' | 'placement' | 'domain'>,
): string | null {
  if (!placement) return null;
  return domain === null ? addressOf(name, placement) : `https://${domain}`;
}
