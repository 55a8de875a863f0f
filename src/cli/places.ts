/** Is there room for the next customer? */
import { existsSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { Placement } from '../instance/placement.js';
import { openFleet } from '../wiring.js';
import type { Finding } from './finding.js';
import { inStore } from './in-store.js';

type Found = Omit<Finding, 'part'>;

export interface PlacesQuestion {
  bindAddress: string;
  capacity: number;
  placementAt(slot: number): Placement;
  /** Slots of instances of ours: their ports are taken by themselves. */
  used: ReadonlySet<number>;
  /** Whether no other program is in the way. */
  isFree(place: Placement): Promise<boolean>;
}

export async function placesOf(config: Config): Promise<Found> {
  const { runtime } = await openFleet(config);
  const slots = existsSync(config.storePath)
    ? inStore(config, 'readonly', (store) => store.instances.all().flatMap(({ placement }) => placement?.slot ?? []))
    : [];
  return placesFinding({
    bindAddress: config.instances.bindAddress,
    capacity: runtime.capacity,
    placementAt: (slot) => runtime.placementAt(slot),
    used: new Set(slots),
    isFree: await runtime.freePlaces(),
  });
}

export async function placesFinding({
  bindAddress,
  capacity,
  placementAt,
  used,
  isFree,
}: PlacesQuestion): Promise<Found> {
  const last = placementAt(capacity - 1);
  const ports = `${placementAt(0).httpPort} to ${last.longpollingPort} on ${bindAddress}`;
  if (used.size >= capacity) {
    const advice = 'Nobody new is served: widen SAAS_PORT_RANGE at its end, or delete instances that are not needed.';
    return { ok: false, detail: `${ports}: all ${capacity} places have an instance`, advice };
  }
  if (!used.has(last.slot) && !(await isFree(last))) {
    const advice = 'Another program uses the last ports of the range: set SAAS_PORT_RANGE to ports that are free.';
    return { ok: false, detail: `port ${last.longpollingPort} on ${bindAddress} is taken`, advice };
  }
  return { ok: true, detail: `${ports}: ${used.size} of ${capacity} places have an instance` };
}
