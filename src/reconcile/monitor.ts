/** Looks at the engine every half minute: does it answer, and does what should run run. */
import type { Engine } from '../docker/client.js';
import type { Instances } from '../docker/instances.js';
import { messageOf } from '../errors.js';
import type { Observed, Phase } from '../instance/types.js';
import { errorFields, type Log } from '../logger.js';
import type { JobRow } from '../store/jobs.js';
import type { Store } from '../store/store.js';
import { type Loop, startLoop } from './loop.js';

const INTERVAL_MS = 30_000;
const AWAY_INTERVAL_MS = 5_000;

export interface MonitorOptions {
  engine: Engine;
  instances: Instances;
  store: Store;
  log: Log;
  /** Some instance is not as it should be and was put into the queue. */
  onDrift(): void;
}

export interface EngineCheck {
  ok: boolean;
  detail: string;
}

export interface Monitor extends Loop {
  /** The result of the last look. */
  engineCheck(): EngineCheck;
}

/** A worker has it, or it failed and waits for its next try: looking again would only defeat the back-off. */
function isInHand({ claimedBy, attempts }: JobRow): boolean {
  return claimedBy !== null || attempts > 0;
}

function driftOf(phase: Phase, found: Observed | undefined): { event: string; reason: string } | null {
  const db = found?.db?.running === true;
  const odoo = found?.odoo?.running === true;
  if (phase === 'running' && !(db && odoo))
    return { event: 'instance.found_stopped', reason: 'should run and does not' };
  if ((phase === 'suspended' || phase === 'stopped') && (db || odoo)) {
    return { event: 'instance.found_running', reason: 'should not run and does' };
  }
  return null;
}

/** A fixed number of engine calls however many instances there are. */
export function startMonitor({ engine, instances, store, log, onDrift }: MonitorOptions): Monitor {
  let check: EngineCheck = { ok: false, detail: 'the engine has not been asked yet' };

  async function look(): Promise<number> {
    try {
      await engine.ping();
      const busy = store.jobs.all().filter(isInHand);
      const observed = await instances.observeAll();
      if (!check.ok) log.info('engine.reached', 'The Docker engine answers.', { instances: observed.size });
      check = { ok: true, detail: `the Docker engine answers and has ${observed.size} instances` };
      const skip = new Set([...busy, ...store.jobs.all().filter(isInHand)].map(({ instanceKey }) => instanceKey));
      let drifted = 0;
      for (const { key, name, phase } of store.instances.all()) {
        const drift = skip.has(key) ? null : driftOf(phase, observed.get(name));
        if (!drift) continue;
        drifted++;
        store.jobs.enqueue(key, { reason: drift.reason });
        log.warn(drift.event, `${name} ${drift.reason}: it is put right.`, { instance: name });
      }
      if (drifted > 0) onDrift();
      return INTERVAL_MS;
    } catch (error) {
      if (check.ok)
        log.error('engine.unreachable', 'The Docker engine does not answer; work waits.', errorFields(error));
      check = { ok: false, detail: `the Docker engine does not answer: ${messageOf(error)}` };
      return AWAY_INTERVAL_MS;
    }
  }

  const loop = startLoop(look, (error) =>
    log.error('monitor.failed', 'Looking at the engine failed.', errorFields(error)),
  );
  return { ...loop, engineCheck: () => check };
}
