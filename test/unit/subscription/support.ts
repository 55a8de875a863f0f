import type { Entitlement, Part, Policy, Purchase } from '../../../src/subscription/types.js';

export const POLICY: Policy = {
  unpaidOrderGraceDays: 5,
  timeZone: 'Europe/Madrid',
  expiringSoonDays: 7,
  reminderDays: [7, 3, 1],
  deletionWarningDays: [14, 7, 1],
  pendingPaymentDays: 4,
  vanishedPaymentHours: 24,
  storageGraceDays: 7,
};

/** It could be used before anything of this was bought. */
export const STARTED = new Date(0);

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
    vanishedOn: null,
    unitPrice: 10,
    listPrice: 0,
    keepPlan: false,
    pendingSince: null,
    ...changes,
  };
}

/** A line, with what differs in the only part of it. */
export type Bought = Partial<Purchase> & Partial<Omit<Part, 'key' | 'startsOn'>>;

export function purchase({ quantity, paidOn, vanishedOn, ...changes }: Bought = {}): Purchase {
  const { startsOn } = changes;
  const own = Object.entries({ quantity, paidOn, vanishedOn, startsOn }).filter(([, value]) => value !== undefined);
  const whole = entitlement(Object.fromEntries(own));
  const { key, state, planId, periodCount, periodUnit, unitPrice, listPrice, keepPlan, pendingSince } = whole;
  const part = {
    key: 'tx:1',
    quantity: whole.quantity,
    startsOn: whole.startsOn,
    paidOn: whole.paidOn,
    vanishedOn: whole.vanishedOn,
  };
  return {
    ...{ key, state, planId, periodCount, periodUnit, unitPrice, listPrice, keepPlan, pendingSince },
    startsOn: whole.startsOn,
    parts: [part],
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
