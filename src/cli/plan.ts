/** `saas-bridge plan`: what would be done, now or on a date, without doing it. */
import { systemClock } from '../clock.js';
import type { Config } from '../config.js';
import { createFleet, urlOf } from '../daemon.js';
import { type InstanceSpec, instanceSpec } from '../docker/spec.js';
import { planSteps } from '../instance/plan.js';
import type { Facts } from '../reconcile/reconciler.js';
import { openStore } from '../store/store.js';
import { factsOf } from './facts.js';
import { moment, type Out } from './output.js';

/** Facts from the store as the last poll left them; the engine as it is now. */
export async function showPlan(config: Config, at: Date | null, out: Out, asJson: boolean): Promise<void> {
  const store = openStore(config.storePath, { readonly: true });
  try {
    const date = at ?? systemClock(config.clockOffset)();
    const { instances } = await createFleet(config);
    const observed = await instances.observeAll();
    const problems: { name: string; problem: string }[] = [];
    const plans = store.instances.all().flatMap(({ key, name }) => {
      const { facts, problem } = factsOf(store, config, key, date);
      if (problem) problems.push({ name, problem });
      if (!facts) return [];
      const spec = specOf(config, facts);
      const steps = planSteps(facts.desired, observed.get(name) ?? { network: false, db: null, odoo: null }, {
        specHashes: spec ? instances.hashes(spec) : { db: '', odoo: '' },
        provisioned: facts.instance.startedAt !== null,
      });
      return [{ name, desired: facts.desired, steps: steps.map(({ action }) => action) }];
    });
    const due = plans.filter(({ steps }) => steps.length > 0);
    if (asJson) {
      out.write(`${JSON.stringify({ at: date.toISOString(), plans, problems })}\n`);
      return;
    }
    out.write(`At ${moment(date, config.policy.timeZone)} (${config.policy.timeZone}): `);
    out.write(due.length === 0 ? 'nothing to do.\n' : `${due.length} of ${plans.length} instances change.\n`);
    for (const { name, desired, steps } of due) {
      out.write(`${name} → ${desired.state}: ${desired.reason}\n  ${steps.join(', ')}\n`);
    }
    for (const { name, problem } of problems) out.write(`${name}: nothing can be planned: ${problem}\n`);
  } finally {
    store.close();
  }
}

/** A new instance has no slot yet: any slot shows the same steps. */
function specOf(config: Config, { instance, plan }: Facts): InstanceSpec {
  const slot = instance.slot ?? 0;
  return instanceSpec({ ...instance, slot }, plan, urlOf(config, instance.name, slot));
}
