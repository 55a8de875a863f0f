/** What is known about one instance at one moment, and what must be by that: read from the store alone. */
import { TerminalError } from '../errors.js';
import type { Desired, Instance, Plan } from '../instance/types.js';
import type { Store } from '../store/store.js';
import { desiredState } from '../subscription/desired.js';
import { subscriptionStatus } from '../subscription/fold.js';
import type { Policy, Purchase, SubscriptionStatus } from '../subscription/types.js';

export interface Facts {
  instance: Instance;
  purchases: Purchase[];
  plan: Plan;
  status: SubscriptionStatus;
  desired: Desired;
}

/**
 * The facts about an instance; null when it is unknown or deleted.
 * @throws TerminalError `plan.unknown` when nothing is known about its plan.
 */
export function readFacts(store: Store, policy: Policy, key: string, now: Date): Facts | null {
  const instance = store.instances.get(key);
  if (!instance || instance.phase === 'deleted') return null;
  const purchases = store.purchases.byInstance(key);
  const status = subscriptionStatus(purchases, (id) => store.plans.get(id)?.graceDays ?? 0, policy, now);
  const plan = store.plans.get(status.planId ?? instance.planId);
  if (!plan) {
    throw new TerminalError(
      'plan.unknown',
      `${instance.name} is sold as product ${status.planId ?? instance.planId}, which is no complete plan`,
      'Open the product in the master and complete its SaaS plan page.',
    );
  }
  return { instance, purchases, plan, status, desired: desiredState(status, instance.hold, now) };
}
