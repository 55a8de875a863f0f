/** Where an instance stands: the place it has, the one it has on the engine (the store may have been lost), or a new one. */
import type { Placement } from '../instance/placement.js';
import type { InstanceRef, Runtime } from '../instance/ports.js';
import type { ObservedInstance } from '../instance/types.js';
import { PlaceTakenError, RetryableError } from '../lib/errors.js';
import type { Store } from '../store/store.js';

export interface PlacesParts {
  store: Store;
  runtime: Pick<Runtime, 'capacity' | 'placementAt' | 'isFree' | 'observeAll' | 'removeContainers' | 'removeNetwork'>;
}

export type Places = ReturnType<typeof createPlaces>;

export function createPlaces({ store, runtime }: PlacesParts) {
  /** The place that its objects on the engine were made for; null when it has none there. */
  async function find(instanceKey: string): Promise<Placement | null> {
    return adopt(instanceKey, await runtime.observeAll());
  }

  /** The place it has on the engine, or the lowest where nothing is in the way. */
  async function allocate(instanceKey: string): Promise<Placement> {
    const observed = await runtime.observeAll();
    const adopted = adopt(instanceKey, observed);
    if (adopted) return adopted;
    const taken = new Set([...observed.values()].map(({ slot }) => slot));
    // Each try takes a place out of the choice, so that it ends.
    for (let tries = 0; tries < runtime.capacity; tries++) {
      const placement = store.placements.allocate(instanceKey, runtime, (slot) => !taken.has(slot));
      if (await runtime.isFree(placement)) return placement;
      store.placements.retire(instanceKey);
    }
    throw new RetryableError(
      'instance.no_place',
      `other programs have the ports of all ${runtime.capacity} places`,
      'Set SAAS_PORT_RANGE to ports that are free on this host (ss -tlnp lists the others).',
    );
  }

  /** Volumes alone prove nothing: they outlive a place that was left. */
  function adopt(instanceKey: string, observed: Map<string, ObservedInstance>): Placement | null {
    const found = observed.get(instanceKey);
    if (!found || found.slot === null || !(found.network || found.db || found.odoo)) return null;
    const placement = runtime.placementAt(found.slot);
    store.placements.set(instanceKey, placement);
    return placement;
  }

  /** Does the work; where another program has the port or the subnet, what was made for the place goes, and so does it. */
  async function at<T>(instance: InstanceRef, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PlaceTakenError)) throw error;
      await runtime.removeContainers(instance);
      await runtime.removeNetwork(instance);
      store.placements.retire(instance.key);
      throw new RetryableError('instance.slot_taken', error.message, 'It is tried again with another slot.', {
        cause: error,
      });
    }
  }

  return { find, allocate, at };
}
