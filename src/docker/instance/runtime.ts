/** One engine as a runtime: everything the daemon does to one instance there. Each action may be repeated at will. */
import { LABEL, resourceNames } from '../../instance/naming.js';
import type { FillOptions, InstanceRef, Runtime, Source } from '../../instance/ports.js';
import type { InstanceSecrets } from '../../instance/secrets.js';
import type { InstanceSpec } from '../../instance/spec.js';
import { adminLogin } from '../../instance/spec.js';
import { PlaceTakenError } from '../../lib/errors.js';
import { copyLimitBytes } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { ConflictError } from '../engine/errors.js';
import { assertOurs } from '../engine/ours.js';
import { removeBusy } from '../engine/retry.js';
import type { Templates as Files } from '../files.js';
import type { TemplateStore } from '../template/store.js';
import { sharedOut } from './addresses.js';
import { closeDatabases } from './close.js';
import { resourcesOf, specHashOf } from './compose.js';
import { createContainers, type Role } from './containers.js';
import { exportInstance } from './export.js';
import { removeFolder, writeFolder } from './folder.js';
import { endLeftTasks } from './left-tasks.js';
import { writeLimits } from './limits.js';
import { observe, observeAll } from './observe.js';
import { overlaps, placementAt, type Ranges } from './placement.js';
import { copyLeft, copyVolumes } from './raw-copy.js';
import { assertLogin, assertPortFree, awaitLoginPage } from './ready.js';
import { remember } from './remember.js';
import { type DockerSettings, renderInstance, revisionOf } from './rendering.js';
import { writeSecrets } from './secrets.js';
import { seedVolumes } from './seed.js';
import { writeSettings } from './settings.js';
import { sourceOpener } from './sources.js';
import { spaceOf } from './space.js';
import { measureUsage } from './usage.js';
import { watch } from './watch.js';

export interface RuntimeOptions {
  engine: Engine;
  files: Files;
  templates: TemplateStore;
  settings: DockerSettings & Ranges;
  /** How many instances the ranges have room for. */
  capacity: number;
  secretsOf(instanceKey: string): InstanceSecrets;
  /** Holds `instances/<name>/`. */
  dataDir: string;
}

/** Its server-wide module touches it (templates/instance/saas_limits/visits.py). */
const VISITED_FILE = '/var/lib/odoo/.visited';

/** The runtime, and what only tests and figures ask of an engine. */
export interface EngineRuntime extends Runtime {
  /** Memory in use by the running pair, bytes; null for a container that does not run. */
  memoryBytes(instance: InstanceRef): Promise<{ db: number | null; odoo: number | null }>;
}

export function createEngineRuntime(options: RuntimeOptions): EngineRuntime {
  const { engine, files, templates, settings, secretsOf, dataDir } = options;
  const { scope } = settings;
  const containers = createContainers(engine, scope);
  const open = sourceOpener(templates, settings.languages);
  const render = remember((spec: InstanceSpec) => renderInstance(files, settings, spec, secretsOf(spec.key)));
  /** People read there what the containers were made from. */
  const writeDown = (spec: InstanceSpec) => writeFolder(dataDir, spec.name, render(spec));

  const start = (spec: InstanceSpec, role: Role) =>
    containers.start(render(spec), spec, role, async () => {
      await writeDown(spec);
      if (role === 'db') await closeDatabases({ engine, files, release: spec.release }, render(spec));
    });

  async function fill(spec: InstanceSpec, source: Source, how: FillOptions): Promise<void> {
    const rendered = render(spec);
    // Whose containers are made anew may be older than this program.
    const servers = how.mustExist ? await containers.list(spec, 'db') : null;
    if (servers?.every(({ State }) => State !== 'running')) {
      await closeDatabases({ engine, files, release: spec.release }, rendered);
    }
    await Promise.all([
      seedVolumes({ engine, files, settings }, spec, rendered, secretsOf(spec.key), open(source, spec), how),
      writeDown(spec),
    ]);
  }

  async function startOdoo(spec: InstanceSpec): Promise<void> {
    const { placement, hashes } = render(spec);
    const [found] = await containers.list(spec, 'odoo');
    if (!found) await assertFree(placement);
    else if (found.State !== 'running' && specHashOf(found.Labels) !== hashes.odoo) {
      // What changed may be in odoo.conf.
      await fill(spec, { kind: 'template', modules: spec.modules }, { mustExist: true });
    }
    await start(spec, 'odoo');
  }

  async function assertFree({
    httpPort,
    longpollingPort,
  }: {
    httpPort: number;
    longpollingPort: number;
  }): Promise<void> {
    await Promise.all([httpPort, longpollingPort].map((port) => assertPortFree(settings.bindAddress, port)));
  }

  return {
    capacity: options.capacity,
    placementAt: (slot) => placementAt(settings, slot),
    async freePlaces() {
      const subnets = (await engine.listNetworks([])).flatMap(({ subnet }) => subnet ?? []);
      return async (placement) =>
        !subnets.some((subnet) => overlaps(subnet, placement.subnet)) &&
        assertFree(placement).then(() => true, takenAsFalse);
    },
    ping: () => engine.ping(),
    space: () => spaceOf(engine, dataDir),
    watch: (onChange) => watch(engine, scope, onChange),
    observe: ({ key }) => observe(engine, scope, key),
    observeAll: () => observeAll(engine, scope),
    revision: revisionOf(files, settings),
    hashesOf: (spec) => render(spec).hashes,
    containersOf({ name }) {
      const { odoo, db } = resourceNames(scope, name);
      return { odoo, db };
    },

    async ensureNetwork(spec) {
      const { names, labels, placement } = render(spec);
      try {
        await engine.createNetwork(names.network, labels, sharedOut(placement.subnet));
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        const networks = await engine.listNetworks([`${LABEL.scope}=${scope}`]);
        const found = networks.find(({ name }) => name === names.network);
        assertOurs(`network ${names.network}`, found?.labels, containers.identity(spec));
      }
    },

    fill,
    startDb: (spec) => start(spec, 'db'),
    startOdoo,

    async startBoth(spec) {
      // Should Odoo be the faster one after all, it ends, and the restart policy starts it again.
      await allDone([start(spec, 'db'), startOdoo(spec)]);
    },

    async applyLimits(spec) {
      const rendered = render(spec);
      const update = async (role: Role): Promise<void> => {
        const resources = resourcesOf(rendered.services[role]);
        for (const { Id } of await containers.list(spec, role)) await engine.updateContainer(Id, resources);
      };
      await allDone([
        update('db'),
        update('odoo'),
        writeLimits({ engine, files, release: spec.release }, rendered),
        writeDown(spec),
      ]);
    },

    async applySettings(spec) {
      const rendered = render(spec);
      const context = { engine, files, release: spec.release };
      await allDone([
        writeSettings(context, rendered, spec, secretsOf(spec.key)),
        writeLimits(context, rendered),
        writeDown(spec),
      ]);
    },

    setSecrets: (spec, { admin }) =>
      writeSecrets({ engine, files, release: spec.release }, render(spec), secretsOf(spec.key), { admin }),

    measure: (spec) => measureUsage({ engine, files, release: spec.release }, render(spec), secretsOf(spec.key)),

    exportData(spec, file) {
      const { release, storageGb } = spec;
      return exportInstance({ engine, files, release, mostBytes: copyLimitBytes(storageGb) }, render(spec), file);
    },

    copyVolumes(spec, file) {
      const { release, storageGb } = spec;
      return copyVolumes({ engine, files, release, mostBytes: copyLimitBytes(storageGb) }, render(spec), file);
    },

    copyLeft(spec, file) {
      const { release, storageGb } = spec;
      return copyLeft({ engine, files, release, mostBytes: copyLimitBytes(storageGb) }, render(spec), file);
    },

    async lastVisit(instance) {
      const [odoo] = await containers.list(instance, 'odoo');
      return odoo ? engine.fileChangedAt(odoo.Id, VISITED_FILE) : null;
    },

    endLeftTasks: () => endLeftTasks(engine, scope),

    stopOdoo: (instance) => containers.stop(instance, 'odoo'),
    stopDb: (instance) => containers.stop(instance, 'db'),

    async awaitReady(spec, { login, timeoutMs }) {
      const { httpPort } = spec.placement;
      await awaitLoginPage(settings.reachAddress, httpPort, timeoutMs);
      if (login)
        await assertLogin(settings.reachAddress, httpPort, adminLogin(spec), secretsOf(spec.key).adminPassword);
    },

    removeContainers: (instance) => containers.remove(instance),

    async removeVolumes(instance) {
      const found = await engine.listVolumes(containers.ours(instance));
      await Promise.all(found.map((volume) => removeBusy(() => engine.removeVolume(volume.name))));
      await removeFolder(dataDir, instance.name);
    },

    async removeOthers(spec) {
      const { pgdata, filestore, config } = render(spec).names;
      const found = await engine.listVolumes(containers.ours(spec));
      const others = found.filter(({ name }) => ![pgdata, filestore, config].includes(name));
      for (const { name } of others) await removeBusy(() => engine.removeVolume(name));
    },

    async removeNetwork(instance) {
      const found = await engine.listNetworks(containers.ours(instance));
      await Promise.all(found.map((network) => removeBusy(() => engine.removeNetwork(network.id))));
    },

    async memoryBytes({ key }) {
      const observed = await observe(engine, scope, key);
      const [db, odoo] = await Promise.all(
        [observed.db, observed.odoo].map((container) => (container?.running ? engine.memoryBytes(container.id) : null)),
      );
      return { db: db ?? null, odoo: odoo ?? null };
    },
  };
}

function takenAsFalse(error: unknown): false {
  if (error instanceof PlaceTakenError) return false;
  throw error;
}

/** Waits for all of them, also when one fails; then throws the first failure. */
async function allDone(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}
