/** What the commands that only look read: the store beside the running daemon, and what it would do. */
import type { Config } from '../config/config.js';
import { addressesBy } from '../facts/address.js';
import { type Facts, planContext, readFacts } from '../facts/facts.js';
import { specReader } from '../facts/spec-of.js';
import { planSteps } from '../instance/plan.js';
import type { StepName } from '../instance/steps.js';
import type { Observed } from '../instance/types.js';
import { messageOf } from '../lib/errors.js';
import type { Store } from '../store/store.js';

/** The facts about one instance, or why there are none: one that is broken must not hide the others. */
export function factsOf(
  store: Store,
  { policy }: Config,
  key: string,
  at: Date,
): { facts: Facts | null; problem: string | null } {
  try {
    return { facts: readFacts(store, policy, key, at), problem: null };
  } catch (error) {
    return { facts: null, problem: messageOf(error) };
  }
}

/** The steps that the daemon would take now, without the operations that wait. */
export function stepsOf({ instances }: Config, facts: Facts, observed: Observed | undefined): StepName[] {
  const context = planContext(facts, specReader(addressesBy(instances.urlTemplate))(facts));
  const steps = planSteps(facts.desired, observed ?? { network: false, db: null, odoo: null }, context);
  return steps.map(({ action }) => action);
}
