/** What the engine has of our instances, from a fixed number of calls however many there are. */
import { LABEL } from '../../instance/naming.js';
import type { Observed, ObservedContainer, ObservedInstance } from '../../instance/types.js';
import type { ContainerSummary, Engine } from '../engine/engine.js';
import type { Network, Volume } from '../engine/types.js';
import { specHashOf } from './compose.js';

export type Seen = Observed & Pick<ObservedInstance, 'slot' | 'generation'>;

/** One instance: three calls at the same time. */
export async function observe(engine: Engine, scope: string, key: string): Promise<Seen> {
  const found = await look(engine, [`${LABEL.scope}=${scope}`, `${LABEL.key}=${key}`]);
  const nothing = { network: false, db: null, odoo: null, volumes: false, slot: null };
  const { name: _name, key: _key, ...seen } = { name: '', key, ...(found.get(key) ?? nothing) };
  return seen;
}

/** Every instance of the scope, by key: three calls. */
export async function observeAll(engine: Engine, scope: string): Promise<Map<string, ObservedInstance>> {
  return look(engine, [`${LABEL.scope}=${scope}`, LABEL.key]);
}

async function look(engine: Engine, labels: string[]): Promise<Map<string, ObservedInstance>> {
  return collect(
    ...(await Promise.all([engine.listContainers(labels), engine.listNetworks(labels), engine.listVolumes(labels)])),
  );
}

/** Puts the engine's lists together by instance. Pure. */
export function collect(
  containers: readonly Pick<ContainerSummary, 'Id' | 'Names' | 'Image' | 'Labels' | 'State' | 'Status'>[],
  networks: readonly Pick<Network, 'labels'>[],
  volumes: readonly Pick<Volume, 'labels'>[],
): Map<string, ObservedInstance> {
  const found = new Map<string, ObservedInstance>();
  const entry = (labels: Record<string, string>): ObservedInstance => {
    const key = labels[LABEL.key] ?? '';
    const known = found.get(key) ?? {
      name: labels[LABEL.instance] ?? '',
      key,
      slot: /^\d{1,9}$/.test(labels[LABEL.slot] ?? '') ? Number(labels[LABEL.slot]) : null,
      network: false,
      volumes: false,
      db: null,
      odoo: null,
    };
    found.set(key, known);
    return known;
  };
  for (const container of containers) {
    const instance = entry(container.Labels);
    const role = container.Labels[LABEL.role];
    if (role === 'db' || role === 'odoo') {
      instance[role] = observedContainer(container);
      const generation = Number(container.Labels[LABEL.generation] ?? 0);
      if (generation > 0) instance.generation = generation;
    }
  }
  for (const network of networks) entry(network.labels).network = true;
  for (const volume of volumes) entry(volume.labels).volumes = true;
  return found;
}

function observedContainer(
  container: Pick<ContainerSummary, 'Id' | 'Names' | 'Image' | 'Labels' | 'State' | 'Status'>,
): ObservedContainer {
  const exit = /^Exited \((\d+)\)/.exec(container.Status);
  return {
    id: container.Id,
    name: (container.Names[0] ?? '').replace(/^\//, ''),
    // One that crashes and is restarted by the engine is on: whether it works is for the readiness check to say.
    running: container.State === 'running' || container.State === 'restarting',
    image: container.Image,
    specHash: specHashOf(container.Labels),
    exitCode: exit ? Number(exit[1]) : null,
    restarting: container.State === 'restarting',
  };
}
