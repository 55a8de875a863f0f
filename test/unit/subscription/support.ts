import type { Entitlement, Policy, Purchase } from '../../../src/subscription/types.js';

export const POLICY: Policy = {
  unpaidOrderGraceDays: 5,
  timeZone: 'Europe/Madrid',
  expiringSoonDays: 7,
  reminderDays: [7, 3, 1],
  deletionWarningDays: [14, 7, 1],
  pendingPaymentDays: 4,
  storageGraceDays: 7,
};

/** A paid month of plan 1 at 10 a month, bought on 15 Jan 2026 at noon, unless said otherwise. */
export function entitlement(changes: Partial<Entitlement> = {}): Entitlement {
  const startsOn = changes.startsOn ?? new Date('2026-01-15T12:00:00Z');
  return {
    key: 'sol:1',
    state: 'open',
    planId: 1,
    quantity: 1,
    periodCount: 1,
    periodUnit: 'month',
    startsOn,
    paidOn: startsOn,
    unitPrice: 10,
    listPrice: 0,
    keepPlan: false,
    pendingSince: null,
    ...changes,
  };
}

export function purchase(changes: Partial<Purchase> = {}): Purchase {
  return {
    ...entitlement(changes),
    customerId: 10,
    document: 'S00001',
    orderId: 1,
    invoiceIds: [],
    instanceKey: null,
    additional: false,
    ...changes,
  };
}

export function utc(text: string): Date {
  return new Date(`${text}Z`);
}

/** ISO text to the second, or to the millisecond where it has any; null stays. */
export function text(date: Date | null): string | null {
  return date === null ? null : date.toISOString().replace('.000Z', '').replace(/Z$/, '');
}

/** A line that starts on `day` (midnight UTC unless it says a time). */
export function at(day: string, changes: Partial<Entitlement> = {}): Partial<Entitlement> {
  return { startsOn: utc(day.includes('T') ? day : `${day}T00:00:00`), ...changes };
}
