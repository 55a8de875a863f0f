import type { Entitlement, Policy, Purchase } from '../../../src/subscription/types.js';

export const POLICY: Policy = { unpaidOrderGraceDays: 5, timeZone: 'Europe/Madrid', expiringSoonDays: 7 };

/** A paid month of plan 1, bought on 15 Jan 2026 at noon, unless said otherwise. */
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
