/** Which instance a purchase is for. */
import type { Purchase } from './types.js';

export interface AssignableInstance {
  key: string;
  /** Commercial partner. */
  customerId: number;
  planId: number;
  /** Not deleted and not being deleted: a purchase may renew it. */
  alive: boolean;
}

export type Assignment =
  | { kind: 'existing'; instanceKey: string }
  | { kind: 'new'; instanceKey: string }
  /** The customer has several of that plan and the line does not say which: a person must. */
  | { kind: 'ambiguous'; candidates: string[] }
  /** The line names an instance that nobody knows. */
  | { kind: 'unknown-instance'; instanceKey: string };

export interface Decision {
  purchase: Purchase;
  to: Assignment;
}

/**
 * Decides in the order of time (startsOn, then key), so that a renewal joins the instance an earlier line of the same
 * batch creates. An instance carries the key of the purchase it was born from, which makes a repeated call give
 * `existing` where the first gave `new`. Nothing is created for lines that are cancelled or buy nothing.
 */
export function assignPurchases(purchases: Purchase[], instances: AssignableInstance[]): Decision[] {
  const known = new Map(instances.map((instance) => [instance.key, instance]));
  const decisions: Decision[] = [];
  for (const purchase of inOrder(purchases)) {
    const to = assignmentOf(purchase, known);
    if (to === null) continue;
    if (to.kind === 'new') {
      const { customerId, planId } = purchase;
      known.set(to.instanceKey, { key: to.instanceKey, customerId, planId, alive: true });
    }
    decisions.push({ purchase, to });
  }
  return decisions;
}

function assignmentOf(purchase: Purchase, known: ReadonlyMap<string, AssignableInstance>): Assignment | null {
  const { key, instanceKey, customerId, planId } = purchase;
  const counts = purchase.state === 'open' && purchase.quantity > 0;
  if (instanceKey !== null && known.has(instanceKey)) return { kind: 'existing', instanceKey };
  if (!counts) return null;
  if (instanceKey !== null && instanceKey !== key) return { kind: 'unknown-instance', instanceKey };
  if (known.has(key)) return { kind: 'existing', instanceKey: key };
  // Linked to the instance it was born from, which is lost: it is born again.
  if (instanceKey === key || purchase.additional) return { kind: 'new', instanceKey: key };

  const candidates = [...known.values()]
    .filter((instance) => instance.alive && instance.customerId === customerId && instance.planId === planId)
    .map((instance) => instance.key)
    .sort();
  const [only] = candidates;
  if (only === undefined) return { kind: 'new', instanceKey: key };
  return candidates.length === 1 ? { kind: 'existing', instanceKey: only } : { kind: 'ambiguous', candidates };
}

function inOrder(purchases: Purchase[]): Purchase[] {
  const byKey = new Map(purchases.map((purchase) => [purchase.key, purchase]));
  return [...byKey.values()].sort((a, b) => a.startsOn.getTime() - b.startsOn.getTime() || (a.key < b.key ? -1 : 1));
}
