/** Which address leads to an instance: read from the store alone. */
import type { Store } from '../store/store.js';
import type { AddressOf } from './address.js';

export interface Route {
  /** In lower case, as a browser asks for it. */
  host: string;
  port: number;
}

/** Null for an instance that has no place, or none any more. */
export function routeTo(store: Store, addressOf: AddressOf, key: string): Route | null {
  const instance = store.instances.get(key);
  if (!instance || instance.placement === null || instance.phase === 'deleted') return null;
  const { hostname } = new URL(addressOf(instance.name, instance.placement));
  return { host: hostname, port: instance.placement.httpPort };
}
