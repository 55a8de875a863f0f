/** What somebody paid for. Pure data; dates are instants, periods are calendar periods. */
export type PeriodUnit = 'hour' | 'day' | 'month' | 'year';

/** One period somebody bought, keyed by the Odoo line it came from: `sol:7`, `aml:9`, `grant:3`. */
export interface Entitlement {
  key: string;
  state: 'open' | 'cancelled';
  planId: number;
  /** How many periods; at least 0. */
  quantity: number;
  periodCount: number;
  periodUnit: PeriodUnit;
  /** Confirmation of the order, payment of the invoice, date of the grant. */
  startsOn: Date;
  paidOn: Date | null;
}

/** A line in the master, before it is known which instance it is for. */
export interface Purchase extends Entitlement {
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
}

export interface SubscriptionStatus {
  paidUntil: Date | null;
  /** When an instance that nobody pays is to be suspended; null when nothing was ever paid. */
  suspendAt: Date | null;
  state: 'draft' | 'active' | 'expiring_soon' | 'expired' | 'cancelled';
  /** The plan of the entitlement that counts now, or of the newest. */
  planId: number | null;
  lastPaymentOn: Date | null;
  /** The next instant at which anything above changes by itself; null when never. */
  nextChangeAt: Date | null;
}
