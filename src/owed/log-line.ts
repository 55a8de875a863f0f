/** A run in one line, for the log and for the record: event and sentence. Pure. */
import { DAY_MS } from '../subscription/calendar.js';
import { MAKING_MS } from '../subscription/fold.js';
import type { Purchase } from '../subscription/types.js';
import type { Run } from './notices.js';

/**
 * Null for a run that changed nothing.
 * @param changed some step was done.
 * @param ms how long it took.
 */
export function lineOf(
  { before, after, facts, recovered }: Run,
  changed: boolean,
  ms: number,
): [string, string] | null {
  const { desired } = facts;
  const { name, document } = before;
  const seconds = `${(ms / 1000).toFixed(1)} s`;
  if (before.startedAt === null && after.phase === 'running') {
    const waited = waitedMs(facts.purchases, after.startedAt);
    const given =
      waited > MAKING_MS ? `; the ${(waited / DAY_MS).toFixed(1)} days until its first start are given back` : '';
    return ['instance.provisioned', `${document} paid → ${name} running in ${seconds}${given}`];
  }
  if (after.phase === 'deleted') return ['instance.deleted', `${name} and its data are deleted: ${desired.reason}`];
  if (after.phase === 'running' && before.suspendedAt !== null) {
    return ['instance.reactivated', `${name} runs again after ${seconds}: ${desired.reason}`];
  }
  if (after.suspendedAt !== null && before.suspendedAt === null && before.startedAt !== null) {
    return ['instance.suspended', `${name} is suspended, its data is kept: ${desired.reason}`];
  }
  if (before.asleepSince === null && after.asleepSince !== null) {
    return ['instance.asleep', `${name} sleeps until somebody visits it.`];
  }
  if (before.asleepSince !== null && after.asleepSince === null) {
    return ['instance.awake', `${name} was woken in ${seconds}.`];
  }
  if (recovered) return ['instance.rebuilt', `${name} kept dying; rebuilt from its own data in ${seconds}.`];
  if (before.planId !== facts.plan.id) {
    return ['instance.plan_changed', `${name} has the plan ${facts.plan.name} now: ${desired.reason}`];
  }
  if (!changed && after.phase === before.phase) return null;
  return ['instance.reconciled', `${name} is ${after.phase}: ${desired.reason}`];
}

/** How long what was bought first could not be used. */
function waitedMs(purchases: Purchase[], startedAt: Date | null): number {
  const parts = purchases.filter(({ state }) => state === 'open').flatMap((purchase) => purchase.parts);
  const begun = Math.min(...parts.map(({ startsOn, paidOn }) => (paidOn ?? startsOn).getTime()));
  return startedAt === null || !Number.isFinite(begun) ? 0 : startedAt.getTime() - begun;
}
