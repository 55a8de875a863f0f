/** Looks at the engine every so often: does it answer, and does what should run run. */

import { PHASE, type Phase } from '../instance/phase.js';
import type { Runtime } from '../instance/ports.js';
import type { Observed, ObservedContainer } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { isStopped, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { createPatience } from '../lib/patience.js';
import { engineAway } from '../owed/managers.js';
import { logOperation } from '../owed/operations.js';
import type { JobRow } from '../store/jobs.js';
import type { Store } from '../store/store.js';

const AWAY_INTERVAL_MS = 5_000;
/** One that died so often within the window is made anew; starting it again has not helped. */
const TOO_MANY_DEATHS = 3;
const DEATHS_WINDOW_MS = 15 * 60_000;
/** However seldom it looks, so many looks fit into the window. */
const LOOKS_IN_WINDOW = 5;
/** When managers are told that the engine is away. */
const AWAY_TOLD_MS = 15 * 60_000;

export interface MonitorOptions {
  runtime: Pick<Runtime, 'ping' | 'observeAll'>;
  store: Store;
  clock: Clock;
  log: Log;
  /** Between two looks, milliseconds. */
  intervalMs: number;
}

export interface EngineCheck {
  ok: boolean;
  detail: string;
}

export interface Monitor extends Loop {
  /** The result of the last look. */
  engineCheck(): EngineCheck;
  /** The daemon itself has worked on it: that its containers are young is no death. */
  restarted(key: string): void;
}

/** A worker has it, or it failed and waits for its next try: looking again would only defeat the back-off. */
function isInHand({ claimedBy, attempts }: JobRow): boolean {
  return claimedBy !== null || attempts > 0;
}

function driftOf(phase: Phase, found: Observed | undefined): { event: string; reason: string } | null {
  const db = found?.db?.running === true;
  const odoo = found?.odoo?.running === true;
  const { containers } = PHASE[phase];
  if (containers === 'up' && !(db && odoo)) {
    return { event: 'instance.found_stopped', reason: 'should run and does not' };
  }
  if (containers === 'down' && (db || odoo)) {
    return { event: 'instance.found_running', reason: 'should not run and does' };
  }
  return null;
}

/** It ended by itself since the last look: the engine starts it again, or has just done so. */
function hasDied(
  container: ObservedContainer | null | undefined,
  before: string | undefined,
  sinceLastMs: number,
): boolean {
  if (!container?.running) return false;
  if (container.restarting) return true;
  const { upSeconds } = container;
  return container.id === before && upSeconds != null && (upSeconds + 1) * 1000 < sinceLastMs;
}

/** A fixed number of engine calls however many instances there are. */
export function startMonitor({ runtime, store, clock, log, intervalMs }: MonitorOptions): Monitor {
  /** When each running instance was seen to have died, and the containers it had at the last look. */
  const deaths = new Map<string, number[]>();
  let seen = new Map<string, string>();
  let lookedAt = performance.now();
  const windowMs = Math.max(DEATHS_WINDOW_MS, LOOKS_IN_WINDOW * intervalMs);
  let check: EngineCheck = { ok: false, detail: 'the engine has not been asked yet' };

  const away = createPatience(AWAY_TOLD_MS, clock, (since, error) =>
    store.outbox.put(engineAway(since, messageOf(error)), 'engine'),
  );

  function countDeath(key: string): void {
    deaths.set(key, [...(deaths.get(key) ?? []), Date.now()]);
  }

  function isDying(key: string): boolean {
    const recent = (deaths.get(key) ?? []).filter((at) => at > Date.now() - windowMs);
    if (recent.length > 0) deaths.set(key, recent);
    else deaths.delete(key);
    return recent.length >= TOO_MANY_DEATHS;
  }

  async function look(): Promise<number> {
    try {
      await runtime.ping();
      const busy = store.jobs.all().filter(isInHand);
      const observed = await runtime.observeAll();
      away.done();
      if (!check.ok) log.info('engine.reached', 'The Docker engine answers.', { instances: observed.size });
      check = { ok: true, detail: `the Docker engine answers and has ${observed.size} instances` };
      const skip = new Set([...busy, ...store.jobs.all().filter(isInHand)].map(({ instanceKey }) => instanceKey));
      const settled = new Map<string, string>();
      const sinceLastMs = performance.now() - lookedAt;
      lookedAt = performance.now();
      for (const { key, name, phase } of store.instances.all()) {
        if (skip.has(key)) continue;
        const found = observed.get(key);
        const drift = driftOf(phase, found);
        if (drift) {
          if (PHASE[phase].containers === 'up') countDeath(key);
          store.jobs.enqueue(key, { reason: drift.reason });
          log.warn(drift.event, `${name} ${drift.reason}: it is put right.`, { instance: name });
          store.outbox.put(logOperation(key, clock(), [`It ${drift.reason}: it is put right.`]), key);
        } else if (PHASE[phase].containers === 'up') {
          const died = (role: 'odoo' | 'db') => hasDied(found?.[role], seen.get(`${key} ${role}`), sinceLastMs);
          if (died('odoo') || died('db')) countDeath(key);
          if (found?.odoo) settled.set(`${key} odoo`, found.odoo.id);
          if (found?.db) settled.set(`${key} db`, found.db.id);
        }
        if (PHASE[phase].containers === 'up' && isDying(key)) {
          deaths.delete(key);
          store.operations.begin(key, 'rebuild', 'recovery');
          store.jobs.enqueue(key, { reason: 'it keeps dying' });
          log.warn('instance.keeps_dying', `${name} died ${TOO_MANY_DEATHS} times: it is made anew from its volumes.`, {
            instance: name,
          });
        }
      }
      seen = settled;
      return intervalMs;
    } catch (error) {
      if (check.ok && !isStopped(error))
        log.error('engine.unreachable', 'The Docker engine does not answer; work waits.', errorFields(error));
      check = { ok: false, detail: `the Docker engine does not answer: ${messageOf(error)}` };
      away.failed(error);
      return AWAY_INTERVAL_MS;
    }
  }

  const loop = startLoop(look, (error) =>
    log.error('monitor.failed', 'Looking at the engine failed.', errorFields(error)),
  );
  return {
    ...loop,
    engineCheck: () => check,
    restarted(key) {
      seen.delete(`${key} odoo`);
      seen.delete(`${key} db`);
    },
  };
}
