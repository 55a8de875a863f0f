/** Keeps a template ready for every plan, so that no customer waits for an installation. */
import type { TemplateLibrary, TemplateSpec } from '../instance/ports.js';
import { type Release, releaseOf } from '../instance/release.js';
import type { Plan } from '../instance/types.js';
import { backoffMs } from '../lib/backoff.js';
import type { Clock } from '../lib/clock.js';
import { messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { createPatience } from '../lib/patience.js';
import { templateFailing } from '../owed/managers.js';
import type { Store } from '../store/store.js';

const INTERVAL_MS = 3_600_000;
const RETRY = { baseMs: 60_000, maxMs: INTERVAL_MS };
/** When managers are told of one that cannot be built. */
const TOLD_MS = 3_600_000;

export interface TemplateKeeperOptions {
  store: Store;
  templates: Pick<TemplateLibrary, 'find' | 'ensure'>;
  /** What a plan runs that says nothing else, and the languages of this daemon. */
  settings: { release: Release; languages: string[] };
  clock: Clock;
  log: Log;
}

/** The templates that plans are sold from, each once. Pure. */
export function templatesOf(plans: Plan[], { release, languages }: TemplateKeeperOptions['settings']): TemplateSpec[] {
  const specs = plans.map((plan) => ({ release: releaseOf(plan, release), modules: plan.modules, languages }));
  return [...new Map(specs.map((spec) => [JSON.stringify(spec), spec])).values()];
}

/** One template at a time; `wake` when plans changed. A build that a stop cuts off is begun again by the next start. */
export function startTemplateKeeper({ store, templates, settings, clock, log }: TemplateKeeperOptions): Loop {
  let failures = 0;
  let stopped = false;
  /** Those that could not be built in the present round. */
  let failing: TemplateSpec[] = [];
  const patience = createPatience(TOLD_MS, clock, (since, error) => {
    const modules = new Set(failing.map((spec) => JSON.stringify(spec.modules)));
    const plans = store.plans.all().filter((plan) => modules.has(JSON.stringify(plan.modules)));
    const names = plans.map(({ name }) => name);
    store.outbox.put(templateFailing(names, since, messageOf(error)), 'template');
  });

  async function build(spec: TemplateSpec): Promise<boolean> {
    const { modules } = spec;
    try {
      if (await templates.find(spec)) return true;
      const startedAt = performance.now();
      log.info('template.building', 'A new plan needs a prepared database; it takes about a minute.', { modules });
      const { id } = await templates.ensure(spec);
      const durationMs = Math.round(performance.now() - startedAt);
      if (!stopped)
        log.info('template.built', 'New instances of the plan are copied from it.', { id, modules, durationMs });
      return true;
    } catch (error) {
      failing.push(spec);
      patience.failed(error);
      if (!stopped) {
        log.warn('template.failed', 'A prepared database could not be built; it is tried again.', {
          modules,
          ...errorFields(error),
        });
      }
      return false;
    }
  }

  const loop = startLoop(
    async (signal) => {
      let failed = false;
      failing = [];
      for (const spec of templatesOf(store.plans.all(), settings)) {
        if (!signal.aborted && !(await build(spec))) failed = true;
      }
      if (!failed) patience.done();
      failures = failed ? failures + 1 : 0;
      return failed ? backoffMs(failures, RETRY, () => 1) : INTERVAL_MS;
    },
    (error) =>
      log.error('template.keeper_failed', 'Templates cannot be looked after; trying again.', errorFields(error)),
  );

  return {
    wake: () => loop.wake(),
    async stop() {
      stopped = true;
      void loop.stop();
    },
  };
}
