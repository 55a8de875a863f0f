/** Which instance a purchase is for. */
import { byTime, compareKeys } from './order.js';
import { periodsOf } from './parts.js';
import type { Purchase } from './types.js';

export interface AssignableInstance {
  key: string;
  /** Commercial partner. */
  customerId: number;
  /** The company that sold it; null where that is not known. */
  sellerId: number | null;
  planId: number;
  /** Not deleted and not being deleted: a purchase may renew it. */
  alive: boolean;
  /** Its plan is a free trial: any plan bought by its customer takes it over. */
  trial: boolean;
}

/** A purchase, and the company that sold it. */
export type SoldPurchase = Purchase & {
  sellerId: number;
  /** The key of the instance that is born from it; its own key unless that is another one's. */
  bornKey?: string;
};

export interface AssignRules {
  isTrial(planId: number): boolean;
  /** Where a customer has several instances of a plan and the purchase says nothing: the one that expires first. Else ask. */
  firstToExpire: boolean;
  /** For the rule above; null expires first. */
  paidUntil(instanceKey: string): Date | null;
}

export type Assignment =
  | { kind: 'existing'; instanceKey: string }
  | { kind: 'new'; instanceKey: string }
  /** The customer has several of that plan and the purchase does not say which: a person must. */
  | { kind: 'ambiguous'; candidates: string[] }
  /** The purchase names an instance that nobody knows. */
  | { kind: 'unknown-instance'; instanceKey: string }
  /** A free trial for somebody who has or had an instance. */
  | { kind: 'trial-used' };

export interface Decision {
  purchase: Purchase;
  to: Assignment;
}

/**
 * Decides in the order of time (startsOn, then key), so that a renewal joins the instance an earlier purchase of the same
 * batch creates. An instance carries the key of the purchase it was born from, which makes a repeated call give
 * `existing` where the first gave `new`. Nothing is created for purchases that are cancelled or buy nothing.
 */
export function assignPurchases(
  purchases: SoldPurchase[],
  instances: AssignableInstance[],
  rules: AssignRules,
): Decision[] {
  const known = new Map(instances.map((instance) => [instance.key, instance]));
  const decisions: Decision[] = [];
  for (const purchase of inOrder(purchases)) {
    const to = assignmentOf(purchase, known, rules);
    if (to === null) continue;
    if (to.kind === 'new') {
      const { customerId, sellerId, planId } = purchase;
      const trial = rules.isTrial(planId);
      known.set(to.instanceKey, { key: to.instanceKey, customerId, sellerId, planId, alive: true, trial });
    }
    decisions.push({ purchase, to });
  }
  return decisions;
}

function assignmentOf(
  purchase: SoldPurchase,
  known: ReadonlyMap<string, AssignableInstance>,
  rules: AssignRules,
): Assignment | null {
  const { instanceKey, customerId, planId } = purchase;
  const key = purchase.bornKey ?? purchase.key;
  const counts = purchase.state === 'open' && periodsOf(purchase) > 0;
  if (instanceKey !== null && known.has(instanceKey)) return { kind: 'existing', instanceKey };
  if (purchase.state === 'cancelled' || periodsOf(purchase) <= 0) return null;
  if (instanceKey !== null && instanceKey !== key) return counts ? { kind: 'unknown-instance', instanceKey } : null;
  if (known.has(key)) return { kind: 'existing', instanceKey: key };
  const own = [...known.values()].filter((instance) => instance.customerId === customerId);
  if (rules.isTrial(planId) && own.length > 0) return counts ? { kind: 'trial-used' } : null;
  // Linked to the instance it was born from, which is lost: it is born again.
  if (instanceKey === key || purchase.additional) return counts ? { kind: 'new', instanceKey: key } : null;

  // What one company sells renews nothing that another one sold.
  const theirs = own.filter(({ sellerId }) => sellerId === null || sellerId === purchase.sellerId);
  const [only, ...more] = candidatesOf(theirs, planId, rules);
  if (only === undefined) return counts ? { kind: 'new', instanceKey: key } : null;
  if (more.length === 0 || rules.firstToExpire) return { kind: 'existing', instanceKey: only };
  return counts ? { kind: 'ambiguous', candidates: [only, ...more] } : null;
}

/** Which of a customer's instances a purchase may be for: those of the plan, else a trial. The first to expire first. */
function candidatesOf(own: AssignableInstance[], planId: number, { paidUntil }: AssignRules): string[] {
  const alive = own.filter((instance) => instance.alive);
  const ofPlan = alive.filter((instance) => instance.planId === planId);
  const end = ({ key }: AssignableInstance) => paidUntil(key)?.getTime() ?? 0;
  return (ofPlan.length > 0 ? ofPlan : alive.filter((instance) => instance.trial))
    .sort((a, b) => end(a) - end(b) || compareKeys(a.key, b.key))
    .map((instance) => instance.key);
}

function inOrder(purchases: SoldPurchase[]): SoldPurchase[] {
  const byKey = new Map(purchases.map((purchase) => [purchase.key, purchase]));
  return [...byKey.values()].sort((a, b) => byTime([a.startsOn, a.key], [b.startsOn, b.key]));
}
