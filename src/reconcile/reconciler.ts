/**
 * Makes one instance as it must be: reads the facts, computes what must be, looks at what is, does the missing steps,
 * reports. It may die anywhere; the next run finishes.
 */
import type { Clock } from '../clock.js';
import { adminLogin, type InstanceSpec, instanceSpec } from '../docker/spec.js';
import { BridgeError, messageOf } from '../errors.js';
import { planSteps } from '../instance/plan.js';
import type { Step } from '../instance/steps.js';
import type { Instance, Phase } from '../instance/types.js';
import type { Log } from '../logger.js';
import type { Metrics } from '../metrics.js';
import type { Command } from '../store/commands.js';
import type { Store } from '../store/store.js';
import type { Policy } from '../subscription/types.js';
import type { Runtime } from './executors.js';
import { type Facts, readFacts } from './facts.js';
import {
  commandOperation,
  type Endpoint,
  failureOperation,
  instanceOperation,
  logOperation,
  noEmailOperation,
  noticeOperation,
} from './report.js';

export interface ReconcilerParts {
  store: Store;
  runtime: Runtime;
  policy: Policy;
  /** Public address of an instance. */
  urlOf(name: string, slot: number): string;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** Something was put into the outbox. */
  onOutbox(): void;
}

export type Reconciler = ReturnType<typeof createReconciler>;

export function createReconciler(parts: ReconcilerParts) {
  const { store, runtime, clock, log, metrics } = parts;

  /** Brings the instance to its desired state; resolves with the next moment its state changes by itself. */
  async function reconcile(key: string): Promise<Date | null> {
    // With the facts, in one moment: what is asked later is for the next run.
    const commands = store.commands.pending(key);
    try {
      return await bring(key, commands);
    } catch (error) {
      giveUp(key, commands, error);
      throw error;
    }
  }

  async function bring(key: string, commands: Command[]): Promise<Date | null> {
    const startedAt = performance.now();
    const facts = readFacts(store, parts.policy, key, clock());
    if (!facts) return null;
    log.debug('instance.reconciling', facts.desired.reason, { instance: facts.instance.name });
    const spec = await specFor(facts);
    const steps = spec ? await stepsFor(facts, spec, commands) : [];
    if (spec && isFirstTime(facts, steps)) report(facts, spec, { phase: 'provisioning', errorMessage: null });
    for (const step of steps) await execute(step, facts, spec);
    finish(facts, spec, steps, commands, performance.now() - startedAt);
    metrics.reconciles.inc({ result: 'done' });
    return facts.status.nextChangeAt;
  }

  /** What the containers are to be made from; null for an instance that has none and needs none. */
  async function specFor({ instance, plan, desired }: Facts): Promise<InstanceSpec | null> {
    if (instance.slot === null) {
      const { key } = instance;
      instance.slot = await (desired.state === 'running' ? runtime.allocateSlot(key) : runtime.findSlot(key));
    }
    return instance.slot === null ? null : instanceSpec(instance, plan, parts.urlOf(instance.name, instance.slot));
  }

  async function stepsFor(facts: Facts, spec: InstanceSpec, commands: Command[]): Promise<Step[]> {
    const observed = await runtime.observe(spec);
    const steps = planSteps(facts.desired, observed, {
      specHashes: runtime.specHashes(spec),
      provisioned: facts.instance.startedAt !== null,
    });
    const restart = commands.some((command) => command.command === 'restart') && facts.desired.state === 'running';
    if (!restart || steps.length > 0) return steps;
    return [{ action: 'stopOdoo' }, { action: 'startOdoo' }, { action: 'awaitReady', login: false }];
  }

  async function execute(step: Step, facts: Facts, spec: InstanceSpec | null): Promise<void> {
    if (!spec) return;
    const startedAt = performance.now();
    await runtime.execute(step, { spec, provisioned: facts.instance.startedAt !== null });
    const durationMs = Math.round(performance.now() - startedAt);
    metrics.stepSeconds.observe({ step: step.action }, durationMs / 1000);
    log.debug('step.done', `${step.action} done.`, { instance: spec.name, step: step.action, durationMs });
  }

  /** Writes the new state, and owes the master its report, in one commit. */
  function finish(facts: Facts, spec: InstanceSpec | null, steps: Step[], commands: Command[], ms: number): void {
    const before = facts.instance;
    const phase = phaseOf(facts, spec);
    const now = clock();
    const changes = {
      phase,
      planId: facts.status.planId ?? before.planId,
      errorMessage: null,
      startedAt: before.startedAt ?? (phase === 'running' ? now : null),
      suspendedAt: phase === 'suspended' ? (before.suspendedAt ?? now) : null,
    };
    const served = before.startedAt === null && phase === 'running';
    const resumed = !served && phase === 'running' && before.suspendedAt !== null;
    const suspended = phase === 'suspended' && before.suspendedAt === null && before.startedAt !== null;
    store.transaction(() => {
      report(facts, spec, changes, served);
      const notice = served ? 'welcome' : resumed ? 'reactivated' : suspended ? 'suspended' : null;
      if (notice && before.customer.email !== '') {
        store.outbox.put(noticeOperation(before, notice, facts.status.paidUntil, facts.purchases), before.key);
      }
      const [purchase] = facts.purchases;
      if (served && purchase && before.customer.email === '') {
        store.outbox.put(noEmailOperation(before, purchase.key), before.key);
      }
      answer(before.key, commands, 'done', `The instance is ${phase}.`);
    });
    parts.onOutbox();
    if (served) metrics.provisionSeconds.observe(ms / 1000);
    tell(facts, { served, resumed, suspended, changed: steps.length > 0 || phase !== before.phase }, phase, ms);
  }

  /** A person who asked and cannot be served is told; a request that will be tried again by itself stays open. */
  function giveUp(key: string, commands: Command[], error: unknown): void {
    const terminal = error instanceof BridgeError && !error.retryable;
    const given = commands.filter(({ command }) => terminal || command === 'retry');
    store.transaction(() => answer(key, given, 'failed', messageOf(error)));
    if (given.length > 0) parts.onOutbox();
  }

  function answer(key: string, commands: Command[], result: 'done' | 'failed', message: string): void {
    for (const { id } of commands) {
      if (store.commands.finish(id)) store.outbox.put(commandOperation(id, result, message), key);
    }
  }

  /** Stores the changes and owes them to the master. */
  function report(facts: Facts, spec: InstanceSpec | null, changes: Partial<Instance>, served = false): void {
    const instance = store.instances.update(facts.instance.key, changes);
    instance.slot = facts.instance.slot;
    const operation = instanceOperation(instance, facts.status, facts.purchases, spec ? endpoint(spec) : null);
    if (served && spec && operation.op === 'instance') operation.values.admin_login = adminLogin(spec);
    store.outbox.put(operation, instance.key);
    parts.onOutbox();
  }

  function endpoint(spec: InstanceSpec): Endpoint {
    return { url: spec.url, ...runtime.addresses(spec) };
  }

  function tell(
    facts: Facts,
    what: { served: boolean; resumed: boolean; suspended: boolean; changed: boolean },
    phase: Phase,
    ms: number,
  ): void {
    const { instance, desired, status } = facts;
    const fields = {
      instance: instance.name,
      order: instance.document,
      durationMs: Math.round(ms),
      paidUntil: status.paidUntil?.toISOString(),
    };
    const seconds = `${(ms / 1000).toFixed(1)} s`;
    const line = what.served
      ? (['instance.provisioned', `${instance.document} paid → ${instance.name} running in ${seconds}`] as const)
      : what.resumed
        ? (['instance.reactivated', `${instance.name} runs again after ${seconds}: ${desired.reason}`] as const)
        : what.suspended
          ? (['instance.suspended', `${instance.name} is suspended, its data is kept: ${desired.reason}`] as const)
          : what.changed
            ? (['instance.reconciled', `${instance.name} is ${phase}: ${desired.reason}`] as const)
            : null;
    if (!line) return;
    log.info(line[0], line[1], fields);
    store.outbox.put(logOperation(instance.key, clock(), [line[1]]), instance.key);
    parts.onOutbox();
  }

  /**
   * Records a failed run for the admin and the master. The phase is `error` where a person must act; an instance
   * that is only waiting for its next try keeps its phase.
   */
  function fail(key: string, error: unknown, terminal: boolean): void {
    const before = store.instances.get(key);
    const message = messageOf(error);
    if (!before || (before.errorMessage === message && (!terminal || before.phase === 'error'))) return;
    store.transaction(() => {
      const { name, customer, planId, orderId, phase } = store.instances.update(key, {
        errorMessage: message,
        ...(terminal ? { phase: 'error' as const } : {}),
      });
      const values = {
        ...{ name, customer_id: customer.id, contact_id: customer.contactId, plan_id: planId, order_id: orderId },
        ...{ state: phase, error_message: message },
      };
      store.outbox.put({ op: 'instance', key: `instance:${key}`, instance_key: key, values }, key);
      store.outbox.put(logOperation(key, clock(), [`error: ${message}`]), key);
      const [purchase] = store.purchases.byInstance(key);
      if (terminal && purchase) store.outbox.put(failureOperation(before, purchase.key, message), key);
    });
    parts.onOutbox();
  }

  return { reconcile, fail };
}

function isFirstTime({ instance }: Facts, steps: Step[]): boolean {
  return instance.startedAt === null && steps.length > 0 && instance.phase !== 'provisioning';
}

function phaseOf({ desired, instance }: Facts, spec: InstanceSpec | null): Phase {
  // Bought and taken back before anything was made.
  if (!spec && desired.state === 'suspended') return instance.startedAt ? 'suspended' : 'draft';
  return desired.state;
}
