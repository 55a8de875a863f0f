/** When the data of an instance that nobody pays goes for good, and when its customer is warned. Pure. */
import { addDays, laterOf, midnightAtOrAfter, midnightBefore } from './calendar.js';
import type { Policy, SubscriptionStatus } from './types.js';

export interface Deletion {
  /** The suspension that it follows: one warning of each kind for it. */
  since: Date;
  at: Date;
  /** In the order of time. */
  warnings: { days: number; at: Date }[];
}

/** What is known of the instance itself. */
export interface SuspensionFacts {
  suspendedAt: Date | null;
  /** When a deletion was last announced; null since it last ran. */
  warnedAt: Date | null;
  /** The date that the customer was last told. */
  toldDeleteAt: Date | null;
  /** It could be used once: there is a customer who must be warned. */
  isUsed: boolean;
}

/**
 * Counted from the moment at which it was really suspended: a daemon that slept for months suspends first. And never
 * sooner than the last warning allows, however late that was sent, nor than a date that the customer was told, nor while a payment is
 * on its way. Null where there is no date to count from.
 */
export function deletionOf(
  status: Pick<SubscriptionStatus, 'suspendAt' | 'paidUntil' | 'awaitedUntil'>,
  { suspendedAt, warnedAt, toldDeleteAt, isUsed }: SuspensionFacts,
  retentionDays: number,
  policy: Policy,
  now: Date,
): Deletion | null {
  const since = laterOf(suspendedAt, status.paidUntil === null ? null : status.suspendAt);
  if (since === null) return null;
  const { timeZone } = policy;
  const natural = midnightAtOrAfter(addDays(since, retentionDays), timeZone);
  const notBefore = (date: Date) => laterOf(laterOf(date, status.awaitedUntil), toldDeleteAt) ?? date;
  const least = Math.min(...policy.deletionWarningDays);
  if (!Number.isFinite(least) || !isUsed) return { since, at: notBefore(natural), warnings: [] };
  const warnings = policy.deletionWarningDays
    .map((days) => ({ days, at: midnightBefore(natural, days, timeZone) }))
    .filter(({ at }) => at > since)
    .sort((a, b) => b.days - a.days);
  const announced = warnedAt ?? (now > since ? now : since);
  const allowed = midnightAtOrAfter(addDays(announced, least), timeZone);
  return {
    since,
    at: notBefore(natural > allowed ? natural : allowed),
    // Kept for less than the warning: it is given with the suspension.
    warnings: warnings.length > 0 ? warnings : [{ days: least, at: since }],
  };
}
