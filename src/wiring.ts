/** From the configuration to the parts: the one place where adapters are made. */
import { cpus } from 'node:os';
import path from 'node:path';
import type { Config } from './config/config.js';
import { createEngine } from './docker/engine/engine.js';
import { createInstances, type Instances } from './docker/instance/runtime.js';
import { slotPorts } from './instance/naming.js';
import type { Log } from './lib/logger.js';
import { createOdooClient } from './odoo/client.js';
import { createMaster } from './odoo/master.js';
import { loadDaemonKey } from './store/daemon-key.js';

/** The parts that reach the engine, from the configuration. */
export async function createFleet(
  config: Config,
): Promise<{ engine: ReturnType<typeof createEngine>; instances: Instances }> {
  const { instances: settings, policy } = config;
  const engine = createEngine({ socketPath: config.docker.socketPath, timeoutMs: config.docker.timeoutMs });
  const instances = await createInstances({
    engine,
    settings: {
      scope: settings.scope,
      odooImage: settings.odooImage,
      postgresImage: settings.postgresImage,
      languages: settings.languages,
      portBase: settings.portBase,
      subnetPool: settings.subnetPool,
      bindAddress: settings.bindAddress,
      reachAddress: reachable(settings.bindAddress),
      proxyMode: settings.proxyMode,
      timeZone: policy.timeZone,
      // A plan that is larger than the host gets all of it.
      maxCpus: cpus().length,
      logLevel: 'warn',
    },
    daemonKey: await loadDaemonKey(path.join(config.dataDir, 'secret.key')),
    dataDir: config.dataDir,
    templateScope: 'default',
  });
  return { engine, instances };
}

/** The client of the master, from the configuration. */
export function connectMaster(config: Config, log?: Log) {
  const { url, db, login, apiKey, timeoutMs } = config.odoo;
  const client = createOdooClient({ url, db, login, apiKey, timeoutMs, maxConcurrent: 4, ...(log ? { log } : {}) });
  return { client, master: createMaster(client) };
}

/** Public address of an instance. */
export function urlOf(config: Config, name: string, slot: number): string {
  const { http } = slotPorts(config.instances.portBase, slot);
  return config.instances.urlTemplate.replaceAll('{port}', String(http)).replaceAll('{name}', name);
}

/** An address the daemon can call: a wildcard is published on loopback too. */
function reachable(bindAddress: string): string {
  return bindAddress === '0.0.0.0' ? '127.0.0.1' : bindAddress === '::' ? '::1' : bindAddress;
}
