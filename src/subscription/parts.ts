/** Lines taken apart, and put together again. Pure. */
import type { Entitlement, Purchase } from './types.js';

/** Each part of the purchases, on the terms of its purchase. One without any was sold once: it has a part of nothing. */
export function entitlementsOf(purchases: Purchase[]): Entitlement[] {
  return purchases.flatMap(({ parts, ...terms }) =>
    parts.length === 0
      ? [{ ...terms, quantity: 0, paidOn: null, vanishedOn: null }]
      : parts.map((part) => ({ ...terms, ...part, key: `${terms.key}/${part.key}` })),
  );
}

/** Periods of all parts. */
export function periodsOf({ parts }: Pick<Purchase, 'parts'>): number {
  return parts.reduce((sum, part) => sum + part.quantity, 0);
}

/** Periods that were paid; those whose money vanished without a refund too. */
export function paidPeriodsOf({ parts }: Pick<Purchase, 'parts'>): number {
  return periodsOf({ parts: parts.filter(({ paidOn }) => paidOn !== null) });
}

/** Something of it was paid, and it was not cancelled. */
export function isPaid(purchase: Pick<Purchase, 'state' | 'parts'>): boolean {
  return purchase.state === 'open' && paidPeriodsOf(purchase) > 0;
}

/** When money came for the purchase the last time; null where none did. */
export function lastPaidOn({ parts }: Pick<Purchase, 'parts'>): Date | null {
  const times = parts.flatMap(({ paidOn }) => (paidOn === null ? [] : [paidOn.getTime()]));
  return times.length === 0 ? null : new Date(Math.max(...times));
}

/** Whether a purchase counted, and counts for less or nothing now: money that vanished without a refund still counts. */
export function isTakenBack(before: Purchase | null, now: Purchase): boolean {
  if (before?.state !== 'open') return false;
  return now.state !== 'open' || periodsOf(now) < periodsOf(before) || paidPeriodsOf(now) < paidPeriodsOf(before);
}
