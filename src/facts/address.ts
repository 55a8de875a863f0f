/** The public address of an instance. Pure. */
import type { Placement } from '../instance/placement.js';

export type AddressOf = (name: string, placement: Pick<Placement, 'httpPort'>) => string;

/** @param template such as `https://{name}.example.com` or `http://host:{port}`. */
export function addressesBy(template: string): AddressOf {
  return (name, { httpPort }) => template.replaceAll('{port}', String(httpPort)).replaceAll('{name}', name);
}
