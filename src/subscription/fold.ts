/** Paid time as a pure function: the set of entitlements folded into dates, state and plan. */
import { addDays, addHours, earliestAfter, HOUR_MS, midnightAtOrAfter, midnightBefore } from './calendar.js';
import { type CountedEntitlement, layOut, planAt } from './layout.js';
import { byTime } from './order.js';
import type { Entitlement, Policy, SubscriptionStatus } from './types.js';

/** To make an instance takes less; a longer wait for the first start is given back. */
export const MAKING_MS = HOUR_MS;

/**
 * What a customer has paid for. The same part twice is once, and the order of the parts does not matter.
 * @param entitlements what was bought, part by part.
 * @param startedAt when the instance could be used for the first time, null while it could not: the first period begins
 *   then.
 * @param graceDaysOfPlan days between `paidUntil` and the suspension.
 * @param now decides the state, and whether an unpaid entitlement still counts; no date depends on it otherwise.
 */
export function subscriptionStatus(
  entitlements: Entitlement[],
  startedAt: Date | null,
  graceDaysOfPlan: (planId: number) => number,
  policy: Policy,
  now: Date,
): SubscriptionStatus {
  const known = distinct(entitlements);
  // Time that staff give from a later date on must not fill the gap before it.
  const coming = known.filter(
    (entitlement) => isGrant(entitlement) && counts(entitlement) && entitlement.startsOn > now,
  );
  const counting = known
    .filter((entitlement) => !coming.includes(entitlement))
    .map((entitlement) => countedOf(entitlement, policy, now))
    .filter((each) => each !== null)
    .sort((a, b) => byTime([a.start, a.entitlement.key], [b.start, b.entitlement.key]))
    .map((each) => ({ ...each, start: usableFrom(each.start, startedAt ?? now) }));
  // The payment of what counts already would give no more time than there is.
  const counted = new Set(counting.map(({ entitlement }) => entitlement));
  const awaited = known.filter((entitlement) => !counted.has(entitlement));
  const awaitedUntil = latest(awaited.map((entitlement) => awaitedFor(entitlement, policy)));
  const comingAt = coming.map(({ startsOn }) => startsOn);
  const { segments, end: paidUntil, hourly } = layOut(counting);
  const newest = segments.at(-1);
  if (paidUntil === null || newest === undefined) {
    return {
      paidUntil: null,
      suspendAt: null,
      heldOff: false,
      awaitedUntil,
      state: coming.length > 0 ? 'draft' : stateOfNothing(known, policy),
      planId: known.findLast(({ state }) => state !== 'pending')?.planId ?? null,
      lastPaymentOn: null,
      lastStartOn: null,
      lapsesAt: null,
      hourly: false,
      nextChangeAt: earliestAfter(now, comingAt),
    };
  }

  const graceEnd = addDays(paidUntil, graceDaysOfPlan(newest.planId));
  const unpaidAt = hourly ? graceEnd : midnightAtOrAfter(graceEnd, policy.timeZone);
  const heldOffUntil = latest(awaited.map((entitlement) => pendingUntil(entitlement, unpaidAt, policy)));
  const heldOff = heldOffUntil !== null && heldOffUntil > unpaidAt;
  const suspendAt = heldOff ? heldOffUntil : unpaidAt;
  const soonAt = hourly ? paidUntil : midnightBefore(paidUntil, policy.expiringSoonDays, policy.timeZone);
  const planId = planAt(segments, now);
  return {
    paidUntil,
    suspendAt,
    heldOff,
    awaitedUntil,
    state: now >= paidUntil ? 'expired' : now >= soonAt ? 'expiring_soon' : 'active',
    planId,
    lastPaymentOn: latest(counting.map((each) => each.entitlement.paidOn)),
    lastStartOn: latest(counting.map((each) => each.start)),
    lapsesAt: earliestAfter(
      now,
      counting.map((each) => each.lapsesAt),
    ),
    hourly,
    nextChangeAt: earliestAfter(now, [
      ...comingAt,
      ...counting.map((each) => each.lapsesAt),
      ...segments.flatMap(({ from, until }) => [from, until]).filter((moment) => planAt(segments, moment) !== planId),
      soonAt,
      paidUntil,
      suspendAt,
    ]),
  };
}

/**
 * One entitlement a key, oldest first. Two versions of one purchase never reach us from the store; if they do, the
 * choice does not depend on their order, and a cancellation wins.
 */
function distinct(entitlements: Entitlement[]): Entitlement[] {
  const byKey = new Map<string, { entitlement: Entitlement; text: string }>();
  for (const entitlement of entitlements.filter(({ startsOn }) => !Number.isNaN(startsOn.getTime()))) {
    const { key, state, planId, quantity, periodCount, periodUnit, startsOn, paidOn, vanishedOn } = entitlement;
    const { unitPrice, listPrice, keepPlan, pendingSince } = entitlement;
    const text = JSON.stringify([
      ...[state, vanishedOn, paidOn, startsOn, planId, quantity, periodCount, periodUnit],
      ...[unitPrice, listPrice, keepPlan, pendingSince],
    ]);
    const seen = byKey.get(key);
    if (seen === undefined || text < seen.text) byKey.set(key, { entitlement, text });
  }
  return [...byKey.values()]
    .map(({ entitlement }) => entitlement)
    .sort((a, b) => byTime([a.startsOn, a.key], [b.startsOn, b.key]));
}

/** Null for what does not count: cancelled, not confirmed, nothing bought, or unpaid for too long. */
function countedOf(entitlement: Entitlement, policy: Policy, now: Date): CountedEntitlement | null {
  if (!counts(entitlement)) return null;
  const { startsOn, paidOn, vanishedOn } = entitlement;
  // A grant by staff is a gift: nobody will pay it.
  if (paidOn === null && isGrant(entitlement)) return { entitlement, start: startsOn, lapsesAt: null };
  const trustedUntil = addDays(startsOn, policy.unpaidOrderGraceDays);
  const missedFrom =
    vanishedOn && midnightAtOrAfter(addHours(vanishedOn, policy.vanishedPaymentHours), policy.timeZone);
  if (paidOn !== null && (missedFrom === null || now < missedFrom)) {
    return { entitlement, start: paidOn > trustedUntil ? paidOn : startsOn, lapsesAt: missedFrom };
  }
  // An invoice without an order is not trusted.
  if (entitlement.key.startsWith('aml:')) return null;
  // Without trust there is nothing for a payment on its way to prolong.
  if (policy.unpaidOrderGraceDays <= 0) return null;
  const lapsesAt = pendingUntil(entitlement, trustedUntil, policy) ?? trustedUntil;
  return now < lapsesAt ? { entitlement, start: startsOn, lapsesAt } : null;
}

/** What was bought before an instance could be used for the first time begins when it could. */
function usableFrom(start: Date, startedAt: Date): Date {
  return startedAt.getTime() - start.getTime() > MAKING_MS ? startedAt : start;
}

/** Until when a payment that is on its way holds off what would happen at `otherwise`; null where it does not. */
function pendingUntil(entitlement: Entitlement, otherwise: Date, policy: Policy): Date | null {
  const until = awaitedFor(entitlement, policy);
  if (until === null || entitlement.pendingSince === null || entitlement.pendingSince > otherwise) return null;
  return until > otherwise ? until : null;
}

/** Until when a payment that is on its way is waited for; null where none is. */
function awaitedFor({ state, pendingSince, paidOn }: Entitlement, policy: Policy): Date | null {
  if (state === 'cancelled' || pendingSince === null || paidOn !== null) return null;
  return midnightAtOrAfter(addDays(pendingSince, policy.pendingPaymentDays), policy.timeZone);
}

/** As far as the purchase itself says. */
function counts(entitlement: Entitlement): boolean {
  return entitlement.state === 'open' && (hasPeriod(entitlement) || isPlanChange(entitlement));
}

function hasPeriod({ quantity, periodCount }: Entitlement): boolean {
  return quantity > 0 && periodCount > 0;
}

/** Given by staff: another plan and no time. */
function isPlanChange(entitlement: Entitlement): boolean {
  return isGrant(entitlement) && entitlement.quantity === 0 && entitlement.periodCount > 0;
}

function isGrant({ key }: Entitlement): boolean {
  return key.startsWith('grant:');
}

/** The state when nothing counts now. An order that was trusted and never paid has expired; without trust it is a draft. */
function stateOfNothing(known: Entitlement[], policy: Policy): SubscriptionStatus['state'] {
  const bought = known.filter((entitlement) => entitlement.state !== 'pending' && hasPeriod(entitlement));
  if (bought.length === 0) return known.some(({ state }) => state === 'cancelled') ? 'cancelled' : 'draft';
  if (bought.every(({ state }) => state === 'cancelled')) return 'cancelled';
  return policy.unpaidOrderGraceDays > 0 ? 'expired' : 'draft';
}

function latest(dates: (Date | null)[]): Date | null {
  const times = dates.filter((date) => date !== null).map((date) => date.getTime());
  return times.length === 0 ? null : new Date(Math.max(...times));
}
