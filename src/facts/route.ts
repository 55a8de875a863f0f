/** Which hosts lead to an instance: read from the store alone. */
import { isHost, twinOf } from '../domains/name.js';
import { isHeld } from '../domains/state.js';
import type { Route } from '../instance/ports.js';
import type { Instance } from '../instance/types.js';
import type { Store } from '../store/store.js';
import type { AddressOf } from './address.js';

/** None for an instance that has no place, or none any more. The host with its name is the first. */
export function routesTo(store: Store, addressOf: AddressOf, key: string): Route[] {
  const instance = store.instances.get(key);
  if (!instance || instance.placement === null || instance.phase === 'deleted') return [];
  const port = instance.placement.httpPort;
  const ours = { host: ownHost(addressOf, instance), isOurs: true };
  const theirs = customersHosts(store, key).map((host) => ({ host, isOurs: false }));
  return [ours, ...theirs].map((host) => ({
    ...{ ...host, port },
    // Only what works is a place to send somebody to.
    ...(instance.domain !== null && host.host !== instance.domain ? { movedTo: instance.domain } : {}),
  }));
}

/** The host with its name, in lower case, as a browser asks for it. */
export function ownHost(addressOf: AddressOf, { name, placement }: Pick<Instance, 'name' | 'placement'>): string {
  return new URL(addressOf(name, placement ?? { httpPort: 1 })).hostname;
}

function customersHosts(store: Store, key: string): string[] {
  const held = store.domains.of(key).filter(({ state, host }) => isHeld(state) && isHost(host));
  return held.flatMap(({ host, isTwinPointed }) => [host, ...(isTwinPointed ? [twinOf(host)] : [])]);
}
