/**
 * Makes one instance as it must be: reads the facts, computes what must be, looks at what is, does the missing steps,
 * reports. It may die anywhere; the next run finishes.
 */

import { exportKey, type Facts, planContext, readFacts } from '../facts/facts.js';
import type { Command } from '../instance/command.js';
import { planSteps } from '../instance/plan.js';
import { type InstanceSpec, instanceSpec } from '../instance/spec.js';
import type { Step } from '../instance/steps.js';
import { BridgeError, messageOf, TerminalError } from '../lib/errors.js';
import { SHOP_URL } from '../store/meta.js';
import type { Runtime } from './executors.js';
import { createOutcome, type OutcomeParts } from './outcome.js';
import { createPlanChange } from './plan-change.js';

export interface ReconcilerParts extends OutcomeParts {
  runtime: Runtime;
  /** Reads the whole master; resolves when a pass that began after the call has been taken in. */
  readAfresh(): Promise<void>;
  /** Where the final copy of an instance goes. */
  exportFile(instance: { key: string; name: string }): string;
}

export type Reconciler = ReturnType<typeof createReconciler>;

export function createReconciler(parts: ReconcilerParts) {
  const { store, runtime, policy, clock, log, metrics } = parts;
  const outcome = createOutcome(parts);
  const planChange = createPlanChange({ ...parts, specOf });

  /** Brings the instance to its desired state; resolves with the next moment its state changes by itself. */
  async function reconcile(key: string): Promise<Date | null> {
    // With the facts, in one moment: what is asked later is for the next run.
    const commands = store.commands.pending(key);
    try {
      return await bring(key, commands);
    } catch (error) {
      outcome.giveUp(key, commands, error);
      throw error;
    }
  }

  async function bring(key: string, commands: Command[]): Promise<Date | null> {
    const startedAt = performance.now();
    const facts = await decidedFacts(key);
    if (!facts) return null;
    log.debug('instance.reconciling', facts.desired.reason, { instance: facts.instance.name });
    const spec = await specFor(facts);
    const steps = spec ? await stepsFor(facts, spec, commands) : [];
    if (spec && steps.length > 0) announce(facts, spec);
    for (const step of steps) await execute(step, facts, spec);
    const refused = await planChange.answer(facts, commands);
    const ms = performance.now() - startedAt;
    const nextRunAt = outcome.finish({ facts, spec, steps, commands, refused, ms });
    metrics.reconciles.inc({ result: 'done' });
    return nextRunAt;
  }

  /** Null for an instance that is unknown or deleted. */
  async function decidedFacts(key: string): Promise<Facts | null> {
    const read = () => readFacts(store, policy, key, clock());
    let facts = read();
    if (facts?.desired.state === 'deleted') {
      // Data goes for good: nothing that was paid a moment ago may be overlooked.
      await parts.readAfresh();
      facts = read();
    }
    // Each refusal turns one purchase into time of the present plan.
    while (facts && facts.desired.state !== 'deleted' && (await planChange.refuse(facts))) facts = read();
    return facts;
  }

  /** What the containers are to be made from; null for an instance that has none and needs none. */
  async function specFor(facts: Facts): Promise<InstanceSpec | null> {
    const { instance, desired } = facts;
    if (instance.slot === null) {
      const { key } = instance;
      instance.slot = await (desired.state === 'running' ? runtime.allocateSlot(key) : runtime.findSlot(key));
    }
    return instance.slot === null ? null : specOf(facts, instance.slot);
  }

  function specOf({ instance, plan }: Pick<Facts, 'instance' | 'plan'>, slot: number): InstanceSpec {
    const url = parts.urlOf(instance.name, slot);
    return instanceSpec({ ...instance, slot }, plan, url, store.meta.get(SHOP_URL) ?? '');
  }

  async function stepsFor(facts: Facts, spec: InstanceSpec, commands: Command[]): Promise<Step[]> {
    const observed = await runtime.observe(spec);
    const context = planContext(store, facts, runtime.specHashes(spec), parts.exportDays);
    const steps = planSteps(facts.desired, observed, context);
    const restart = commands.some((command) => command.command === 'restart') && facts.desired.state === 'running';
    if (!restart || steps.some(({ action }) => action !== 'applyLimits')) return steps;
    return [...steps, { action: 'stopOdoo' }, { action: 'startOdoo' }, { action: 'awaitReady', login: false }];
  }

  /** What takes long is on the record while it is done. */
  function announce(facts: Facts, spec: InstanceSpec): void {
    const { instance, desired } = facts;
    const phase =
      desired.state === 'deleted' ? 'deleting' : instance.startedAt === null ? 'provisioning' : instance.phase;
    if (phase !== instance.phase) outcome.report(facts, spec, { phase, errorMessage: null });
  }

  async function execute(step: Step, facts: Facts, spec: InstanceSpec | null): Promise<void> {
    if (!spec) return;
    const startedAt = performance.now();
    const { instance } = facts;
    const target = { spec, provisioned: instance.startedAt !== null, exportFile: parts.exportFile(instance) };
    await runtime.execute(step, target).catch((error: unknown) => {
      // Deleted by name and confirmed by a person: that there is nothing to copy does not keep it.
      const isWanted = instance.hold === 'deleted' && error instanceof TerminalError;
      if (!(isWanted && error.code === 'export.no_data')) throw error;
      log.warn('instance.not_exported', messageOf(error), { instance: instance.name });
    });
    if (step.action === 'exportData') store.events.record(exportKey(instance), 'exported');
    const durationMs = Math.round(performance.now() - startedAt);
    metrics.stepSeconds.observe({ step: step.action }, durationMs / 1000);
    log.debug('step.done', `${step.action} done.`, { instance: spec.name, step: step.action, durationMs });
  }

  /** Records a failed run for the admin and the master. */
  function fail(key: string, error: unknown): void {
    outcome.fail(key, messageOf(error), error instanceof BridgeError && !error.retryable);
  }

  return { reconcile, fail, specOf };
}
