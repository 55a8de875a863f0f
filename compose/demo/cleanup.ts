import { createEngine } from '../../src/docker/client.js';
import { createInstances } from '../../src/docker/instances.js';
import { DEFAULT_SETTINGS } from '../../src/docker/spec.js';

const SOCKET = '/var/run/docker.sock';

/** Removes every instance of a scope from the engine, and its folder; nothing of another scope. Gives their names. */
export async function removeInstances(scope: string, dataDir: string): Promise<string[]> {
  const instances = await createInstances({
    engine: createEngine({ socketPath: SOCKET }),
    settings: { ...DEFAULT_SETTINGS, scope },
    // Only to make secrets, which removing does not.
    daemonKey: Buffer.alloc(32),
    dataDir,
  });
  const names = [...(await instances.observeAll()).keys()];
  for (const name of names) {
    await instances.removeContainers(name);
    await instances.removeVolumes(name);
    await instances.removeNetwork(name);
  }
  return names;
}
