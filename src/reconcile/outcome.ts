/** How a run ended: the new state in the store, and all that is owed to the master, in one commit. */

import { type Facts, limitsOf, readFacts, settingsOf } from '../facts/facts.js';
import { isFirstPasswordOwed } from '../facts/first-password.js';
import type { Command } from '../instance/command.js';
import { OPERATIONS, type Operation } from '../instance/operations/operations.js';
import type { Runtime } from '../instance/ports.js';
import { adminLogin, type InstanceSpec } from '../instance/spec.js';
import type { Step } from '../instance/steps.js';
import type { Instance } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, messageOf } from '../lib/errors.js';
import type { Log } from '../lib/logger.js';
import type { Metrics } from '../lib/metrics.js';
import { answerTo } from '../owed/commands.js';
import { lineOf } from '../owed/log-line.js';
import type { Run } from '../owed/notices.js';
import { commandOperation, type Endpoint, instanceOperation, logOperation, purchaseTodo } from '../owed/operations.js';
import { owedTodos } from '../owed/todos.js';
import type { Sentence } from '../protocol/sentences.js';
import { readKnownKey } from '../store/known-key.js';
import { earliestAfter } from '../subscription/calendar.js';
import { lastPaidOn } from '../subscription/parts.js';
import { nextMoment } from '../subscription/timeline.js';
import { type NoticeParts, noticeOwer } from './notices.js';
import { phaseOf, tellingOf } from './phase-after.js';
import type { Refusal } from './plan-change.js';

export interface OutcomeParts extends NoticeParts {
  runtime: Pick<Runtime, 'containersOf' | 'revision'>;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

export interface Ended {
  facts: Facts;
  spec: InstanceSpec | null;
  steps: Step[];
  /** Operations that have come to their end. */
  operations: Operation[];
  /** Both containers are what would be made now. */
  upToDate: boolean;
  /** Until when the final copy is kept that was made of it; null where there is none. */
  copyKeptUntil: Date | null;
  /** What the calendar asks for was not done: it waits. */
  waits: boolean;
  commands: Command[];
  refused: Refusal[];
  /** How long it took, milliseconds. */
  ms: number;
}

/** A backstop: what waits is run as soon as it may. */
const WAIT_MS = 10 * 60_000;

export function later(now: Date): Date {
  return new Date(now.getTime() + WAIT_MS);
}

export type Outcome = ReturnType<typeof createOutcome>;

export function createOutcome(parts: OutcomeParts) {
  const { store, policy, clock, log, metrics } = parts;
  const oweNotices = noticeOwer(parts);

  /** Returns the next moment at which something changes by itself. */
  function finish({
    facts,
    spec,
    steps,
    operations,
    upToDate,
    copyKeptUntil,
    commands,
    refused,
    ms,
    ...ended
  }: Ended): Date | null {
    const before = facts.instance;
    const now = clock();
    const phase = phaseOf(facts, spec);
    const told = tellingOf(before, facts, phase);
    const isUp = phase === 'running' && !facts.sleep.isAsleep;
    const changes: Partial<Instance> = {
      phase,
      planId: facts.plan.id,
      errorMessage: null,
      startedAt: before.startedAt ?? (phase === 'running' ? now : null),
      suspendedAt: phase === 'suspended' ? (before.suspendedAt ?? now) : null,
      // What was asked for meanwhile is for the next run: only what this one has seen is changed.
      ...(facts.storageOverSince === before.storageOverSince ? {} : { storageOverSince: facts.storageOverSince }),
      ...(isUp && upToDate ? { revision: parts.runtime.revision } : {}),
      ...(isUp ? { limits: limitsOf(facts.plan), settings: spec && settingsOf(spec), ...secretsNow() } : {}),
      ...(phase === 'running' ? { toldPaidUntil: told, warnedAt: null, toldDeleteAt: null } : {}),
      asleepSince: facts.sleep.isAsleep ? (before.asleepSince ?? now) : null,
      ...(isUp && steps.some(({ action }) => action === 'startOdoo' || action === 'startBoth') ? { wokenAt: now } : {}),
      ...(facts.storageOverSince === null ? { toldStorageAt: null, spaceStoppedAt: null } : {}),
    };
    const run: Run = {
      before,
      after: { ...before, ...changes },
      facts,
      previousPlan: store.plans.get(before.planId),
      recovered: operations.some(({ cause }) => cause === 'recovery'),
      exportKeptUntil: copyKeptUntil,
    };
    let { waits } = ended;
    store.transaction(() => {
      if (phase === 'deleted') oweAmends(before.key, now);
      report(facts, spec, changes);
      if (run.after.startedAt) store.backups.seen(before.key, phase, now);
      if (phase === 'deleted') {
        store.placements.release(before.key);
        // As long as the copy of which the customer was told; at once where no copy was to be made.
        store.backups.removeFrom(before.key, copyKeptUntil ?? now);
      }
      for (const { kind } of operations) {
        if (!OPERATIONS[kind].remembered || phase === 'deleted') store.operations.forget(before.key, kind);
      }
      waits = oweNotices(run, now) || waits;
      recordEvents(run, now);
      for (const operation of owedTodos(run, now)) store.outbox.put(operation, before.key);
      answer(facts, commands, refused);
    });
    if (before.startedAt === null && phase === 'running') metrics.provisionSeconds.observe(ms / 1000);
    tell(run, steps.length > 0, ms);
    return phase === 'deleted' ? null : waits ? later(now) : nextRun(before.key, now);
  }

  function secretsNow(): Pick<Instance, 'secrets'> {
    return { secrets: readKnownKey(store.meta)?.fingerprint ?? null };
  }

  /** Written down at once: a try that fails afterwards does not stop the instance for it again. */
  function secretsSet(key: string): true {
    store.transaction(() => {
      const instance = store.instances.update(key, secretsNow());
      // The record has the one of before, where it has one.
      if (instance.startedAt !== null && isFirstPasswordOwed(store, instance)) {
        const values = { admin_login: adminLogin(instance.customer) };
        store.outbox.put({ op: 'instance', key: `instance:${key}`, instance_key: key, values }, key);
      }
    });
    return true;
  }

  /** With what has just been written: a suspension that began now has its deletion to come. */
  function nextRun(key: string, now: Date): Date | null {
    const facts = readFacts(store, policy, key, now);
    return facts && earliestAfter(now, [nextMoment(facts.decision, facts.notices, now), facts.sleep.changesAt]);
  }

  /** Somebody paid in the seconds in which the data went: a person must see to it. */
  function oweAmends(key: string, now: Date): void {
    const facts = readFacts(store, policy, key, now);
    if (!facts || facts.desired.state === 'deleted') return;
    const [purchase] = facts.purchases.toSorted((a, b) => Number(lastPaidOn(b)) - Number(lastPaidOn(a)));
    if (!purchase) return;
    const params = { document: purchase.document, instance: facts.instance.name };
    const operation = purchaseTodo(purchase.key, 'deleted-instance', { code: 'instance_deleted', params });
    store.outbox.put(operation, purchase.key);
  }

  /** For the summary of the night. */
  function recordEvents({ before, after }: Run, now: Date): void {
    const kind =
      after.phase === 'deleted'
        ? 'deletion'
        : after.suspendedAt !== null && before.suspendedAt === null
          ? 'suspension'
          : before.startedAt === null && after.startedAt !== null
            ? 'provision'
            : null;
    if (kind) store.events.record(`${kind}:${after.key}:${now.getTime()}`, kind);
  }

  /** Stores the changes and owes them to the master. */
  function report(facts: Facts, spec: InstanceSpec | null, changes: Partial<Instance>): void {
    const served = facts.instance.startedAt === null && changes.startedAt != null;
    const instance = store.instances.update(facts.instance.key, changes);
    const operation = instanceOperation(instance, facts, spec && instance.phase !== 'deleted' ? endpoint(spec) : null);
    if (served && spec && operation.op === 'instance') operation.values.admin_login = adminLogin(spec);
    store.outbox.put(operation, instance.key);
  }

  function endpoint(spec: InstanceSpec): Endpoint {
    const { httpPort, longpollingPort } = spec.placement;
    const { odoo, db } = parts.runtime.containersOf(spec);
    return { url: spec.url, httpPort, longpollingPort, odooContainer: odoo, dbContainer: db };
  }

  function answer({ instance, desired, status }: Facts, commands: Command[], refused: Refusal[]): void {
    for (const { id, command } of commands) {
      const refusal = refused.find(({ commandId }) => commandId === id);
      const { result, message } = refusal
        ? { result: 'refused' as const, message: refusal.message }
        : answerTo(command, desired, status.paidUntil);
      if (store.commands.finish(id)) store.outbox.put(commandOperation(id, result, message), instance.key);
    }
  }

  /** A person who asked and cannot be served is told; a request that will be tried again by itself stays open. */
  function giveUp(key: string, commands: Command[], error: unknown): void {
    const terminal = error instanceof BridgeError && !error.retryable;
    const given = commands.filter(({ command }) => terminal || command === 'retry');
    const message: Sentence = { code: 'verbatim', params: { text: messageOf(error) } };
    store.transaction(() => {
      for (const { id } of given) {
        if (store.commands.finish(id)) store.outbox.put(commandOperation(id, 'failed', message), key);
      }
      // They were asked for and have failed: nobody waits for them any more.
      for (const { kind, cause } of store.operations.of(key)) {
        if (terminal && cause === 'command' && !OPERATIONS[kind].remembered) store.operations.forget(key, kind);
      }
    });
  }

  /** A line for the admin, and for the record's log. */
  function tell(run: Run, changed: boolean, ms: number): void {
    const { before, facts } = run;
    const line = lineOf(run, changed, ms);
    if (!line) return;
    const [event, text] = line;
    log.info(event, text, {
      instance: before.name,
      order: before.document,
      durationMs: Math.round(ms),
      paidUntil: facts.status.paidUntil?.toISOString(),
    });
    store.outbox.put(logOperation(before.key, clock(), [text]), before.key);
  }

  return { finish, report, giveUp, secretsSet };
}
