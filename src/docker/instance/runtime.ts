/** Everything the daemon does to one instance on the engine. Each action is idempotent and may be repeated at will. */
import { LABEL } from '../../instance/naming.js';
import { deriveSecrets, type InstanceSecrets } from '../../instance/secrets.js';
import { adminLogin, type InstanceSpec } from '../../instance/spec.js';
import type { Observed, Usage } from '../../instance/types.js';
import { assertOurs, type ContainerDetails, type ContainerSummary, type Engine } from '../engine/engine.js';
import { ConflictError, NotFoundError, SlotTakenError } from '../engine/errors.js';
import { removeBusy } from '../engine/retry.js';
import { loadTemplates } from '../files.js';
import { createTemplateStore, type TemplateStore } from '../template/store.js';
import { type ComposeService, containerOptions, resourcesOf, sizeHashOf, specHashOf } from './compose.js';
import { exportInstance } from './export.js';
import { removeFolder, writeFolder } from './folder.js';
import { writeLimits } from './limits.js';
import { type ObservedInstance, observe, observeAll } from './observe.js';
import { assertLogin, assertPortFree, awaitLoginPage } from './ready.js';
import { type DockerSettings, type Rendered, renderInstance } from './rendering.js';
import { type SeedOptions, seedVolumes } from './seed.js';
import { measureUsage } from './usage.js';

/** PostgreSQL writes a checkpoint when it stops; Odoo finishes the requests it has. */
const STOP_GRACE_SECONDS = 30;

export interface InstancesOptions {
  engine: Engine;
  settings: DockerSettings;
  /** From loadDaemonKey: every instance's secrets derive from it. */
  daemonKey: Buffer;
  /** Holds `instances/<name>/`. */
  dataDir: string;
  /** Scope of the templates, to share them among daemons; the settings' scope when absent. */
  templateScope?: string;
}

export interface Instances {
  readonly templates: TemplateStore;
  observe(name: string): Promise<Observed>;
  observeAll(): Promise<Map<string, ObservedInstance>>;
  /** Labels `saas.spec` that up-to-date containers of this spec carry. */
  hashes(spec: InstanceSpec): { db: string; odoo: string };
  secrets(spec: Pick<InstanceSpec, 'key'>): InstanceSecrets;
  ensureNetwork(spec: InstanceSpec): Promise<void>;
  /** Also writes the instance's folder. */
  seedVolumes(spec: InstanceSpec, options: SeedOptions): Promise<void>;
  startDb(spec: InstanceSpec): Promise<void>;
  startOdoo(spec: InstanceSpec): Promise<void>;
  /** startDb and startOdoo at the same time, 0.5 s sooner: Odoo reaches for its database only after its imports. */
  startBoth(spec: InstanceSpec): Promise<void>;
  /**
   * Gives the containers that exist, running or not, the plan's memory and CPU, and Odoo its number of users, at once.
   * What an argument sets (`shared_buffers`, Odoo's own memory limits) follows at the next start.
   */
  applyLimits(spec: InstanceSpec): Promise<void>;
  /** Measures a running instance. RetryableError `usage.unreadable` while its database does not answer. */
  measure(spec: InstanceSpec): Promise<Usage>;
  /**
   * Writes database and files to `file`, a zip that Odoo restores. Needs the volumes alone; no container may run on them.
   * TerminalError `export.no_data` when they are missing or empty.
   */
  exportData(spec: InstanceSpec, file: string): Promise<{ bytes: number }>;
  stopOdoo(name: string): Promise<void>;
  stopDb(name: string): Promise<void>;
  /** Waits for the login page; with `login`, the first password must log in too. */
  awaitReady(spec: InstanceSpec, options: { login: boolean; timeoutMs: number }): Promise<void>;
  removeContainers(name: string): Promise<void>;
  /** Removes the folder as well. */
  removeVolumes(name: string): Promise<void>;
  removeNetwork(name: string): Promise<void>;
  /** Memory in use by the running pair, bytes; null for a container that does not run. */
  memoryBytes(name: string): Promise<{ db: number | null; odoo: number | null }>;
}

export async function createInstances(options: InstancesOptions): Promise<Instances> {
  const { engine, settings, daemonKey, dataDir } = options;
  const files = await loadTemplates();
  const templates = createTemplateStore(engine, files, options.templateScope ?? settings.scope);
  const secrets = (spec: Pick<InstanceSpec, 'key'>): InstanceSecrets => deriveSecrets(daemonKey, spec.key);
  const render = remember((spec: InstanceSpec) => renderInstance(files, settings, spec, secrets(spec)));
  const ours = (name: string): string[] => [`${LABEL.scope}=${settings.scope}`, `${LABEL.instance}=${name}`];

  async function containers(name: string, role: 'db' | 'odoo'): Promise<ContainerSummary[]> {
    return engine.listContainers([...ours(name), `${LABEL.role}=${role}`]);
  }

  async function stop(name: string, role: 'db' | 'odoo'): Promise<void> {
    const found = await containers(name, role);
    await Promise.all(found.map((container) => engine.stopContainer(container.Id, STOP_GRACE_SECONDS)));
  }

  /** The id of an up-to-date container of the service, created or made again if need be. */
  async function ensureContainer(service: ComposeService, spec: InstanceSpec, role: 'db' | 'odoo'): Promise<string> {
    try {
      // On the way to a new customer there is none: creating it is also the cheapest question.
      return await engine.createContainer(containerOptions(service));
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
    const found = (await engine.inspectContainer(service.container_name).catch(nothing)) ?? null;
    if (found) {
      assertOurs(`container ${service.container_name}`, found.Config.Labels, {
        [LABEL.scope]: settings.scope,
        [LABEL.instance]: spec.name,
        [LABEL.key]: spec.key,
        [LABEL.role]: role,
      });
      if (isUpToDate(found, service)) return found.Id;
      await engine.stopContainer(found.Id, STOP_GRACE_SECONDS);
      await engine.removeContainer(found.Id);
    }
    // People read there what the container was made from.
    await writeFolder(dataDir, spec.name, render(spec));
    return engine.createContainer(containerOptions(service));
  }

  async function start(spec: InstanceSpec, role: 'db' | 'odoo'): Promise<void> {
    const rendered = render(spec);
    const id = await ensureContainer(rendered.services[role], spec, role);
    try {
      await engine.startContainer(id);
    } catch (error) {
      // A container that could not get its port would keep its claim on it.
      if (error instanceof SlotTakenError) await engine.removeContainer(id);
      throw error;
    }
  }

  async function seed(spec: InstanceSpec, options: SeedOptions): Promise<void> {
    const rendered = render(spec);
    await Promise.all([
      seedVolumes({ engine, files, settings, templates }, spec, rendered, secrets(spec), options),
      writeFolder(dataDir, spec.name, rendered),
    ]);
  }

  async function startOdoo(spec: InstanceSpec): Promise<void> {
    const { ports, hashes } = render(spec);
    const [found] = await containers(spec.name, 'odoo');
    if (!found) {
      await Promise.all([ports.http, ports.longpolling].map((port) => assertPortFree(settings.bindAddress, port)));
    } else if (specHashOf(found.Labels) !== hashes.odoo) {
      // What changed may be in odoo.conf.
      await seed(spec, { mustExist: true });
    }
    await start(spec, 'odoo');
  }

  return {
    templates,
    secrets,
    observe: (name) => observe(engine, settings.scope, name),
    observeAll: () => observeAll(engine, settings.scope),
    hashes: (spec) => render(spec).hashes,

    async ensureNetwork(spec) {
      const { names, labels, subnet } = render(spec);
      try {
        await engine.createNetwork(names.network, labels, subnet);
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        const found = (await engine.listNetworks(ours(spec.name))).find((network) => network.name === names.network);
        assertOurs(`network ${names.network}`, found?.labels, {
          [LABEL.scope]: settings.scope,
          [LABEL.instance]: spec.name,
          [LABEL.key]: spec.key,
        });
      }
    },

    seedVolumes: seed,
    startDb: (spec) => start(spec, 'db'),
    startOdoo,

    async startBoth(spec) {
      // Should Odoo be the faster one after all, it ends, and the restart policy starts it again.
      await allDone([start(spec, 'db'), startOdoo(spec)]);
    },

    async applyLimits(spec) {
      const rendered = render(spec);
      const update = async (role: 'db' | 'odoo'): Promise<void> => {
        const resources = resourcesOf(rendered.services[role]);
        for (const { Id, Labels } of await containers(spec.name, role)) {
          if (Labels[LABEL.key] === spec.key) await engine.updateContainer(Id, resources);
        }
      };
      await allDone([
        update('db'),
        update('odoo'),
        writeLimits({ engine, files, settings }, rendered),
        writeFolder(dataDir, spec.name, rendered),
      ]);
    },

    measure: (spec) => measureUsage({ engine, files, settings }, render(spec), secrets(spec)),

    exportData: (spec, file) => exportInstance({ engine, files, settings }, render(spec), file),

    stopOdoo: (name) => stop(name, 'odoo'),
    stopDb: (name) => stop(name, 'db'),

    async awaitReady(spec, { login, timeoutMs }) {
      const { ports } = render(spec);
      await awaitLoginPage(settings.reachAddress, ports.http, timeoutMs);
      if (login) await assertLogin(settings.reachAddress, ports.http, adminLogin(spec), secrets(spec).adminPassword);
    },

    async removeContainers(name) {
      await stop(name, 'odoo');
      await stop(name, 'db');
      const found = await engine.listContainers(ours(name));
      await Promise.all(found.map((container) => engine.removeContainer(container.Id)));
    },

    async removeVolumes(name) {
      const found = await engine.listVolumes(ours(name));
      await Promise.all(found.map((volume) => removeBusy(() => engine.removeVolume(volume.name))));
      await removeFolder(dataDir, name);
    },

    async removeNetwork(name) {
      const found = await engine.listNetworks(ours(name));
      await Promise.all(found.map((network) => removeBusy(() => engine.removeNetwork(network.id))));
    },

    async memoryBytes(name) {
      const observed = await observe(engine, settings.scope, name);
      const [db, odoo] = await Promise.all(
        [observed.db, observed.odoo].map((container) => (container?.running ? engine.memoryBytes(container.id) : null)),
      );
      return { db: db ?? null, odoo: odoo ?? null };
    },
  };
}

/** A size that differs can wait for the next start: applyLimits has changed what a running container can be given. */
function isUpToDate({ Config, State }: ContainerDetails, { labels }: ComposeService): boolean {
  if (specHashOf(Config.Labels) !== specHashOf(labels)) return false;
  return State.Running || sizeHashOf(Config.Labels) === sizeHashOf(labels);
}

/** Waits for all of them, also when one fails; then throws the first failure. */
async function allDone(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

function nothing(error: unknown): null {
  if (error instanceof NotFoundError) return null;
  throw error;
}

const REMEMBERED = 500;

/** Rendering costs about 20 ms and every step needs it: the results of the last specs are kept. */
function remember(render: (spec: InstanceSpec) => Rendered): (spec: InstanceSpec) => Rendered {
  const known = new Map<string, Rendered>();
  return (spec) => {
    const key = JSON.stringify(spec);
    const rendered = known.get(key) ?? render(spec);
    known.delete(key);
    known.set(key, rendered);
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
    return rendered;
  };
}
