/** `saas-bridge plan`: what would be done, now or on a date, without doing it. */
import { systemClock } from '../clock.js';
import type { Config } from '../config.js';
import { createFleet } from '../daemon.js';
import { openStore } from '../store/store.js';
import { factsOf, stepsOf } from './facts.js';
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
      return [{ name, desired: facts.desired, steps: stepsOf(config, instances, facts, observed.get(name)) }];
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
