/** The composition root: builds the parts, starts and stops them in order. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from './config/config.js';
import { completeOperation } from './delivery/completion.js';
import { startDeliverer } from './delivery/deliverer.js';
import { pausedInstance } from './facts/paused.js';
import { createDoors } from './front/doors.js';
import { createApp } from './http/app.js';
import { createIngest } from './intake/ingest.js';
import { type Poller, startPoller } from './intake/poller.js';
import { exportFileOf, removeOldExports } from './keepers/exports.js';
import { startMonitor } from './keepers/monitor.js';
import { startNightly } from './keepers/nightly.js';
import { startTemplateKeeper } from './keepers/templates.js';
import { startUsage } from './keepers/usage.js';
import { systemClock } from './lib/clock.js';
import { BridgeError } from './lib/errors.js';
import { errorFields, type Log } from './lib/logger.js';
import { createMetrics } from './lib/metrics.js';
import { createRuntime } from './reconcile/executors.js';
import { createReconciler } from './reconcile/reconciler.js';
import { startWorker } from './reconcile/worker.js';
import { lockStore } from './store/lock.js';
import { openStore } from './store/store.js';
import { connectMaster, createFleet, urlOf } from './wiring.js';

export interface Daemon {
  /** Where `/health` answers. */
  httpPort: number;
  /** Finishes what is under way, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts the daemon. A master or an engine that is away is waited for, not an error.
 * @throws TerminalError when the data folder is in use or unusable, or the HTTP port is taken.
 */
export async function startDaemon(config: Config, log: Log, version: string): Promise<Daemon> {
  const startedAt = new Date();
  const clock = systemClock(config.clockOffset);
  const lock = lockStore(config.dataDir);
  const store = openStore(config.storePath, { clock });
  const { engine, instances } = await createFleet(config);
  const { client, master } = connectMaster(config, log);
  const released = store.jobs.releaseAll() + store.outbox.releaseAll();
  if (released > 0) log.info('daemon.resumed', `Went on with ${released} pieces of work that a stop had cut off.`);

  const metrics = createMetrics({
    instancesByPhase: () => store.instances.countByPhase(),
    jobsWaiting: () => store.jobs.countDue(clock()),
    outbox: () => store.outbox.backlog(clock()),
    lastPollAgeMs: () => ageOf(poller.lastPolledAt()),
  });
  const addressOf = (name: string, slot: number) => urlOf(config, name, slot);
  const notices = { store, instances, master, policy: config.policy, clock, urlOf: addressOf };
  const deliverer = startDeliverer({
    outbox: store.outbox,
    push: (operations) => master.push(operations),
    complete: (operation) => completeOperation(operation, notices),
    clock,
    log,
  });
  const { scope, portBase, maxSlots, bindAddress } = config.instances;
  const doors = createDoors({
    address: bindAddress,
    pausedOf: (key) => pausedInstance(store, portBase, key),
    log,
  });
  await Promise.all(store.instances.all().map(({ key }) => doors.follow(key)));
  const releasePort = (port: number) => doors.release(port);
  const runtime = createRuntime({ instances, store, scope, portBase, maxSlots, releasePort, log });
  const reconciler = createReconciler({
    store,
    runtime,
    readAfresh: () => poller.readAfresh(),
    exportFile: (instance) => exportFileOf(config.exports, instance),
    exportDays: config.exports.keptDays,
    policy: config.policy,
    urlOf: addressOf,
    clock,
    log,
    metrics,
    onOutbox: () => deliverer.wake(),
  });
  const { odooImage, postgresImage, languages } = config.instances;
  const templates = startTemplateKeeper({
    store,
    templates: instances.templates,
    settings: { odooImage, postgresImage, languages },
    log,
  });
  const monitor = startMonitor({
    engine,
    instances,
    store,
    clock,
    log,
    intervalMs: config.monitorIntervalMs,
    onDrift: () => worker.wake(),
  });
  const poller = startPoller({
    master,
    ingest: createIngest({ store, policy: config.policy, firstToExpire: config.firstToExpire, clock, log }),
    store,
    intervalMs: config.poll.intervalMs,
    fullIntervalMs: config.poll.fullIntervalMs,
    log,
    metrics,
    onPolled(plansChanged) {
      if (plansChanged) templates.wake();
      worker.wake();
      deliverer.wake();
    },
  });
  // After the poller: its first job may be a deletion, which asks for a fresh look at once.
  const worker = startWorker({
    jobs: store.jobs,
    async reconcile(key) {
      // Whoever paid while the daemon slept is not suspended for a moment, nor reminded.
      await poller.looked();
      const nextRunAt = await reconciler.reconcile(key);
      monitor.restarted(key);
      await doors.follow(key);
      return nextRunAt;
    },
    onFailure(job, error, retryAt) {
      const terminal = error instanceof BridgeError && !error.retryable;
      const instance = store.instances.get(job.instanceKey)?.name ?? job.instanceKey;
      metrics.reconciles.inc({ result: terminal ? 'terminal' : 'retry' });
      log[terminal ? 'error' : 'warn'](
        terminal ? 'instance.failed' : 'instance.delayed',
        terminal ? `${instance} needs a person.` : `${instance} is tried again at ${retryAt.toISOString()}.`,
        { instance, attempt: job.attempts + 1, ...errorFields(error) },
      );
      reconciler.fail(job.instanceKey, error);
      void doors.follow(job.instanceKey);
    },
    clock,
    log,
    concurrency: config.concurrency,
  });
  const nightly = startNightly({
    store,
    clock,
    log,
    timeZone: config.policy.timeZone,
    chores: () => removeOldExports(config.exports, clock, log),
    onOutbox: () => deliverer.wake(),
  });
  const usage = startUsage({
    store,
    measure: (spec) => runtime.measure(spec),
    specOf: reconciler.specOf,
    intervalMs: config.usageIntervalMs,
    clock,
    log,
    onOutbox: () => deliverer.wake(),
    onLimit: () => worker.wake(),
  });

  const app = createApp({
    version,
    startedAt,
    registry: metrics.registry,
    readiness: () => ({
      master: masterCheck(poller, config.poll.intervalMs + config.odoo.timeoutMs),
      engine: monitor.engineCheck(),
      outbox: outboxCheck(store.outbox.backlog(clock())),
    }),
  });
  const server = await listen(createServer(app), config.http).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const httpPort = (server.address() as AddressInfo).port;
  log.info('daemon.started', `Watching ${config.odoo.url}; health at http://${config.http.host}:${httpPort}/health.`, {
    version,
    scope,
    dataDir: config.dataDir,
    instances: store.instances.all().length,
  });

  async function stop(): Promise<void> {
    await Promise.all([...[poller, worker, monitor, templates, nightly, usage].map((part) => part.stop())]);
    await doors.stop();
    // Last: what the running jobs report is delivered where the master answers, and kept where it does not.
    await deliverer.stop();
    await client.close();
    store.close();
    lock.release();
  }

  return {
    httpPort,
    async stop() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await stop();
      log.info('daemon.stopped', 'Stopped; instances keep running.');
    },
  };
}

function masterCheck({ lastPolledAt, lastError }: Poller, lateAfterMs: number) {
  const age = ageOf(lastPolledAt());
  const seen = age === null ? 'the master has not been read yet' : `last read ${Math.round(age / 1000)} s ago`;
  const error = lastError();
  return { ok: age !== null && age <= Math.max(30_000, 3 * lateAfterMs), detail: error ? `${seen}: ${error}` : seen };
}

function outboxCheck({ count, oldestAgeMs, deadLetters }: { count: number; oldestAgeMs: number; deadLetters: number }) {
  const detail = `${count} writes owed to the master, the oldest for ${Math.round(oldestAgeMs / 1000)} s; ${deadLetters} refused`;
  return { ok: oldestAgeMs < 600_000, detail };
}

function ageOf(time: number | null): number | null {
  return time === null ? null : Date.now() - time;
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
