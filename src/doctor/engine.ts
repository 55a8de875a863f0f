/** What the engine has and should not, or should and has not. Pure. */
import { PHASE } from '../instance/phase.js';
import type { ObservedInstance } from '../instance/types.js';
import { type Finding, finding } from './kinds.js';
import type { EngineSeen, Picture, SeenInstance } from './picture.js';

/** The volumes that hold what a customer has; the third one is written anew at each start. */
const DATA = ['_pgdata', '_filestore'];

export function engineFindings(picture: Picture, engine: EngineSeen): Finding[] {
  const { store, master, isRunning } = picture;
  const known = new Map(store?.instances.map((instance) => [instance.key, instance]));
  const recorded = new Set(master?.records.filter(({ phase }) => !PHASE[phase].gone).map(({ key }) => key));
  return [
    ...markerFindings(picture, engine),
    ...(store ? engine.instances : []).flatMap((seen) => {
      const instance = known.get(seen.key);
      // One that the master knows is read soon: that is another finding.
      if (!instance) return master === null || recorded.has(seen.key) ? [] : remainsOf('stranger', seen, engine);
      if (PHASE[instance.phase].gone) return remainsOf('deleted', seen, engine);
      return placeFindings(instance, seen);
    }),
    ...(store?.instances ?? []).flatMap((instance) => dataFindings(instance, engine)),
    ...engine.foreign.map(({ name: object, instance: name }) => finding('foreign', object, { object, name })),
    ...(isRunning ? [] : engine.tasks.map((object) => finding('left_task', object, { object }))),
  ];
}

function markerFindings({ disk, isRunning }: Picture, { marker, instances }: EngineSeen): Finding[] {
  if (marker === null) return isRunning || instances.length > 0 ? [finding('marker_missing', 'scope', {})] : [];
  return marker.id === disk.ownerId ? [] : [finding('marker_other', 'scope', { place: marker.place })];
}

function remainsOf(whose: 'stranger' | 'deleted', seen: ObservedInstance, { volumes }: EngineSeen): Finding[] {
  const { key, name, db, odoo } = seen;
  const found = volumes.get(key) ?? [];
  if (found.length > 0) return [finding(`${whose}_data`, key, { key, name, volumes: found.join(' ') })];
  // What runs is somebody's.
  return db?.running || odoo?.running ? [] : [finding(`${whose}_empty`, key, { key, name })];
}

function placeFindings(
  { key, name, placement }: SeenInstance,
  { slot, network, db, odoo }: ObservedInstance,
): Finding[] {
  if (slot === null || placement === null || slot === placement.slot || !(network || db || odoo)) return [];
  return [finding('place_differs', key, { name, engine: slot, store: placement.slot })];
}

function dataFindings({ key, name, phase, startedAt }: SeenInstance, { volumes }: EngineSeen): Finding[] {
  if (PHASE[phase].gone || phase === 'deleting' || startedAt === null) return [];
  const found = volumes.get(key) ?? [];
  const missing = DATA.filter((ending) => !found.some((volume) => volume.endsWith(ending)));
  if (missing.length === 0) return [];
  const named = missing.map((ending) => (ending === '_pgdata' ? 'the database' : 'the files'));
  return [finding('data_missing', key, { name, volumes: named.join(' and ') })];
}
