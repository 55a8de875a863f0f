/** Takes in what a poll of the master brought: facts into the store, new instances, work into the queue. */

import { graceDaysIn } from '../facts/facts.js';
import type { Command } from '../instance/command.js';
import { suggestName } from '../instance/naming.js';
import { PHASE } from '../instance/phase.js';
import type { Instance } from '../instance/types.js';
import { UNTOUCHED } from '../instance/untouched.js';
import type { Clock } from '../lib/clock.js';
import type { Log } from '../lib/logger.js';
import type { MasterPurchase, PollBatch } from '../odoo/rows.js';
import { COMMANDS } from '../owed/commands.js';
import { commandOperation, logOperation } from '../owed/operations.js';
import type { Store } from '../store/store.js';
import { assignPurchases } from '../subscription/assign.js';
import { subscriptionStatus } from '../subscription/fold.js';
import { entitlementsOf, isTakenBack, paidPeriodsOf } from '../subscription/parts.js';
import type { Policy, Purchase } from '../subscription/types.js';
import { createProblems } from './problems.js';
import { recordTaker } from './records.js';

export interface IngestParts {
  store: Store;
  policy: Policy;
  /** Where a purchase may be for several instances: the one that expires first, instead of asking a person. */
  firstToExpire: boolean;
  clock: Clock;
  log: Log;
}

export interface Ingested {
  /** A plan became usable that purchases without an instance may wait for: read everything again. */
  needsFullPoll: boolean;
}

export type Ingest = ReturnType<typeof createIngest>;

export function createIngest({ store, policy, firstToExpire, clock, log }: IngestParts) {
  /** Purchases of the pages so far that are for no known instance; decided when the last page is in. */
  const undecided = new Map<string, MasterPurchase>();
  const problems = createProblems(store, log);
  const takeRecord = recordTaker({ store, clock, log });

  /**
   * One page of a poll, in one commit.
   * @param full a page of a pass over everything.
   */
  function page(batch: PollBatch, full: boolean): Ingested {
    try {
      const ingested = store.transaction(() => take(batch, full));
      if (full && !batch.more) problems.passEnded();
      return ingested;
    } catch (error) {
      problems.rolledBack();
      throw error;
    }
  }

  function take(batch: PollBatch, full: boolean): Ingested {
    const newPlans = store.plans.save(batch.plans);
    for (const record of batch.instances) takeRecord(record, full);
    takePurchases(batch.purchases);
    if (!batch.more) {
      decide();
      // Every page lists them all; only now every instance is known.
      for (const command of store.commands.add(batch.commands)) takeCommand(command);
    }
    for (const rejected of batch.rejected) problems.rejected(rejected);
    for (const id of newPlans) recheckPlan(id);
    return {
      needsFullPoll: !full && newPlans.length > 0 && store.purchases.unassigned().length > 0,
    };
  }

  function takePurchases(purchases: MasterPurchase[]): void {
    const before = new Map(purchases.map(({ key }) => [key, store.purchases.get(key)]));
    const { changedKeys, instanceKeys } = store.purchases.save(purchases);
    for (const key of instanceKeys) {
      if (store.instances.get(key)) store.jobs.enqueue(key, { reason: 'a purchase changed' });
    }
    const changed = new Set(changedKeys);
    for (const purchase of purchases) {
      const instanceKey = store.purchases.get(purchase.key)?.instanceKey ?? null;
      const instance = instanceKey === null ? null : store.instances.get(instanceKey);
      if (!instance) undecided.set(purchase.key, purchase);
      else if (!changed.has(purchase.key)) continue;
      else if (PHASE[instance.phase].gone) tellDeleted(purchase, instance);
      else if (isTakenBack(before.get(purchase.key) ?? null, purchase)) {
        const line = `${purchase.document} was cancelled, given back or its payment taken back.`;
        store.outbox.put(logOperation(instance.key, clock(), [line]), instance.key);
        log.info('purchase.taken_back', line, { instance: instance.name, purchase: purchase.key });
      }
    }
  }

  /** Gives the undecided purchases to instances, new ones where there is none. */
  function decide(): void {
    if (undecided.size === 0) return;
    const waiting = [...undecided.values()].map((purchase) => ({
      ...purchase,
      instanceKey: store.purchases.get(purchase.key)?.instanceKey ?? null,
      sellerId: purchase.seller.id,
    }));
    undecided.clear();
    const usable = waiting.filter(hasPlan);
    const instances = store.instances.all().map(({ key, customer, seller, planId, phase }) => ({
      key,
      customerId: customer.id,
      sellerId: seller?.id ?? null,
      planId,
      alive: PHASE[phase].renewable,
      trial: store.plans.get(planId)?.trial ?? false,
    }));
    const rules = {
      firstToExpire,
      isTrial: (planId: number) => store.plans.get(planId)?.trial ?? false,
      paidUntil: (key: string) => statusOf(key).paidUntil,
    };
    const customers = new Map(usable.map((purchase) => [purchase.key, purchase]));
    for (const { purchase, to } of assignPurchases(usable, instances, rules)) {
      if (to.kind === 'ambiguous') problems.ambiguous(purchase.key, purchase.document, to.candidates);
      if (to.kind === 'unknown-instance') problems.unknownInstance(purchase.key, purchase.document, to.instanceKey);
      if (to.kind === 'trial-used') problems.trialUsed(purchase.key, purchase.document);
      if (to.kind !== 'existing' && to.kind !== 'new') continue;
      const source = customers.get(purchase.key);
      if (to.kind === 'new' && source) create(source, to.instanceKey);
      store.purchases.assign(purchase.key, to.instanceKey);
      store.jobs.enqueue(to.instanceKey, { reason: `${purchase.document} was bought` });
    }
  }

  function statusOf(instanceKey: string) {
    const startedAt = store.instances.get(instanceKey)?.startedAt ?? new Date(0);
    return subscriptionStatus(
      entitlementsOf(store.purchases.byInstance(instanceKey)),
      startedAt,
      graceDaysIn(store),
      policy,
      clock(),
    );
  }

  function hasPlan(purchase: MasterPurchase): boolean {
    if (store.plans.get(purchase.planId) || purchase.state === 'cancelled') return true;
    problems.noPlan(purchase.key, purchase.document);
    return false;
  }

  function create(purchase: MasterPurchase, key: string): void {
    const { customer, wantedName, wantedLang } = purchase;
    const instance = store.instances.create(
      {
        ...UNTOUCHED,
        key,
        customer: { ...customer, lang: wantedLang || customer.lang },
        seller: purchase.seller,
        planId: purchase.planId,
        document: purchase.document,
        orderId: purchase.orderId,
        createdAt: clock(),
      },
      // A name that is taken or makes no sense never costs the customer the sale: one like it is found.
      () => suggestName(wantedName || customer.name, (name) => store.instances.isTaken(name)),
    );
    log.info('instance.created', `${purchase.document} is to become ${instance.name}.`, {
      instance: instance.name,
      order: purchase.document,
      customer: purchase.customer.name,
      paid: paidPeriodsOf(purchase) > 0,
    });
  }

  function takeCommand(command: Command): void {
    const instance = store.instances.get(command.instanceKey);
    if (!instance || PHASE[instance.phase].gone) {
      store.commands.finish(command.id);
      store.outbox.put(
        commandOperation(command.id, 'refused', { code: 'instance_gone', params: {} }),
        command.instanceKey,
      );
      return;
    }
    const { changes, operation } = COMMANDS[command.command];
    store.instances.update(instance.key, changes(clock()));
    if (operation) store.operations.begin(instance.key, operation, 'command');
    store.jobs.enqueue(instance.key, { reason: `${command.requestedBy} asked to ${command.command}` });
    log.info('command.received', `${command.requestedBy} asked to ${command.command} ${instance.name}.`, {
      instance: instance.name,
      command: command.id,
    });
  }

  /** Instances of a plan that changed are made as it says now. */
  function recheckPlan(planId: number): void {
    for (const { key, planId: id } of store.instances.all()) {
      if (id === planId) store.jobs.enqueue(key, { reason: 'the plan changed' });
    }
  }

  /** News about a purchase of an instance that is gone: it matters where it would still run. */
  function tellDeleted({ key, document }: Purchase, instance: Instance): void {
    const { paidUntil } = statusOf(instance.key);
    if (paidUntil === null || paidUntil <= clock() || instance.hold === 'deleted') return;
    problems.deletedInstance(key, document, instance.name);
  }

  return { page };
}
