/** Paid time as a pure function: the set of entitlements folded into dates, state and plan. */
import { addDays, addSpan, DAY_MS, midnightAtOrAfter, type Span, spanOf } from './calendar.js';
import type { Entitlement, Policy, SubscriptionStatus } from './types.js';

/** An entitlement that counts, and the instant from which. */
interface Claim {
  entitlement: Entitlement;
  start: Date;
  /** When it stops counting unless it is paid; null when it is paid. */
  lapsesAt: Date | null;
}

/** The stretch of time that one entitlement pays for. */
interface Segment {
  planId: number;
  from: Date;
  until: Date;
}

/** Segments without a gap. Months and milliseconds add up on one anchor, so that month ends do not drift. */
interface Run {
  anchor: Date;
  span: Span;
  end: Date;
  /** Every period in it is counted in hours. */
  hourly: boolean;
}

/**
 * What a customer has paid for. The same line twice is once, and the order of the lines does not matter.
 * @param graceDaysOfPlan days between `paidUntil` and the suspension.
 * @param now decides the state, and whether an unpaid entitlement still counts; no date depends on it otherwise.
 */
export function subscriptionStatus(
  entitlements: Entitlement[],
  graceDaysOfPlan: (planId: number) => number,
  policy: Policy,
  now: Date,
): SubscriptionStatus {
  const known = distinct(entitlements);
  const claims = known
    .map((entitlement) => claimOf(entitlement, policy, now))
    .filter((claim) => claim !== null)
    .sort((a, b) => a.start.getTime() - b.start.getTime() || compareText(a.entitlement.key, b.entitlement.key));
  const { segments, run } = layOut(claims);
  const newest = segments.at(-1);
  if (run === null || newest === undefined) {
    return {
      paidUntil: null,
      suspendAt: null,
      state: stateOfNothing(known, policy),
      planId: known.at(-1)?.planId ?? null,
      lastPaymentOn: null,
      nextChangeAt: null,
    };
  }

  const paidUntil = run.end;
  const graceEnd = addDays(paidUntil, graceDaysOfPlan(newest.planId));
  const suspendAt = run.hourly ? graceEnd : midnightAtOrAfter(graceEnd, policy.timeZone);
  const soonAt = run.hourly ? paidUntil : new Date(paidUntil.getTime() - policy.expiringSoonDays * DAY_MS);
  const planAt = (moment: Date) =>
    (segments.find((segment) => segment.from <= moment && moment < segment.until) ?? newest).planId;
  const planId = planAt(now);
  return {
    paidUntil,
    suspendAt,
    state: now >= paidUntil ? 'expired' : now >= soonAt ? 'expiring_soon' : 'active',
    planId,
    lastPaymentOn: latest(claims.map((claim) => claim.entitlement.paidOn)),
    nextChangeAt: earliestAfter(now, [
      ...claims.map((claim) => claim.lapsesAt),
      ...segments.flatMap(({ from, until }) => [from, until]).filter((moment) => planAt(moment) !== planId),
      soonAt,
      paidUntil,
      suspendAt,
    ]),
  };
}

/**
 * One entitlement a key, oldest first. Two versions of one line never reach us from the store; if they do, the
 * choice does not depend on their order, and a cancellation wins.
 */
function distinct(entitlements: Entitlement[]): Entitlement[] {
  const byKey = new Map<string, { entitlement: Entitlement; text: string }>();
  for (const entitlement of entitlements.filter(({ startsOn }) => !Number.isNaN(startsOn.getTime()))) {
    const { key, state, planId, quantity, periodCount, periodUnit, startsOn, paidOn } = entitlement;
    const text = JSON.stringify([state, paidOn, startsOn, planId, quantity, periodCount, periodUnit]);
    const seen = byKey.get(key);
    if (seen === undefined || text < seen.text) byKey.set(key, { entitlement, text });
  }
  return [...byKey.values()]
    .map(({ entitlement }) => entitlement)
    .sort((a, b) => a.startsOn.getTime() - b.startsOn.getTime() || compareText(a.key, b.key));
}

/** Null for what does not count: cancelled, nothing bought, or unpaid for too long. */
function claimOf(entitlement: Entitlement, policy: Policy, now: Date): Claim | null {
  if (entitlement.state === 'cancelled' || !hasPeriod(entitlement)) return null;
  const { startsOn, paidOn } = entitlement;
  // A grant by staff is a gift: nobody will pay it.
  if (paidOn === null && entitlement.key.startsWith('grant:')) return { entitlement, start: startsOn, lapsesAt: null };
  const lapsesAt = addDays(startsOn, policy.unpaidOrderGraceDays);
  if (paidOn !== null) return { entitlement, start: paidOn > lapsesAt ? paidOn : startsOn, lapsesAt: null };
  return now < lapsesAt ? { entitlement, start: startsOn, lapsesAt } : null;
}

function hasPeriod({ quantity, periodCount }: Entitlement): boolean {
  return quantity > 0 && periodCount > 0;
}

/** Puts the claims one after the other; a claim that starts after the end so far begins a new run. */
function layOut(claims: Claim[]): { segments: Segment[]; run: Run | null } {
  const segments: Segment[] = [];
  let run: Run | null = null;
  for (const { entitlement, start } of claims) {
    const { planId, quantity, periodCount, periodUnit } = entitlement;
    if (run === null || start > run.end) run = { anchor: start, span: { months: 0, ms: 0 }, end: start, hourly: true };
    const more = spanOf(quantity, periodCount, periodUnit);
    const span: Span = { months: run.span.months + more.months, ms: run.span.ms + more.ms };
    const end = addSpan(run.anchor, span);
    segments.push({ planId, from: run.end, until: end });
    run = { anchor: run.anchor, span, end, hourly: run.hourly && periodUnit === 'hour' };
  }
  return { segments, run };
}

/** The state when nothing counts now. An order that was trusted and never paid has expired; without trust it is a draft. */
function stateOfNothing(known: Entitlement[], policy: Policy): SubscriptionStatus['state'] {
  const bought = known.filter(hasPeriod);
  if (bought.length === 0) return known.some(({ state }) => state === 'cancelled') ? 'cancelled' : 'draft';
  if (bought.every(({ state }) => state === 'cancelled')) return 'cancelled';
  return policy.unpaidOrderGraceDays > 0 ? 'expired' : 'draft';
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function latest(dates: (Date | null)[]): Date | null {
  const times = dates.filter((date) => date !== null).map((date) => date.getTime());
  return times.length === 0 ? null : new Date(Math.max(...times));
}

function earliestAfter(now: Date, dates: (Date | null)[]): Date | null {
  const times = dates.filter((date) => date !== null && date > now).map((date) => Number(date));
  return times.length === 0 ? null : new Date(Math.min(...times));
}
