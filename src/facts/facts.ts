/** What is known about one instance at one moment, and what must be by that: read from the store alone. */

import { OPERATIONS } from '../instance/operations/operations.js';
import { PHASE } from '../instance/phase.js';
import type { PlanContext } from '../instance/plan.js';
import { AWAKE, type Sleep, sleepOf } from '../instance/sleep.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Desired, Instance, Plan } from '../instance/types.js';
import { TerminalError } from '../lib/errors.js';
import { areSecretsSet, readKnownKey } from '../store/known-key.js';
import type { Store } from '../store/store.js';
import { type Decision, decide, type Situation } from '../subscription/desired.js';
import { isOverStorage, isUnreadable } from '../subscription/fit.js';
import { subscriptionStatus } from '../subscription/fold.js';
import { entitlementsOf } from '../subscription/parts.js';
import { calendarNotices, type DueNotice } from '../subscription/timeline.js';
import type { Policy, Purchase, SubscriptionStatus } from '../subscription/types.js';

export interface Facts {
  instance: Instance;
  purchases: Purchase[];
  plan: Plan;
  status: SubscriptionStatus;
  decision: Decision;
  desired: Desired;
  /** Reminders and warnings of the present period. */
  notices: DueNotice[];
  /** Since when it has used more storage than its plan has; null while it has not. */
  storageOverSince: Date | null;
  /** Its passwords derive from the key that the daemon has. */
  secretsSet: boolean;
  /** Of one that must run: whether it is to be down until somebody visits it. */
  sleep: Sleep;
}

/**
 * The facts about an instance; null when it is unknown or deleted.
 * @throws TerminalError `plan.unknown` when nothing is known about its plan.
 */
export function readFacts(store: Store, policy: Policy, key: string, now: Date): Facts | null {
  const instance = store.instances.get(key);
  if (!instance || PHASE[instance.phase].gone) return null;
  const purchases = store.purchases.byInstance(key);
  const status = subscriptionStatus(entitlementsOf(purchases), instance.startedAt, graceDaysIn(store), policy, now);
  const plan = store.plans.get(status.planId ?? instance.planId);
  if (!plan) {
    throw new TerminalError(
      'plan.unknown',
      `${instance.name} is sold as product ${status.planId ?? instance.planId}, which is no complete plan`,
      'Open the product in the master and complete its SaaS plan page.',
    );
  }
  const isMeasuredOver = instance.usage !== null && isOverStorage(instance.usage, plan);
  const isOver = isMeasuredOver || (plan.storageGb > 0 && isUnreadable(instance, now));
  const storageOverSince = isOver ? (instance.storageOverSince ?? now) : null;
  const decision = decide(status, situationOf(instance, plan, storageOverSince), policy, now);
  const notices = instance.startedAt === null ? [] : calendarNotices(status, decision, policy);
  const secretsSet = areSecretsSet(instance, readKnownKey(store.meta));
  const sleep = decision.desired.state === 'running' ? sleepIn(store, instance, plan, now) : AWAKE;
  return {
    instance,
    purchases,
    plan,
    status,
    decision,
    desired: decision.desired,
    notices,
    storageOverSince,
    secretsSet,
    sleep,
  };
}

/** Nobody sleeps while something is done with it. */
function sleepIn(store: Store, instance: Instance, { sleep }: Plan, now: Date): Sleep {
  const { key, startedAt, visitedAt, wokenAt, asleepSince } = instance;
  if (!sleep || startedAt === null) return AWAKE;
  if (store.operations.of(key).some(({ kind }) => !OPERATIONS[kind].remembered)) return AWAKE;
  return sleepOf({ ...sleep, visitedAt: visitedAt ?? startedAt, wokenAt, asleepSince }, now);
}

/** What decides beside the purchases. */
export function situationOf(instance: Instance, plan: Plan, storageOverSince: Date | null): Situation {
  const { hold, spaceStoppedAt, suspendedAt, warnedAt, toldDeleteAt, toldStorageAt, startedAt } = instance;
  const told = { warnedAt, toldDeleteAt, toldStorageAt };
  const { retentionDays } = plan;
  return { hold, spaceStoppedAt, suspendedAt, ...told, isUsed: startedAt !== null, storageOverSince, retentionDays };
}

export function graceDaysIn(store: Store): (planId: number) => number {
  return (planId) => store.plans.get(planId)?.graceDays ?? 0;
}

/**
 * What the planner needs to know beside what must be and what is.
 * @param spec what the instance would be made from; null while it has no place.
 */
export function planContext(
  { instance, plan, secretsSet, sleep }: Pick<Facts, 'instance' | 'plan' | 'secretsSet' | 'sleep'>,
  spec: InstanceSpec | null,
): PlanContext {
  return {
    provisioned: instance.startedAt !== null,
    limitsApplied: instance.limits === limitsOf(plan),
    settingsApplied: spec === null || instance.settings === settingsOf(spec),
    secretsSet,
    isAsleep: sleep.isAsleep,
  };
}

/** What its Odoo is told of itself, as one word: another one is to be told. */
export function settingsOf({ url, accountUrl }: Pick<InstanceSpec, 'url' | 'accountUrl'>): string {
  return `${url} ${accountUrl}`;
}

/** The limits as one word: another one is to be applied. */
export function limitsOf({ cpu, memoryMb, maxUsers }: { cpu: number; memoryMb: number; maxUsers: number }): string {
  return `${cpu}/${memoryMb}/${maxUsers}`;
}
