/** A change to a smaller plan than the instance uses is refused, whether it was bought or asked for. */

import type { Facts } from '../facts/facts.js';
import type { Command } from '../instance/command.js';
import { containersWanted } from '../instance/phase.js';
import { planNameFor } from '../instance/plan-name.js';
import type { Runtime } from '../instance/ports.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Instance, Plan, Usage } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { isStopped, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import type { Outside } from '../lib/turns.js';
import { misfitSentences, misfitText } from '../owed/misfit.js';
import { noticeOperation, purchaseTodo } from '../owed/operations.js';
import type { Sentence } from '../protocol/sentences.js';
import type { Store } from '../store/store.js';
import { type Misfit, misfitOf } from '../subscription/fit.js';
import type { Purchase } from '../subscription/types.js';

export interface PlanChangeParts {
  store: Store;
  runtime: Pick<Runtime, 'measure'>;
  /** Makes a backup of an instance now. */
  backUp(instanceKey: string, before: 'refusal'): Promise<void>;
  clock: Clock;
  log: Log;
  specOf(facts: { instance: Instance; plan: Plan }): InstanceSpec | null;
}

/** A command that is not done, and why. */
export interface Refusal {
  commandId: number;
  message: Sentence;
}

export function createPlanChange(parts: PlanChangeParts) {
  const { store, log } = parts;

  /** As fresh as can be: of one that does not run, what was measured last. */
  async function usageOf(instance: Instance, plan: Plan): Promise<Usage | null> {
    const spec = parts.specOf({ instance, plan });
    if (containersWanted(instance) !== 'up' || !spec) return instance.usage;
    try {
      const usage = await parts.runtime.measure(spec);
      store.instances.update(instance.key, { usage, measuredAt: parts.clock() });
      return usage;
    } catch (error) {
      log.warn('usage.failed', `${instance.name} could not be measured: ${messageOf(error)}`, {
        instance: instance.name,
      });
      return instance.usage;
    }
  }

  /** Its customer may now throw things away to fit into the plan. One that cannot be made hinders nothing. */
  async function backUp({ key, name }: Instance): Promise<void> {
    try {
      await parts.backUp(key, 'refusal');
    } catch (error) {
      if (isStopped(error)) throw error;
      log.warn('backup.failed', `${name} could not be backed up.`, { instance: name, ...errorFields(error) });
    }
  }

  /**
   * Looks at a plan that was bought and is not the present one. Where the instance does not fit into it, the purchase is
   * turned into more time of the present plan; true then: the facts are others.
   */
  async function refuse({ instance, plan, status, purchases }: Facts, outside: Outside): Promise<boolean> {
    const present = store.plans.get(instance.planId);
    if (instance.startedAt === null || !present || present.id === plan.id) return false;
    const bought = newestOf(purchases, plan.id);
    // A change that staff made was looked at when they asked for it.
    if (!bought || bought.key.startsWith('grant:')) return false;
    const usage = await usageOf(instance, present);
    const misfit = usage && misfitOf(usage, present, plan);
    if (!misfit) return false;
    const why = misfitText(misfit);
    if (containersWanted(instance) === 'up') await outside(() => backUp(instance));
    store.transaction(() => {
      store.purchases.keepPlan(bought.key);
      store.outbox.put(
        purchaseTodo(bought.key, 'plan-refused', refusedSentence(bought, instance, present, misfit), true),
        instance.key,
      );
      if (instance.customer.email === '') return;
      const operation = noticeOperation(instance, 'plan_refused', bought.key, {
        planName: planNameFor(present, instance.customer.lang),
        trial: present.trial,
        wantedPlanName: planNameFor(plan, instance.customer.lang),
        refusal: { en: `Your Odoo: ${why.en}.`, es: `Su Odoo ${why.es}.` },
        paidUntil: status.paidUntil?.toISOString() ?? null,
        deleteOn: null,
      });
      if (store.events.record(operation.key, 'plan_refused')) store.outbox.put(operation, instance.key);
    });
    log.warn('plan.refused', `${bought.document}: ${instance.name} does not fit into ${plan.name}: ${why.en}.`, {
      instance: instance.name,
      order: bought.document,
      advice: 'The money extends its present plan. Talk to the customer; staff can change the plan later.',
    });
    return true;
  }

  /** Which of the commands that ask for another plan cannot be done. */
  async function answer({ instance, plan }: Facts, commands: Command[]): Promise<Refusal[]> {
    const asked = commands.filter(({ command }) => command === 'change_plan');
    if (asked.length === 0) return [];
    const usage = await usageOf(instance, plan);
    return asked.flatMap(({ id, planId }): Refusal[] => {
      const wanted = planId === null ? null : store.plans.get(planId);
      if (!wanted) return [{ commandId: id, message: { code: 'plan_unknown', params: {} } }];
      const misfit = usage && misfitOf(usage, plan, wanted);
      if (!misfit) return [];
      const params = { instance: instance.name, plan: wanted.name, misfits: misfitSentences(misfit) };
      return [{ commandId: id, message: { code: 'plan_misfit', params } }];
    });
  }

  return { refuse, answer };
}

function newestOf(purchases: Purchase[], planId: number): Purchase | undefined {
  return purchases
    .filter((purchase) => purchase.planId === planId && purchase.state === 'open' && !purchase.keepPlan)
    .toSorted((a, b) => a.startsOn.getTime() - b.startsOn.getTime())
    .at(-1);
}

function refusedSentence({ document }: Purchase, instance: Instance, { name: plan }: Plan, misfit: Misfit): Sentence {
  const params = { document, instance: instance.name, plan, misfits: misfitSentences(misfit) };
  return { code: 'plan_change_refused', params };
}
