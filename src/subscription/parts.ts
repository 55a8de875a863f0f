/** Lines taken apart, and put together again. Pure. */
import type { Entitlement, Purchase } from './types.js';

/** Each part of the lines on the terms of its line. Of a line without any there is one of nothing: it was sold once. */
export function entitlementsOf(purchases: Purchase[]): Entitlement[] {
  return purchases.flatMap(({ parts, ...line }) =>
    parts.length === 0
      ? [{ ...line, quantity: 0, paidOn: null, vanishedOn: null }]
      : parts.map((part) => ({ ...line, ...part, key: `${line.key}/${part.key}` })),
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

/** When money came for the line the last time; null where none did. */
export function lastPaidOn({ parts }: Pick<Purchase, 'parts'>): Date | null {
  const times = parts.flatMap(({ paidOn }) => (paidOn === null ? [] : [paidOn.getTime()]));
  return times.length === 0 ? null : new Date(Math.max(...times));
}

/** Whether a line counted, and counts for less or nothing now: money that vanished without a refund still counts. */
export function isTakenBack(before: Purchase | null, now: Purchase): boolean {
  if (before?.state !== 'open') return false;
  return now.state !== 'open' || periodsOf(now) < periodsOf(before) || paidPeriodsOf(now) < paidPeriodsOf(before);
}
