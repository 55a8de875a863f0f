/** What the commands that only look read: the store beside the running daemon, and what it would do. */
import type { Config } from '../config/config.js';
import type { Instances } from '../docker/instance/runtime.js';
import { type Facts, planContext, readFacts } from '../facts/facts.js';
import { planSteps } from '../instance/plan.js';
import { instanceSpec } from '../instance/spec.js';
import type { StepName } from '../instance/steps.js';
import type { Observed } from '../instance/types.js';
import { messageOf } from '../lib/errors.js';
import type { Store } from '../store/store.js';
import { urlOf } from '../wiring.js';

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

/** The steps that the daemon would take now. A new instance has no slot yet: any slot shows the same steps. */
export function stepsOf(
  config: Config,
  instances: Pick<Instances, 'hashes'>,
  store: Store,
  facts: Facts,
  observed: Observed | undefined,
): StepName[] {
  const { instance, plan, desired } = facts;
  const slot = instance.slot ?? 0;
  const spec = instanceSpec({ ...instance, slot }, plan, urlOf(config, instance.name, slot));
  const context = planContext(store, facts, instances.hashes(spec), config.exports.keptDays);
  return planSteps(desired, observed ?? { network: false, db: null, odoo: null }, context).map(({ action }) => action);
}
