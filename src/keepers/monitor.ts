/**
 * Does the engine answer, and does what should run run. The engine tells what happens; beside that a few instances are
 * looked at each time, one after the other round all of them: what a look costs does not grow with how many there are.
 */

import { containersWanted } from '../instance/phase.js';
import type { ContainerChange, Runtime, Watch } from '../instance/ports.js';
import type { Instance, Observed } from '../instance/types.js';
import { isWorthTelling } from '../lib/backoff.js';
import type { Clock } from '../lib/clock.js';
import { isStopped, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { createPatience } from '../lib/patience.js';
import { engineAway } from '../owed/managers.js';
import { logOperation } from '../owed/operations.js';
import type { Store } from '../store/store.js';
import { DAY_MS } from '../subscription/calendar.js';
import { createDeaths, TOO_MANY_DEATHS } from './deaths.js';

const AWAY_INTERVAL_MS = 5_000;
/** When managers are told that the engine is away. */
const AWAY_TOLD_MS = 15 * 60_000;
/** So many instances are looked at each time. */
const SLICE = 20;
/** Between two slices of a round that looks for what happened while the engine did not tell. */
const CATCH_UP_MS = 100;
/** An engine that ends all its containers ends the connection before so long: then none of them has died. */
const SETTLE_MS = 3_000;

export interface MonitorOptions {
  runtime: Pick<Runtime, 'ping' | 'observe' | 'watch'>;
  store: Store;
  clock: Clock;
  log: Log;
  /** Between two looks, milliseconds. */
  intervalMs: number;
  /** Its database runs on purpose, though it is down. */
  isOpen?: (instanceKey: string) => boolean;
  /** See SETTLE_MS; for tests. */
  settleMs?: number;
}

export interface EngineCheck {
  ok: boolean;
  detail: string;
}

export interface Monitor extends Loop {
  /** The result of the last look. */
  engineCheck(): EngineCheck;
}

function driftOf(instance: Instance, { db, odoo }: Observed): { event: string; reason: string } | null {
  const containers = containersWanted(instance);
  if (containers === 'up' && !(db?.running && odoo?.running)) {
    return { event: 'instance.found_stopped', reason: 'should run and does not' };
  }
  if (containers === 'down' && (db?.running || odoo?.running)) {
    return { event: 'instance.found_running', reason: 'should not run and does' };
  }
  return null;
}

/** It was taken up or put down meanwhile. */
function isAnother(now: Instance | null, before: Instance): boolean {
  return now?.phase !== before.phase || containersWanted(now) !== containersWanted(before);
}

export function startMonitor({
  runtime,
  store,
  clock,
  log,
  intervalMs,
  isOpen = () => false,
  settleMs = SETTLE_MS,
}: MonitorOptions): Monitor {
  const deaths = createDeaths(clock);
  /** How often each was put right, and when: the record is told ever more seldom. */
  const putRight = new Map<string, { times: number; at: number }>();
  let watch: Watch | null = null;
  /** What the engine has told since and is not looked at yet. */
  let changes = new Map<string, { at: number; died: boolean }>();
  /** Where the round is. */
  let cursor = '';
  let nextSliceAt = 0;
  /** The first round after a connection: what is down may be down because the engine was. */
  let isCatchingUp = true;
  let check: EngineCheck = { ok: false, detail: 'the engine has not been asked yet' };
  const away = createPatience(AWAY_TOLD_MS, clock, (since, error) =>
    store.outbox.put(engineAway(since, messageOf(error)), 'engine'),
  );

  function hear({ key, died }: ContainerChange): void {
    // What a worker stops has not died.
    const isDeath = died && !store.jobs.isInHand(key);
    changes.set(key, { at: performance.now(), died: isDeath || changes.get(key)?.died === true });
    loop.wake();
  }

  /** Nothing is known of what happened before; nor whether the engine itself was restarted. */
  async function connect(): Promise<void> {
    if (watch) return;
    const opened = await runtime.watch(hear);
    watch = opened;
    startOver();
    void opened.ended.then(() => {
      if (watch === opened) watch = null;
      startOver();
      loop.wake();
    });
  }

  function startOver(): void {
    changes = new Map();
    cursor = '';
    nextSliceAt = 0;
    isCatchingUp = true;
  }

  async function look(stopping: AbortSignal): Promise<number> {
    try {
      await runtime.ping();
      await connect();
      if (!check.ok) log.info('engine.reached', 'The Docker engine answers.');
      check = { ok: true, detail: 'the Docker engine answers' };
      away.done();
      await lookAtChanges(stopping);
      if (performance.now() >= nextSliceAt) await lookAtSlice(stopping);
      return Math.max(0, Math.min(nextSliceAt, nextSettledAt()) - performance.now());
    } catch (error) {
      if (check.ok && !isStopped(error))
        log.error('engine.unreachable', 'The Docker engine does not answer; work waits.', errorFields(error));
      check = { ok: false, detail: `the Docker engine does not answer: ${messageOf(error)}` };
      away.failed(error);
      watch?.close();
      watch = null;
      startOver();
      return AWAY_INTERVAL_MS;
    }
  }

  function nextSettledAt(): number {
    return Math.min(...[...changes.values()].map(({ at }) => at + settleMs));
  }

  async function lookAtChanges(stopping: AbortSignal): Promise<void> {
    const settled = [...changes].filter(([, { at }]) => performance.now() - at >= settleMs);
    for (const [key, { died }] of settled) {
      if (stopping.aborted) break;
      changes.delete(key);
      await lookAt(key, died ? 'died' : 'told');
    }
  }

  async function lookAtSlice(stopping: AbortSignal): Promise<void> {
    const keys = store.instances.keysAfter(cursor, SLICE);
    for (const key of keys) {
      if (stopping.aborted) break;
      // What the engine told of it is looked at in its time: one death counts once.
      if (!changes.has(key)) await lookAt(key, isCatchingUp ? 'after_outage' : 'round');
      cursor = key;
    }
    if (keys.length < SLICE && !stopping.aborted) {
      cursor = '';
      isCatchingUp = false;
    }
    nextSliceAt = performance.now() + (isCatchingUp ? Math.min(intervalMs, CATCH_UP_MS) : intervalMs);
  }

  /** @param why it died, as the engine told; something of it changed; it is its turn; the engine was away before. */
  async function lookAt(key: string, why: 'died' | 'told' | 'round' | 'after_outage'): Promise<void> {
    // A worker has it, or it failed and waits for its next try: looking again would only defeat the back-off.
    if (store.jobs.isInHand(key)) return;
    const instance = store.instances.get(key);
    const wanted = instance && containersWanted(instance);
    if (!instance || wanted === 'any' || (wanted === 'down' && isOpen(key))) return;
    const found = await runtime.observe(instance);
    if (store.jobs.isInHand(key) || isAnother(store.instances.get(key), instance)) return;
    const { name } = instance;
    const mustRun = wanted === 'up';
    const drift = driftOf(instance, found);
    if (drift) enqueue(key, name, drift);
    // The engine starts it again and again, or has not told of it.
    const isDown =
      why === 'round' && (drift !== null || found.odoo?.restarting === true || found.db?.restarting === true);
    if (mustRun && (why === 'died' || isDown) && deaths.count(key)) makeAnew(key, name);
  }

  function enqueue(key: string, name: string, { event, reason }: { event: string; reason: string }): void {
    const now = clock().getTime();
    const before = putRight.get(key);
    const times = before && now - before.at < DAY_MS ? before.times + 1 : 1;
    putRight.set(key, { times, at: now });
    store.jobs.enqueue(key, { reason });
    log.warn(event, `${name} ${reason}: it is put right.`, { instance: name, times });
    if (isWorthTelling(times)) store.outbox.put(logOperation(key, clock(), [`It ${reason}: it is put right.`]), key);
  }

  function makeAnew(key: string, name: string): void {
    store.operations.begin(key, 'rebuild', 'recovery');
    store.jobs.enqueue(key, { reason: 'it keeps dying' });
    log.warn('instance.keeps_dying', `${name} died ${TOO_MANY_DEATHS} times: it is made anew from its volumes.`, {
      instance: name,
    });
  }

  const loop = startLoop(look, (error) =>
    log.error('monitor.failed', 'Looking at the engine failed.', errorFields(error)),
  );
  return {
    wake() {
      nextSliceAt = 0;
      loop.wake();
    },
    async stop() {
      await loop.stop();
      watch?.close();
    },
    engineCheck: () => check,
  };
}
