/** Where an instance stands: the place it has, the one it has on the engine (the store may have been lost), or a new one. */
import type { Placement } from '../instance/placement.js';
import type { InstanceRef, Runtime } from '../instance/ports.js';
import type { Instance } from '../instance/types.js';
import { PlaceTakenError, RetryableError } from '../lib/errors.js';
import type { Store } from '../store/store.js';

/** How many places the engine may refuse in one run; each costs a second or so, and a run holds a place of the worker. */
const PLACES_A_RUN = 30;

export interface PlacesParts {
  store: Store;
  runtime: Pick<Runtime, 'capacity' | 'placementAt' | 'freePlaces' | 'observe' | 'removeContainers' | 'removeNetwork'>;
}

type Placed = InstanceRef & Partial<Pick<Instance, 'generation'>>;

export type Places = ReturnType<typeof createPlaces>;

export function createPlaces({ store, runtime }: PlacesParts) {
  /** The place that its objects on the engine were made for; null when it has none there. */
  async function find(instance: Placed): Promise<Placement | null> {
    const { slot, network, db, odoo, generation } = await runtime.observe(instance);
    // Volumes alone prove nothing: they outlive a place that was left.
    if (slot === null || !(network || db || odoo)) return null;
    const placement = runtime.placementAt(slot);
    store.placements.set(instance.key, placement);
    // The store was lost since its data was restored.
    if (generation) instance.generation = store.instances.update(instance.key, { generation }).generation;
    return placement;
  }

  /** The place it has on the engine, or the lowest where nothing is in the way. */
  async function allocate(instance: Placed): Promise<Placement> {
    const found = await find(instance);
    if (found) return found;
    const isFree = await runtime.freePlaces();
    // Each try takes a place out of the choice, so that it ends.
    for (let tries = 0; tries < runtime.capacity; tries++) {
      const placement = store.placements.allocate(instance.key, runtime);
      if (await isFree(placement)) return placement;
      store.placements.retire(instance.key);
    }
    throw new RetryableError(
      'instance.no_place',
      `other programs have the ports of all ${runtime.capacity} places`,
      'Set SAAS_PORT_RANGE to ports that are free on this host (ss -tlnp lists the others).',
    );
  }

  /**
   * Does the work at the instance's place. Where the engine says that another program has the port or the subnet after
   * all, what was made for the place goes, and the work is done again at the next one.
   */
  async function at<T>(instance: Instance, work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof PlaceTakenError)) throw error;
        await leave(instance);
        if (tries === PLACES_A_RUN) {
          const advice = 'It is tried again with other places; see what uses the ports of SAAS_PORT_RANGE (ss -tlnp).';
          throw new RetryableError('instance.slot_taken', error.message, advice, { cause: error });
        }
      }
      instance.placement = await allocate(instance);
    }
  }

  async function leave(instance: Instance): Promise<void> {
    await runtime.removeContainers(instance);
    await runtime.removeNetwork(instance);
    store.placements.retire(instance.key);
    instance.placement = null;
  }

  return { find, allocate, at };
}
