/** Which mails a run owes the customer: what has just changed, and what the calendar asks for. Pure. */

import type { Facts } from '../facts/facts.js';
import { planNameFor } from '../instance/plan-name.js';
import type { Instance, Plan } from '../instance/types.js';
import type { Notice, NoticeDetails } from '../protocol/push.js';
import { addDays, midnightAtOrAfter } from '../subscription/calendar.js';
import { GB, isUnreadable, storageBytes } from '../subscription/fit.js';
import { lastPaidOn } from '../subscription/parts.js';
import { noticeDue } from '../subscription/timeline.js';
import type { Policy } from '../subscription/types.js';

export interface OwedNotice {
  notice: Notice;
  /** Tells this one from others of its kind: sent once for each. */
  period: string;
  details: NoticeDetails;
}

export interface Run {
  /** As it was when the run began. */
  before: Instance;
  /** As it is now. */
  after: Instance;
  facts: Facts;
  /** The plan it had before. */
  previousPlan: Plan | null;
  /** It was rebuilt because it kept dying, not because staff asked for it. */
  recovered: boolean;
  exportKeptUntil: Date | null;
}

/** In the order in which they are to be read. */
export function owedNotices(run: Run, policy: Policy, now: Date): OwedNotice[] {
  const { before, after, facts, previousPlan } = run;
  const { status, plan, decision, desired } = facts;
  const details = detailsOf(run, policy, now);
  const owe = (notice: Notice, period: string, more: Partial<NoticeDetails> = {}): OwedNotice => ({
    notice,
    period,
    details: { ...details, ...more },
  });
  if (before.startedAt === null) return after.startedAt === null ? [] : [owe('welcome', '')];
  if (after.phase === 'deleted') return [owe('deleted', '', { deleteOn: now.toISOString() })];

  const owed: OwedNotice[] = [];
  if (after.phase === 'suspended' && before.suspendedAt === null && after.suspendedAt !== null) {
    owed.push(owe('suspended', stamp(after.suspendedAt), { suspendReason: desired.cause ?? 'unpaid' }));
  }
  if (after.phase === 'running') {
    const changed = previousPlan !== null && previousPlan.id !== plan.id;
    if (before.suspendedAt !== null) {
      const paid = status.lastPaymentOn !== null && status.lastPaymentOn > before.suspendedAt;
      owed.push(owe('reactivated', stamp(before.suspendedAt), { suspendReason: paid ? 'unpaid' : 'staff' }));
    }
    if (before.suspendedAt === null && run.recovered) owed.push(owe('rebuilt', day(now)));
    if (changed) {
      const period = `${plan.id}:${status.lastStartOn?.toISOString()}`;
      owed.push(
        owe('plan_changed', period, {
          previousPlanName: planNameFor(previousPlan, after.customer.lang),
        }),
      );
    } else if (before.suspendedAt === null && isRenewed(before, facts)) {
      owed.push(owe('renewed', status.paidUntil?.toISOString() ?? ''));
    }
    if (facts.storageOverSince !== null) owed.push(owe('storage_over', stamp(facts.storageOverSince)));
  }
  const due = noticeDue(facts.notices, decision, status, now);
  if (due) owed.push(owe(due.notice, due.period));
  return owed;
}

/** More time was paid for than the customer was told of; time given by staff is theirs to tell. */
function isRenewed({ toldPaidUntil }: Instance, { status, purchases }: Facts): boolean {
  const { paidUntil, lapsesAt } = status;
  if (paidUntil === null || lapsesAt !== null || toldPaidUntil === null || paidUntil <= toldPaidUntil) return false;
  const newest = purchases
    .filter(({ state }) => state === 'open')
    // In the order of payment: an order may be older than a grant and be paid after it.
    .toSorted((a, b) => Number(lastPaidOn(a)) - Number(lastPaidOn(b)))
    .at(-1);
  return newest !== undefined && !newest.key.startsWith('grant:');
}

function detailsOf({ after, facts, exportKeptUntil }: Run, policy: Policy, now: Date): NoticeDetails {
  const { status, plan, decision } = facts;
  const deleteOn = decision.deletion?.at.toISOString() ?? null;
  return {
    planName: planNameFor(plan, after.customer.lang),
    trial: plan.trial,
    paidUntil: status.paidUntil?.toISOString() ?? null,
    deleteOn,
    exportKeptUntil: exportKeptUntil?.toISOString() ?? null,
    ...storageDetails(after, facts, policy, now),
  };
}

function storageDetails(
  instance: Instance,
  { plan, storageOverSince }: Facts,
  policy: Policy,
  now: Date,
): Partial<NoticeDetails> {
  const isUnread = isUnreadable(instance, now);
  if (!storageOverSince || (!instance.usage && !isUnread)) return {};
  const end = midnightAtOrAfter(addDays(storageOverSince, policy.storageGraceDays), policy.timeZone);
  const graceUntil = end.toISOString();
  if (isUnread || !instance.usage) return { storageUnread: true, graceUntil };
  return { storageUsedBytes: storageBytes(instance.usage), storageLimitBytes: plan.storageGb * GB, graceUntil };
}

/** One that keeps dying is told of once a day. */
export function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** To the second, as the master keeps it: a rebuilt store gives the same. */
function stamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
