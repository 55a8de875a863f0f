/** Keeps a template ready for every plan that is sold, so that no customer waits for an installation, and no others. */
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
import { DAY_MS } from '../subscription/calendar.js';

const INTERVAL_MS = 3_600_000;
const RETRY = { baseMs: 60_000, maxMs: INTERVAL_MS };
/** When managers are told of one that cannot be built. */
const TOLD_MS = 3_600_000;
/** How long one is kept that no plan needs any more: an image that is taken back, a plan that is sold again. */
const KEPT_MS = 30 * DAY_MS;
/** Which templates this daemon needed when, as JSON: those of other daemons on the engine are not its own to remove. */
const NEEDED = 'templates_needed';

export interface TemplateKeeperOptions {
  store: Store;
  templates: Pick<TemplateLibrary, 'find' | 'ensure' | 'remove'>;
  /** What a plan runs that says nothing else, and the languages of this daemon. */
  settings: { release: Release; languages: string[] };
  clock: Clock;
  log: Log;
  /** Milliseconds since 1970. Not of `clock`: a clock that is ahead must not cost a template that is needed. */
  now?: () => number;
}

/** The templates that plans are sold from, each once. Pure. */
export function templatesOf(plans: Plan[], { release, languages }: TemplateKeeperOptions['settings']): TemplateSpec[] {
  const specs = plans
    .filter(({ active }) => active !== false)
    .map((plan) => ({ release: releaseOf(plan, release), modules: plan.modules, languages }));
  return [...new Map(specs.map((spec) => [JSON.stringify(spec), spec])).values()];
}

/** One template at a time; `wake` when plans changed. A build that a stop cuts off is begun again by the next start. */
export function startTemplateKeeper(options: TemplateKeeperOptions): Loop {
  const { store, templates, settings, clock, log, now = Date.now } = options;
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

  /** Its id; null where it could not be built. */
  async function build(spec: TemplateSpec): Promise<string | null> {
    const { modules } = spec;
    try {
      const found = await templates.find(spec);
      if (found) return found.id;
      const startedAt = performance.now();
      log.info('template.building', 'A new plan needs a prepared database; it takes about a minute.', { modules });
      const { id } = await templates.ensure(spec);
      const durationMs = Math.round(performance.now() - startedAt);
      if (!stopped)
        log.info('template.built', 'New instances of the plan are copied from it.', { id, modules, durationMs });
      return id;
    } catch (error) {
      failing.push(spec);
      patience.failed(error);
      if (!stopped) {
        log.warn('template.failed', 'A prepared database could not be built; it is tried again.', {
          modules,
          ...errorFields(error),
        });
      }
      return null;
    }
  }

  async function removeOld(needed: string[]): Promise<void> {
    const neededAt = new Map(Object.entries(JSON.parse(store.meta.get(NEEDED) ?? '{}') as Record<string, number>));
    for (const id of needed) neededAt.set(id, now());
    for (const [id, at] of neededAt) {
      if (now() - at < KEPT_MS) continue;
      try {
        await templates.remove(id);
        neededAt.delete(id);
        log.info('template.removed', 'No plan has needed this template for a month: it is removed.', { id });
      } catch (error) {
        log.warn('template.not_removed', 'A template that no plan needs could not be removed; it is tried again.', {
          id,
          ...errorFields(error),
        });
      }
    }
    store.meta.set(NEEDED, JSON.stringify(Object.fromEntries(neededAt)));
  }

  const loop = startLoop(
    async (signal) => {
      failing = [];
      const needed: string[] = [];
      for (const spec of templatesOf(store.plans.all(), settings)) {
        const id = signal.aborted ? null : await build(spec);
        if (id !== null) needed.push(id);
      }
      const failed = failing.length > 0;
      if (!signal.aborted) await removeOld(needed);
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
