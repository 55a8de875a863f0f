/** One instance in a scope of its own on the real engine, without a daemon; all of it goes. */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, type Engine } from '../../src/docker/engine/engine.js';
import { createFleet, type Fleet } from '../../src/docker/fleet.js';
import { placementAt, type Ranges } from '../../src/docker/instance/placement.js';
import { DEFAULT_RELEASE, DEFAULT_SETTINGS, type DockerSettings } from '../../src/docker/instance/rendering.js';
import { DEFAULT_SCOPE, LABEL, resourceNames } from '../../src/instance/naming.js';
import { deriveSecrets } from '../../src/instance/secrets.js';
import type { InstanceSpec } from '../../src/instance/spec.js';
import { docker } from './engine.js';

/**
 * What it is before anything is made.
 * @param key that its secrets derive from.
 */
export function loneInstance(name: string, key: Buffer = randomBytes(32)) {
  const scope = `t${randomBytes(4).toString('hex')}`;
  const settings: DockerSettings & Ranges = {
    ...DEFAULT_SETTINGS,
    scope,
    portBase: 30_000 + 16 * randomInt(170),
    subnetPool: `10.${240 + randomInt(10)}.${randomInt(256)}.0/24`,
  };
  const release = {
    odooImage: process.env.ODOO_IMAGE ?? DEFAULT_RELEASE.odooImage,
    postgresImage: process.env.POSTGRES_IMAGE ?? DEFAULT_RELEASE.postgresImage,
    addons: [],
  };
  const companyName = name.charAt(0).toUpperCase() + name.slice(1);
  const spec: InstanceSpec = {
    ...{ key: 'sol:1', name, placement: placementAt(settings, 0), release, cpu: 2, memoryMb: 1024 },
    ...{ storageGb: 1, modules: [], url: `https://${name}.example.com`, companyName, contactName: 'Zoë' },
    ...{ email: 'zoe@example.com', lang: 'es_ES', maxUsers: 0, accountUrl: '', egress: 'web' },
  };
  const secretsOf = (instanceKey: string) => deriveSecrets(key, instanceKey);
  return {
    ...{ scope, settings, release, spec, secretsOf, names: resourceNames(scope, name) },
    labels: { [LABEL.scope]: scope },
    /** Starts it, and waits until it can be used. */
    async start(): Promise<{ engine: Engine; fleet: Fleet; stop(): Promise<void> }> {
      const engine = createEngine({});
      const dataDir = await mkdtemp(join(tmpdir(), 'saas-'));
      const places = { engine, settings, capacity: 8, dataDir, templateScope: DEFAULT_SCOPE };
      const fleet = await createFleet({ ...places, secretsOf });
      const { runtime } = fleet;
      await runtime.ensureNetwork(spec);
      await runtime.fill(spec, { kind: 'template', modules: [] }, { mustExist: false });
      await runtime.startBoth(spec);
      await runtime.awaitReady(spec, { login: true, timeoutMs: 120_000 });
      return {
        engine,
        fleet,
        async stop() {
          await runtime.removeContainers(spec);
          await runtime.removeVolumes(spec);
          await runtime.removeNetwork(spec);
          for (const { Name } of (await docker.listVolumes({ filters: { name: [scope] } })).Volumes ?? []) {
            await docker.getVolume(Name).remove({ force: true });
          }
          await rm(dataDir, { recursive: true, force: true });
        },
      };
    },
  };
}
