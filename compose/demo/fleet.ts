/** The instances of one scope on the engine, without a daemon. */
import { createEngine } from '../../src/docker/engine/engine.js';
import { removeBusy } from '../../src/docker/engine/retry.js';
import { createFleet, type Fleet } from '../../src/docker/fleet.js';
import { DEFAULT_SETTINGS } from '../../src/docker/instance/rendering.js';
import { createMarker } from '../../src/docker/marker.js';
import { DEFAULT_SCOPE, scopePrefix } from '../../src/instance/naming.js';

const SOCKET = '/var/run/docker.sock';

/**
 * Removes every instance of a scope from the engine, its folder, the backups in a volume of the scope, and what says whose the
 * scope is; nothing of another scope. Gives their names.
 */
export async function removeInstances(scope: string, dataDir: string): Promise<string[]> {
  const { engine, runtime } = await fleetOf(scope, dataDir);
  const instances = [...(await runtime.observeAll()).values()];
  await Promise.all(
    instances.map(async (instance) => {
      await runtime.removeContainers(instance);
      await runtime.removeVolumes(instance);
      await runtime.removeNetwork(instance);
    }),
  );
  await removeBusy(() => engine.removeVolume(`${scopePrefix(scope)}saas_backups`));
  await createMarker(engine, scope).remove();
  return instances.map(({ name }) => name);
}

/** Memory in use by an instance's two containers, MB. */
export async function instanceMemoryMb(scope: string, name: string): Promise<number> {
  const { runtime } = await fleetOf(scope, '/nonexistent');
  const instance = [...(await runtime.observeAll()).values()].find((one) => one.name === name);
  if (!instance) throw new Error(`the engine has no instance ${name}`);
  const { db, odoo } = await runtime.memoryBytes(instance);
  return Math.round(((db ?? 0) + (odoo ?? 0)) / 104_857.6) / 10;
}

/** The fleet of one scope. Its templates are those that all scopes share. */
export function fleetOf(scope: string, dataDir: string): Promise<Fleet> {
  return createFleet({
    engine: createEngine({ socketPath: SOCKET }),
    settings: { ...DEFAULT_SETTINGS, scope, portBase: 20_000, subnetPool: '10.208.0.0/12' },
    capacity: 0,
    secretsOf() {
      throw new Error('nothing here needs a secret');
    },
    dataDir,
    templateScope: DEFAULT_SCOPE,
  });
}
