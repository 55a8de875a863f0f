/** The instances of one scope on the engine, without a daemon. */
import { createEngine } from '../../src/docker/engine/engine.js';
import { DEFAULT_SETTINGS } from '../../src/docker/instance/rendering.js';
import { createInstances, type Instances } from '../../src/docker/instance/runtime.js';
import { DEFAULT_SCOPE } from '../../src/instance/naming.js';

const SOCKET = '/var/run/docker.sock';

/** Removes every instance of a scope from the engine, and its folder; nothing of another scope. Gives their names. */
export async function removeInstances(scope: string, dataDir: string): Promise<string[]> {
  const instances = await instancesOf(scope, dataDir);
  const names = [...(await instances.observeAll()).keys()];
  for (const name of names) {
    await instances.removeContainers(name);
    await instances.removeVolumes(name);
    await instances.removeNetwork(name);
  }
  return names;
}

/** Memory in use by an instance's two containers, MB. */
export async function instanceMemoryMb(scope: string, name: string): Promise<number> {
  const { db, odoo } = await (await instancesOf(scope, '/nonexistent')).memoryBytes(name);
  return Math.round(((db ?? 0) + (odoo ?? 0)) / 104_857.6) / 10;
}

/** The fleet of one scope. Its templates are those that all scopes share. */
export async function instancesOf(scope: string, dataDir: string): Promise<Instances> {
  return createInstances({
    engine: createEngine({ socketPath: SOCKET }),
    settings: { ...DEFAULT_SETTINGS, scope },
    // Only to make secrets, which nothing here does.
    daemonKey: Buffer.alloc(32),
    dataDir,
    templateScope: DEFAULT_SCOPE,
  });
}
