/** What somebody paid for. Pure data; dates are instants, periods are calendar periods. */
export const PERIOD_UNITS = ['hour', 'day', 'month', 'year'] as const;
export type PeriodUnit = (typeof PERIOD_UNITS)[number];

export const SUBSCRIPTION_STATES = ['draft', 'active', 'expiring_soon', 'expired', 'cancelled'] as const;
export type SubscriptionState = (typeof SUBSCRIPTION_STATES)[number];

/** The terms on which a purchase was sold. */
interface Terms {
  /** `pending`: not confirmed, and a payment of it is on its way. */
  state: 'open' | 'pending' | 'cancelled';
  planId: number;
  periodCount: number;
  periodUnit: PeriodUnit;
  /** What one period was sold for, in the company's currency; at least 0. Decides what carries over to another plan. */
  unitPrice: number;
  /** What one period costs without a discount: a change of plan converts at this price, where it is the higher one. */
  listPrice: number;
  /** The change to its plan was refused: its value extends the plan there is. */
  keepPlan: boolean;
  /** Since when a payment of it is on its way. */
  pendingSince: Date | null;
}

/** A part of a purchase: what one payment covers, or what was ordered at one time and is not paid. */
export interface Part {
  /** Within its purchase, for ever. */
  key: string;
  /** How many periods; at least 0. A grant of 0 periods changes the plan alone. */
  quantity: number;
  /** When it was ordered: the trust in its payment begins here. */
  startsOn: Date;
  /** When it was paid for the first time. */
  paidOn: Date | null;
  /** Since when its money is gone without a refund. */
  vanishedOn: Date | null;
}

/** A part with the terms of its purchase. Its key begins with that of the purchase: `sol:7/inv:9`, `grant:3/grant:3`. */
export interface Entitlement extends Terms, Part {}

/** What was bought in the master, before it is known which instance it is for: `sol:7`, `aml:9`, `grant:3`. */
export interface Purchase extends Terms {
  key: string;
  /** When its record was made; absent where that is not known. A key with another moment is another purchase. */
  createdOn?: Date;
  /** Confirmation of the order, payment of the invoice, date of the grant. */
  startsOn: Date;
  /** What it is made of. */
  parts: Part[];
  customerId: number;
  /** S00042, INV/2026/00007. */
  document: string;
  orderId: number | null;
  invoiceIds: number[];
  /** The instance it is for; null until assigned. */
  instanceKey: string | null;
  /** Explicitly one more instance. */
  additional: boolean;
}

export interface Policy {
  /** An unpaid order counts for so many days after confirmation. */
  unpaidOrderGraceDays: number;
  /** IANA name; the nightly suspension is at 00:00 there. */
  timeZone: string;
  /** Days before `paidUntil` in which the subscription is `expiring_soon`. */
  expiringSoonDays: number;
  /** Days before `paidUntil` on which the customer is reminded, e.g. 7, 3, 1. */
  reminderDays: number[];
  /** Days before the deletion on which the customer is warned, e.g. 14, 7, 1. */
  deletionWarningDays: number[];
  /** For so many days a payment that is on its way holds off the suspension. */
  pendingPaymentDays: number;
  /** So many hours after money vanished without a refund, at the next midnight, it stops counting. */
  vanishedPaymentHours: number;
  /** Days an instance may use more storage than its plan has. */
  storageGraceDays: number;
}

export interface SubscriptionStatus {
  paidUntil: Date | null;
  /** When an instance that nobody pays is to be suspended; null when nothing was ever paid. */
  suspendAt: Date | null;
  /** A payment that is on its way is why `suspendAt` is later than it would be. */
  heldOff: boolean;
  /** Until when a payment that is on its way keeps the data of an instance, whenever it began; null where none is. */
  awaitedUntil: Date | null;
  state: SubscriptionState;
  /** The plan of the entitlement that counts now, or of the newest. */
  planId: number | null;
  lastPaymentOn: Date | null;
  /** When the newest entitlement that counts began; null when none does. */
  lastStartOn: Date | null;
  /** Some of the time is trusted, its order not being paid yet: when that stops counting. Null when all is paid. */
  lapsesAt: Date | null;
  /** Every period is counted in hours: nobody is reminded, and it ends to the minute. */
  hourly: boolean;
  /** The next instant at which any of this changes by itself; null when never. */
  nextChangeAt: Date | null;
}
