/**
 * From the configuration to the parts: the one place where adapters are made and put together. `Seams` is where tests
 * and the fault run hand in trouble: engine, master and store each have one funnel through which everything goes.
 */
import { AsyncResource } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { cpus, hostname } from 'node:os';
import PQueue from 'p-queue';
import { repositoriesIn } from './backup/repositories.js';
import type { Target } from './backup/target.js';
import type { Config } from './config/config.js';
import { completeOperation } from './delivery/completion.js';
import { certificatesAt } from './dns/certificate.js';
import { createDns } from './dns/look.js';
import { createEngine, type Engine } from './docker/engine/engine.js';
import { createFleet, type Fleet } from './docker/fleet.js';
import { createMarker } from './docker/marker.js';
import { sellersHosts } from './domains/name.js';
import { addressesBy } from './facts/address.js';
import { pausedInstance } from './facts/paused.js';
import { ownHost, routesTo } from './facts/route.js';
import { specReader } from './facts/spec-of.js';
import { createDoors } from './front/doors.js';
import { createEdge } from './front/edge.js';
import { DEFAULT_SCOPE, scopePrefix } from './instance/naming.js';
import { fingerprintOf } from './instance/ownership.js';
import type { Release } from './instance/release.js';
import { deriveSecrets } from './instance/secrets.js';
import { createGuard } from './intake/guard.js';
import { createIngest, type Ingest } from './intake/ingest.js';
import { createLook } from './intake/look.js';
import { createBackupMaker } from './keepers/backup-maker.js';
import { startRemovals } from './keepers/backup-removals.js';
import { startBackups } from './keepers/backups.js';
import { startDomains } from './keepers/domains.js';
import { copiesIn } from './keepers/exports.js';
import { wakerIn } from './keepers/front.js';
import { createOpenDatabases } from './keepers/open-databases.js';
import { createOwnership, secretKeyIn } from './keepers/ownership.js';
import { startProofs } from './keepers/proofs.js';
import { startRestores } from './keepers/restores.js';
import { type Clock, systemClock } from './lib/clock.js';
import { TerminalError } from './lib/errors.js';
import { after, type Intercept } from './lib/intercept.js';
import type { Log } from './lib/logger.js';
import { createMetrics } from './lib/metrics.js';
import type { Stop } from './lib/stop.js';
import { createOdooClient } from './odoo/client.js';
import { createMaster } from './odoo/master.js';
import type { Bond } from './protocol/bond.js';
import type { PushOperation } from './protocol/push.js';
import { storeFigures } from './reconcile/figures.js';
import { createReconciler } from './reconcile/reconciler.js';
import { storedBond } from './store/bond.js';
import { readDaemonKey } from './store/daemon-key.js';
import { ensureOwnerId } from './store/owner-id.js';
import { openStore, type Store } from './store/store.js';

/** Of this process. */
const RUN = randomBytes(8).toString('hex');

/** Everything that is asked of the world passes one of these; absent, it passes untouched. */
export interface Seams {
  /** Each call to the engine: `start container …`. */
  engine?: Intercept;
  /** Each call to the master: `saas.bridge.push`. */
  master?: Intercept;
  /** Each statement on the store, before it is run. */
  store?(sql: string, values: unknown[]): void;
  /** Each step of an instance: `startDb acme`. */
  step?: Intercept;
  clock?: Clock;
}

/** @param stop ends what is under way there. */
function connectEngine({ docker }: Config, intercept?: Intercept, stop?: Stop): Engine {
  const { socketPath, timeoutMs } = docker;
  return createEngine({ socketPath, timeoutMs, ...(intercept ? { intercept } : {}), ...(stop ? { stop } : {}) });
}

/** Says whose the scope is. */
export function openMarker(config: Config, seams: Seams = {}) {
  return createMarker(connectEngine(config, seams.engine), config.instances.scope);
}

/** For the commands that look at the engine beside the daemon: there may be no key yet. */
export async function openFleet(config: Config): Promise<Fleet> {
  return fleetWith(config, await readDaemonKey(secretKeyIn(config.dataDir)), connectEngine(config));
}

function fleetWith(config: Config, key: Buffer | null, engine: Engine): Promise<Fleet> {
  const { instances: settings, policy } = config;
  return createFleet({
    engine,
    capacity: settings.maxSlots,
    secretsOf(instanceKey) {
      if (key) return deriveSecrets(key, instanceKey);
      throw new TerminalError('key.none', 'there is no secret.key yet', 'The first start of the daemon makes it.');
    },
    dataDir: config.dataDir,
    templateScope: DEFAULT_SCOPE,
    backupImage: config.backups.image,
    settings: {
      scope: settings.scope,
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
  });
}

/** Where the backups go: a volume of the scope where nothing else is said. */
export function targetOf({ backups, instances: { scope } }: Config): Target {
  return backups.target ?? { kind: 'volume', volume: `${scopePrefix(scope)}saas_backups` };
}

/** Where the backups of each instance are. */
export function repositoriesOf(config: Config, key: Buffer) {
  const { backups, instances } = config;
  const target = targetOf(config);
  const secretsOf = (instanceKey: string) => deriveSecrets(key, instanceKey);
  const { credentials } = backups;
  return repositoriesIn({ target, credentials, scope: instances.scope, fingerprint: fingerprintOf(key), secretsOf });
}

/** The client of the master. */
export function connectMaster(config: Config, log?: Log, seams: Seams = {}, bond: Bond | null = null) {
  const { url, db, login, apiKey, timeoutMs } = config.odoo;
  const client = createOdooClient({
    ...{ url, db, login, apiKey, timeoutMs, maxConcurrent: 4 },
    ...(log ? { log } : {}),
    ...(seams.master ? { intercept: seams.master } : {}),
  });
  return { client, master: createMaster(client, bond) };
}

/** Takes what a poll brought into a store, as the daemon does. */
export function ingestInto(store: Store, { policy, firstToExpire }: Config, clock: Clock, log: Log): Ingest {
  return createIngest({ store, policy, firstToExpire, clock, log });
}

/** What a plan runs that says nothing else. */
export function releaseIn({ instances: { odooImage, postgresImage } }: Config): Release {
  return { odooImage, postgresImage, addons: [] };
}

/** Everything that only works when it is asked; the daemon starts and stops what works by itself. */
export type Parts = Awaited<ReturnType<typeof wire>>;

/** @param stop how the daemon stops. */
export async function wire(config: Config, log: Log, stop: Stop, seams: Seams = {}) {
  const clock = seams.clock ?? systemClock(config.clockOffset);
  const store = openStore(config.storePath, { clock, ...(seams.store ? { intercept: seams.store } : {}) });
  const ownership = createOwnership({
    ...{ scope: config.instances.scope, dataDir: config.dataDir, store, log },
    marker: openMarker(config, seams),
  });
  const daemonKey = await ownership.begin().catch((error: unknown) => {
    store.close();
    throw error;
  });
  const engine = connectEngine(config, after(ownership.verified, seams.engine), stop);
  const { runtime, templates, secretsOf, backups } = await fleetWith(config, daemonKey, engine);
  store.placements.complete(runtime.placementAt);
  const bond = storedBond(store.meta, { daemon: await ensureOwnerId(config.dataDir), host: hostname(), run: RUN });
  const { client, master } = connectMaster(config, log, seams, bond);
  const { policy } = config;
  const addressOf = addressesBy(config.instances.urlTemplate);
  const specOf = specReader(addressOf);
  const metrics = createMetrics(storeFigures(store, clock));
  const address = config.instances.bindAddress;
  const doors = createDoors({
    address,
    pausedOf: (key) => pausedInstance(store, key),
    wake: wakerIn(store, clock),
    log,
  });
  const { dir, shop } = config.edge;
  const routesOf = (key: string) => routesTo(store, addressOf, key);
  const front =
    dir === null ? doors : createEdge({ ...{ dir, doors, shop, routesOf, log }, address: reachable(address) });
  const ingest = ingestInto(store, config, clock, log);
  const clockOffsetMs = config.clockOffset?.toMillis() ?? 0;
  const guard = createGuard({ jobs: store.jobs, clock, clockOffsetMs, refusal: bond.refusal, log });
  const exports = new PQueue({ concurrency: 1 });
  const { open: openDatabase, isOpen } = createOpenDatabases(store, runtime, stop.told);
  const { hours, concurrency } = config.backups;
  const night = hours && { ...hours, timeZone: policy.timeZone };
  const forBackups = { store, backups, specOf, repositoryOf: repositoriesOf(config, daemonKey), night, clock, log };
  const maker = createBackupMaker({ ...forBackups, openDatabase, metrics });
  const completion = { store, secretsOf, master, policy, clock, addressOf };
  return {
    ...{ clock, store, ownership, runtime, templates, client, master, specOf, metrics, front, ingest, guard, bond },
    /** Resolves when no copy is written. */
    exported: () => exports.onIdle(),
    isOpen,
    /** Looks at the names of their own that customers want. */
    startDomains: () =>
      startDomains({
        ...{ store, clock, log, dns: createDns(config.edge.dnsServers) },
        edge: dir === null ? null : { ...config.edge, awaitCertificate: certificatesAt(config.edge.socket) },
        ownHost: (instance) => ownHost(addressOf, instance),
        sellers: sellersHosts(config.instances.urlTemplate, [config.odoo.url, shop?.host ?? null]),
      }),
    /** Makes the backups, tries and restores them, and removes those whose time is over. */
    startBackups() {
      const keepers = [
        startBackups({ store, maker, concurrency, clock, log }),
        startProofs(forBackups),
        startRestores({ ...forBackups, runtime, backUp: maker.make, copies: copiesIn(config.exports) }),
        startRemovals(forBackups),
      ];
      store.bell.on('instances', () => {
        for (const loop of keepers) loop.wake();
      });
      return keepers;
    },
    complete: (operation: PushOperation) => completeOperation(operation, completion),
    reconciler: createReconciler({
      ...{ store, runtime, front, specOf, policy, clock, log, metrics },
      // The queue would run it on behalf of whoever was before it.
      exportLane: (work) => exports.add(AsyncResource.bind(work)),
      ...(seams.step ? { intercept: seams.step } : {}),
      readAfresh: createLook({ master, store, ingest }),
      mayAct: guard.mayAct,
      release: releaseIn(config),
      copies: copiesIn(config.exports),
      isOpen,
      backUp: maker.makeBefore,
    }),
  };
}

/** An address the daemon can call: a wildcard is published on loopback too. */
function reachable(bindAddress: string): string {
  return bindAddress === '0.0.0.0' ? '127.0.0.1' : bindAddress === '::' ? '::1' : bindAddress;
}
