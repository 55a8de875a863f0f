/** What will happen by itself until a date if nobody does anything: the daemon's own decisions, moment after moment. Pure. */
import { type Decision, decide, type Situation } from './desired.js';
import { subscriptionStatus } from './fold.js';
import { calendarNotices, nextMoment, noticeDue } from './timeline.js';
import type { Entitlement, Policy, SubscriptionStatus } from './types.js';

export interface Happening {
  at: Date;
  what: 'running' | 'suspended' | 'stopped' | 'deleted' | 'reminder' | 'deletion_warning';
  reason: string;
}

export interface Story {
  entitlements: Entitlement[];
  /** When it could be used for the first time. */
  startedAt: Date | null;
  situation: Situation;
  graceDaysOfPlan(planId: number): number;
  /** How things stand now; null while it is being made or in trouble. */
  state: 'running' | 'suspended' | 'stopped' | null;
  /** Whether the mail of this kind and period was sent before. */
  wasSent(notice: 'reminder' | 'deletion_warning', period: string): boolean;
}

/** A backstop: an instance has some twenty moments in a period. */
const MOST_MOMENTS = 1_000;

/** Everything from now until `to`, in the order of time. */
export function rehearse(story: Story, policy: Policy, now: Date, to: Date): Happening[] {
  const happenings: Happening[] = [];
  const sent = new Set<string>();
  let { situation, state } = story;
  let at: Date | null = now;
  for (let moment = 0; at !== null && at <= to && moment < MOST_MOMENTS; moment++) {
    const status: SubscriptionStatus = subscriptionStatus(
      story.entitlements,
      story.startedAt,
      story.graceDaysOfPlan,
      policy,
      at,
    );
    const decision: Decision = decide(status, situation, policy, at);
    const { desired } = decision;
    if (desired.state !== state) {
      happenings.push({ at, what: desired.state, reason: desired.reason });
      if (desired.state === 'deleted') break;
      state = desired.state;
      const suspendedAt = state === 'suspended' ? at : null;
      situation = {
        ...situation,
        suspendedAt,
        warnedAt: null,
        toldDeleteAt: suspendedAt && (decision.deletion?.at ?? null),
      };
      continue;
    }
    const notices = calendarNotices(status, decision, policy);
    const due = noticeDue(notices, decision, status, at);
    const key = `${due?.notice}:${due?.period}`;
    const isAnew = due?.notice === 'deletion_warning' && situation.warnedAt === null;
    if (due && (isAnew || !(sent.has(key) || story.wasSent(due.notice, due.period)))) {
      happenings.push({ at, what: due.notice, reason: reasonOf(due.notice, due.days) });
      if (due.notice === 'deletion_warning') {
        situation = { ...situation, warnedAt: at, toldDeleteAt: decision.deletion?.at ?? null };
      }
      sent.add(key);
    }
    at = nextMoment(decision, notices, at);
  }
  return happenings;
}

function reasonOf(notice: 'reminder' | 'deletion_warning', days: number): string {
  return `${days} ${days === 1 ? 'day' : 'days'} before ${notice === 'reminder' ? 'the paid time ends' : 'the deletion'}`;
}
