/** Looks at the engine every half minute: does it answer, and does what should run run. */
import type { Engine } from '../docker/client.js';
import type { Instances } from '../docker/instances.js';
import { messageOf } from '../errors.js';
import { errorFields, type Log } from '../logger.js';
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

/** A fixed number of engine calls however many instances there are. */
export function startMonitor({ engine, instances, store, log, onDrift }: MonitorOptions): Monitor {
  let check: EngineCheck = { ok: false, detail: 'the engine has not been asked yet' };

  async function look(): Promise<number> {
    try {
      await engine.ping();
      const observed = await instances.observeAll();
      if (!check.ok) log.info('engine.reached', 'The Docker engine answers.', { instances: observed.size });
      check = { ok: true, detail: `the Docker engine answers and has ${observed.size} instances` };
      let drifted = 0;
      for (const { key, name, phase } of store.instances.all()) {
        const found = observed.get(name);
        const runs = found?.db?.running === true && found.odoo?.running === true;
        if (phase !== 'running' || runs) continue;
        drifted++;
        store.jobs.enqueue(key, { reason: 'its containers do not run' });
        log.warn('instance.found_stopped', `${name} should run and does not: it is started again.`, { instance: name });
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
