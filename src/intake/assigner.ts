/** Gives what was bought to the instance it is for, or makes a new one; customer by customer. */
import { graceDaysIn } from '../facts/facts.js';
import { suggestName } from '../instance/naming.js';
import { PHASE } from '../instance/phase.js';
import type { Instance } from '../instance/types.js';
import { UNTOUCHED } from '../instance/untouched.js';
import type { Clock } from '../lib/clock.js';
import type { Log } from '../lib/logger.js';
import type { MasterPurchase } from '../odoo/rows.js';
import type { Store } from '../store/store.js';
import { type AssignableInstance, assignPurchases, type Decision } from '../subscription/assign.js';
import { subscriptionStatus } from '../subscription/fold.js';
import { fullKeyOf } from '../subscription/identity.js';
import { entitlementsOf, paidPeriodsOf } from '../subscription/parts.js';
import type { Policy } from '../subscription/types.js';
import type { Problems } from './problems.js';

export interface AssignerParts {
  store: Store;
  policy: Policy;
  /** Where a purchase may be for several instances: the one that expires first, instead of asking a person. */
  firstToExpire: boolean;
  clock: Clock;
  log: Log;
  problems: Problems;
}

export type Assigner = ReturnType<typeof createAssigner>;

export function createAssigner({ store, policy, firstToExpire, clock, log, problems }: AssignerParts) {
  const isTrial = (planId: number) => store.plans.get(planId)?.trial ?? false;
  const rules = { firstToExpire, isTrial, paidUntil: (key: string) => statusOf(key).paidUntil };

  /** What one customer bought that is for no known instance. */
  function assign(purchases: MasterPurchase[]): void {
    const waiting = purchases
      .map((purchase) => ({
        ...purchase,
        instanceKey: store.purchases.get(purchase.key)?.instanceKey ?? null,
        sellerId: purchase.seller.id,
        bornKey: bornKeyOf(purchase),
      }))
      .filter(hasPlan);
    const sources = new Map(waiting.map((purchase) => [purchase.key, purchase]));
    for (const decision of assignPurchases(waiting, mayBeFor(waiting), rules)) {
      carryOut(decision, sources.get(decision.purchase.key));
    }
  }

  /** The instances of their customer, and those that they name. */
  function mayBeFor(purchases: (MasterPurchase & { bornKey: string })[]): AssignableInstance[] {
    const found = new Map<string, Instance>();
    for (const { bornKey, customerId, instanceKey } of purchases) {
      const named = [bornKey, instanceKey].map((name) => (name === null ? null : store.instances.get(name)));
      for (const instance of [...named, ...store.instances.ofCustomer(customerId)]) {
        if (instance) found.set(instance.key, instance);
      }
    }
    return [...found.values()].map(({ key, customer, seller, planId, phase }) => ({
      key,
      customerId: customer.id,
      sellerId: seller?.id ?? null,
      planId,
      alive: PHASE[phase].renewable,
      trial: isTrial(planId),
    }));
  }

  /** The key of the instance that is born from it; an instance of that key that is older was born from another one. */
  function bornKeyOf(purchase: MasterPurchase): string {
    const bornAt = store.instances.get(purchase.key)?.bornAt ?? null;
    const isOlder = bornAt !== null && purchase.createdOn != null && bornAt < purchase.createdOn;
    return isOlder ? fullKeyOf(purchase) : purchase.key;
  }

  function carryOut({ purchase, to }: Decision, source: MasterPurchase | undefined): void {
    const { key, document } = purchase;
    if (to.kind === 'ambiguous') problems.ambiguous(key, document, to.candidates);
    if (to.kind === 'unknown-instance') problems.unknownInstance(key, document, to.instanceKey);
    if (to.kind === 'trial-used') problems.trialUsed(key, document);
    if (to.kind !== 'existing' && to.kind !== 'new') return;
    if (to.kind === 'new' && source) create(source, to.instanceKey);
    store.purchases.assign(key, to.instanceKey);
    store.jobs.enqueue(to.instanceKey, { reason: `${document} was bought` });
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
        bornAt: purchase.createdOn ?? null,
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

  return { assign, statusOf };
}
