/** Starts what works by itself, in order, and stops it. What it is made of is put together in wiring.ts. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './config/config.js';
import { startDeliverer } from './delivery/deliverer.js';
import { createLastingWrites } from './delivery/lasting.js';
import { createApp } from './http/app.js';
import { ageOf, calendarCheck, masterCheck, outboxCheck, workCheck } from './http/checks.js';
import { close, listen } from './http/listen.js';
import { startPoller } from './intake/poller.js';
import { startBeside } from './keepers/beside.js';
import { startClockKeeper } from './keepers/clock.js';
import { removeOldExports } from './keepers/exports.js';
import { startFrontKeeper } from './keepers/front.js';
import { startMonitor } from './keepers/monitor.js';
import { startNightly } from './keepers/nightly.js';
import { type SpaceKeeper, startSpace } from './keepers/space.js';
import { startTemplateKeeper } from './keepers/templates.js';
import { startUsage } from './keepers/usage.js';
import { BridgeError } from './lib/errors.js';
import { errorFields, type Log } from './lib/logger.js';
import { once } from './lib/once.js';
import { createStop } from './lib/stop.js';
import { stuckInstances } from './reconcile/figures.js';
import { enqueueOutdated } from './reconcile/outdated.js';
import { startWorker } from './reconcile/worker.js';
import { setStoreAside } from './store/database.js';
import { lockStore } from './store/lock.js';
import { releaseIn, type Seams, wire } from './wiring.js';

/** The part of the stop's time in which work under way may still be finished; the rest is for what is owed and for closing. */
const WORKING_PART = 0.7;
/** To tell the master that another daemon need not wait. */
const LEAVE_MS = 2_000;

export interface Daemon {
  /** Where `/health` answers. */
  httpPort: number;
  /** Resolves, with the reason, when it must not go on: somebody stops it then. */
  readonly ended: Promise<BridgeError>;
  /** Finishes what is under way and can be in time, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts the daemon. A master or an engine that is away is waited for, not an error.
 * @throws TerminalError when the data folder is in use or unusable, the scope on the engine is another daemon's, the key
 *   is not the one of its instances, or the HTTP port is taken.
 */
export async function startDaemon(config: Config, log: Log, version: string, seams: Seams = {}): Promise<Daemon> {
  let current: Daemon | null = null;
  let change: Promise<void> = Promise.resolve();
  let isStopping = false;
  let end: (reason: BridgeError) => void = () => undefined;
  const ended = new Promise<BridgeError>((resolve) => {
    end = resolve;
  });

  async function start(): Promise<Daemon> {
    // It may be found before the start has ended.
    const started = startOnce(config, log, version, seams, () => {
      change = started.then(startOver).catch((error: unknown) => {
        log.error('store.not_rebuilt', 'The daemon could not start again; restart it.', errorFields(error));
        if (error instanceof BridgeError) end(error);
      });
    });
    const daemon = await started;
    void daemon.ended.then(end);
    return daemon;
  }
  /** The store is an older one than the master knows: what it says is no longer so. */
  async function startOver(daemon: Daemon): Promise<void> {
    if (isStopping) return;
    current = null;
    await daemon.stop();
    const aside = setStoreAside(config.storePath, new Date());
    log.warn('store.set_aside', 'The store was an older one than the master knows; it is built anew.', { file: aside });
    current = await start();
  }

  current = await start();
  const { httpPort } = current;
  return {
    httpPort,
    ended,
    async stop() {
      isStopping = true;
      await change;
      await current?.stop();
    },
  };
}

async function startOnce(
  config: Config,
  log: Log,
  version: string,
  seams: Seams,
  onBehind: () => void,
): Promise<Daemon> {
  const startedAt = new Date();
  const lock = lockStore(config.dataDir);
  const stopper = createStop();
  const parts = await wire(config, log, stopper, seams).catch((error: unknown) => {
    lock.release();
    throw error;
  });
  const { clock, store, ownership, runtime, master, metrics, front, guard, bond, reconciler } = parts;
  const released = store.jobs.releaseAll() + store.outbox.releaseAll();
  if (released > 0) log.info('daemon.resumed', `Went on with ${released} pieces of work that a stop had cut off.`);

  bond.onRefused((code, sentence) => {
    log.error('master.refuses', `${sentence}.`, { reason: code, advice: 'See what poll.failed says.' });
    if (code === 'daemon_behind') onBehind();
  });
  const clockKeeper = startClockKeeper({ store, clock, log });
  const outdated = enqueueOutdated(store, parts.specOf);
  if (outdated > 0) log.info('daemon.outdated', `${outdated} instances are told a new address, or get new passwords.`);

  const { outbox } = store;
  const onFailure = createLastingWrites(store, clock);
  const deliverer = startDeliverer({ outbox, push: master.push, complete: parts.complete, onFailure, clock, log });
  const frontKeeper = await startFrontKeeper({ store, front });
  const settings = { release: releaseIn(config), languages: config.instances.languages };
  const templates = startTemplateKeeper({ store, templates: parts.templates, settings, clock, log });
  const monitor = startMonitor({
    ...{ store, clock, log, intervalMs: config.monitorIntervalMs },
    runtime: {
      // Another daemon may have taken the scope over.
      async ping() {
        await runtime.ping();
        await ownership.look();
      },
      observe: runtime.observe,
      watch: runtime.watch,
    },
    isOpen: parts.isOpen,
  });
  const poller = startPoller({
    ...{ master, ingest: parts.ingest, store, ...config.poll, clock, log, metrics },
    onRead: guard.heard,
  });
  metrics.lastPollAge(() => ageOf(poller.lastPolledAt()));
  metrics.calendarWaits(() => guard.objection() !== null);
  const endLeftTasks = once(async () => {
    const count = await runtime.endLeftTasks();
    if (count > 0) log.info('daemon.tasks_ended', `Ended ${count} tasks that a daemon which died had left.`);
  });
  const worker = startWorker({
    jobs: store.jobs,
    async reconcile(key, outside) {
      // Whoever paid while the daemon slept is not suspended for a moment, nor reminded.
      await poller.looked();
      bond.assertMayWork();
      await endLeftTasks();
      return reconciler.reconcile(key, outside);
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
      reconciler.fail(job, error);
    },
    clock,
    log,
    concurrency: config.concurrency,
  });
  const nightly = startNightly({
    ...{ store, clock, log, timeZone: config.policy.timeZone },
    chores: () => removeOldExports(config.exports, clock, log),
  });
  const space: SpaceKeeper = startSpace({
    ...{ space: runtime.space, intervalMs: config.monitorIntervalMs, store, clock, log },
    onLow: () => usage.wake(),
  });
  metrics.diskFree(space.free);
  const usage = startUsage({
    ...{ store, measure: runtime.measure, specOf: parts.specOf, intervalMs: config.usageIntervalMs, clock, log },
    isPressing: space.isLow,
  });
  store.bell.on('jobs', () => worker.wake());
  store.bell.on('outbox', () => deliverer.wake());
  const beside = startBeside({ store, log, wakes: [worker, deliverer] });
  const backups = [...parts.startBackups(), parts.startDomains()];
  store.bell.on('plans', () => templates.wake());

  const app = createApp({
    version,
    startedAt,
    registry: metrics.registry,
    readiness: () => ({
      master: masterCheck(poller, config.poll.intervalMs + config.odoo.timeoutMs),
      engine: monitor.engineCheck(),
      disk: space.check(),
      calendar: calendarCheck(guard),
      outbox: outboxCheck(store.outbox.backlog(clock())),
      work: workCheck(stuckInstances(store, clock)),
    }),
  });
  let server: Server | null = null;
  server = await listen(createServer(app), config.http).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const httpPort = (server.address() as AddressInfo).port;
  log.info('daemon.started', `Watching ${config.odoo.url}; health at http://${config.http.host}:${httpPort}/health.`, {
    version,
    scope: config.instances.scope,
    dataDir: config.dataDir,
    instances: store.instances.all().length,
  });

  async function stop(): Promise<void> {
    stopper.tell();
    const hurry = setTimeout(() => stopper.hurry(), config.stopTimeoutMs * WORKING_PART);
    // The master is read and `/health` answers for as long as anything is under way.
    await Promise.all([worker, templates, usage, ...backups].map((loop) => loop.stop()));
    await parts.exported();
    clearTimeout(hurry);
    await Promise.all([beside, clockKeeper, poller, monitor, space, nightly].map((loop) => loop.stop()));
    frontKeeper.stop();
    await front.stop();
    // Last: what the running jobs report is delivered where the master answers, and kept where it does not.
    await deliverer.stop();
    const left = poller.lastError() === null && master.leave(bond.caller()).catch(() => undefined);
    await Promise.race([left, sleep(LEAVE_MS)]);
    await parts.client.close();
    await close(server);
    store.close();
    lock.release();
  }

  return {
    httpPort,
    ended: ownership.lost,
    async stop() {
      const inTime = stop().then(() => true);
      if (await Promise.race([inTime, sleep(config.stopTimeoutMs, false, { ref: false })])) {
        log.info('daemon.stopped', 'Stopped; instances keep running.');
      } else log.warn('daemon.cut_off', 'Stopped before all was done; the next start goes on with it.');
    },
  };
}
