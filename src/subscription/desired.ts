/** What must be, from what was paid, what is used and what staff decided. */
import type { Cause, Desired, Hold } from '../instance/types.js';
import { addDays, earliestAfter, laterOf, midnightAtOrAfter } from './calendar.js';
import { type Deletion, deletionOf, type SuspensionFacts } from './deletion.js';
import type { Policy, SubscriptionStatus } from './types.js';

/** What is known of the instance beside its purchases. */
export interface Situation extends SuspensionFacts {
  hold: Hold;
  storageOverSince: Date | null;
  /** The disk was nearly full, and it was the furthest over its plan. */
  spaceStoppedAt: Date | null;
  /** The end of the grace that the customer was told. */
  toldStorageAt: Date | null;
  retentionDays: number;
}

export interface Decision {
  desired: Desired;
  /** When it is to be deleted, if nobody pays; null while nothing leads there. */
  deletion: Deletion | null;
  /** When it is to be suspended for its storage; null while it is within its limit. */
  storageSuspendAt: Date | null;
  /** The next instant at which this changes by itself; null when never. */
  nextChangeAt: Date | null;
}

/** Staff's hold goes first; then the paid time with its grace, then the storage. */
export function decide(status: SubscriptionStatus, situation: Situation, policy: Policy, now: Date): Decision {
  const { hold, storageOverSince, toldStorageAt, retentionDays } = situation;
  const unpaid = unpaidReason(status, now);
  const storageSuspendAt =
    storageOverSince &&
    laterOf(midnightAtOrAfter(addDays(storageOverSince, policy.storageGraceDays), policy.timeZone), toldStorageAt);
  const deletion =
    unpaid !== null && hold === 'none' ? deletionOf(status, situation, retentionDays, policy, now) : null;
  const decision = (state: Desired['state'], cause: Cause | null, reason: string): Decision => ({
    desired: { state, cause, reason },
    deletion: state === 'deleted' ? null : deletion,
    storageSuspendAt,
    nextChangeAt: earliestAfter(now, [status.nextChangeAt, storageSuspendAt, deletion?.at ?? null]),
  });

  if (hold === 'deleted') return decision('deleted', 'staff', 'Staff deleted it.');
  if (hold === 'stopped')
    return decision('stopped', 'staff', 'Staff stopped it; it stays stopped until they start it.');
  if (hold === 'suspended') {
    return decision('suspended', 'staff', 'Staff suspended it; it stays suspended until they resume it.');
  }
  if (unpaid !== null && deletion !== null && situation.suspendedAt !== null && now >= deletion.at) {
    const kept = `its data was kept for ${retentionDays} days after the suspension on ${utc(deletion.since)}`;
    return decision('deleted', unpaid.cause, `${unpaid.reason} Nobody paid, and ${kept}.`);
  }
  if (unpaid !== null) return decision('suspended', unpaid.cause, unpaid.reason);
  if (storageOverSince !== null && situation.spaceStoppedAt !== null) {
    return decision('suspended', 'storage', 'The disk was nearly full, and it used the most beyond its plan.');
  }
  if (storageSuspendAt !== null && now >= storageSuspendAt) {
    const since = storageOverSince ? utc(storageOverSince) : '';
    return decision('suspended', 'storage', `It has used more storage than its plan has since ${since}.`);
  }
  return decision('running', null, reasonToRun(status, now));
}

/** Why nothing pays for it now; null when something does. */
function unpaidReason(status: SubscriptionStatus, now: Date): { cause: Cause; reason: string } | null {
  const { paidUntil, suspendAt, state } = status;
  if (paidUntil !== null && suspendAt !== null) {
    if (now < suspendAt) return null;
    const ended = `the time to renew ended at ${utc(suspendAt)}.`;
    return { cause: 'unpaid', reason: `It was paid until ${utc(paidUntil)}; ${ended}` };
  }
  if (state === 'cancelled')
    return { cause: 'taken_back', reason: 'Everything bought for it was cancelled or refunded.' };
  if (state === 'expired') return { cause: 'unpaid', reason: 'Its order stayed unpaid for too long.' };
  return { cause: 'unpaid', reason: 'Nothing has been paid for it yet.' };
}

function reasonToRun({ paidUntil, suspendAt, heldOff, lapsesAt }: SubscriptionStatus, now: Date): string {
  if (paidUntil === null || suspendAt === null) return 'It is paid.';
  if (now < paidUntil) {
    return lapsesAt
      ? `Its order is not paid yet and is trusted until ${utc(lapsesAt)}.`
      : `It is paid until ${utc(paidUntil)}.`;
  }
  return heldOff
    ? `It was paid until ${utc(paidUntil)}; a payment is on its way, and it is suspended at ${utc(suspendAt)} without it.`
    : `It was paid until ${utc(paidUntil)} and is suspended at ${utc(suspendAt)}.`;
}

function utc(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
