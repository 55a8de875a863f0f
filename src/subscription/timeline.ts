/** The mails that the calendar asks for, each with its moment: reminders and warnings. Pure. */
import { calendarDaysBetween, earliestAfter, midnightBefore } from './calendar.js';
import type { Decision } from './desired.js';
import type { Policy, SubscriptionStatus } from './types.js';

/** A mail that the calendar asks for. */
export interface DueNotice {
  notice: 'reminder' | 'deletion_warning';
  /** Tells this mail of this period from all others: with it, it is sent once. */
  period: string;
  /** Which of the configured days it is of. */
  days: number;
  at: Date;
}

/** All reminders and warnings of the present period, past ones too, in the order of time. */
export function calendarNotices(status: SubscriptionStatus, { deletion }: Decision, policy: Policy): DueNotice[] {
  const notices: DueNotice[] = [];
  const { paidUntil, lastStartOn, hourly } = status;
  if (paidUntil !== null && lastStartOn !== null && !hourly) {
    for (const days of policy.reminderDays) {
      const at = midnightBefore(paidUntil, days, policy.timeZone);
      // Whoever has just bought a week is not reminded of it.
      if (at > lastStartOn)
        notices.push({ notice: 'reminder', period: `${paidUntil.toISOString()}:${days}`, days, at });
    }
  }
  for (const { days, at } of deletion?.warnings ?? []) {
    const period = `${deletion?.since.toISOString()}:${days}`;
    notices.push({ notice: 'deletion_warning', period, days, at });
  }
  return notices.sort((a, b) => a.at.getTime() - b.at.getTime());
}

/**
 * The one to send now, if any: after a long sleep the latest stands for all before it.
 * @returns null also where the instance is in no state for it: reminders are for those that run, warnings for the others.
 */
export function noticeDue(
  notices: DueNotice[],
  { desired }: Decision,
  status: Pick<SubscriptionStatus, 'paidUntil'>,
  now: Date,
): DueNotice | null {
  const wanted = desired.state === 'running' ? 'reminder' : desired.state === 'suspended' ? 'deletion_warning' : null;
  if (wanted === 'reminder' && (status.paidUntil === null || now >= status.paidUntil)) return null;
  return notices.filter(({ notice, at }) => notice === wanted && at <= now).at(-1) ?? null;
}

/** Days that are left, as a person counts them: 1 is tomorrow. */
export function daysLeft(now: Date, end: Date, policy: Policy): number {
  return Math.max(0, calendarDaysBetween(now, end, policy.timeZone));
}

/** The next instant at which anything is to be done by itself; null when never. */
export function nextMoment(decision: Decision, notices: DueNotice[], now: Date): Date | null {
  return earliestAfter(now, [decision.nextChangeAt, ...notices.map(({ at }) => at)]);
}
