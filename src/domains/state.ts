/** What becomes of a customer's own name with each look at it: a table. Pure. */
import type { DomainProblem } from './finding.js';

/**
 * `waiting`: asked for, and not proven or not led here. `certifying`: its certificate is on its way. `active`: it is the
 * address. `lost`: it was, and leads elsewhere: it is served, but nobody is sent there.
 */
export const DOMAIN_STATES = ['waiting', 'certifying', 'active', 'lost'] as const;
export type DomainState = (typeof DOMAIN_STATES)[number];

/** What a look has shown; `unsure`: DNS did not answer. `barred`: whatever DNS says, it may not be. */
export type Verdict = 'good' | 'certified' | 'unsure' | 'wrong' | 'barred';

export interface DomainProgress {
  state: DomainState;
  /** Since when. */
  since: Date;
  /** Since when each look has found something wrong; null where the last one has not. */
  failingSince: Date | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** DNS of a provider that is moved has bad hours. */
export const PATIENCE_MS = DAY_MS;
/** So long a name that leads elsewhere is nobody else's. */
export const KEPT_MS = 30 * DAY_MS;

/** `patient`: goes to the second when it has been so for PATIENCE_MS; `kept`: when it has been in that state for KEPT_MS. */
type Next = DomainState | { patient: [DomainState, DomainState] } | { kept: [DomainState, DomainState] };

export const NEXT: Readonly<Record<DomainState, Readonly<Record<Verdict, Next>>>> = {
  waiting: { good: 'certifying', certified: 'active', unsure: 'waiting', wrong: 'waiting', barred: 'waiting' },
  certifying: { good: 'certifying', certified: 'active', unsure: 'certifying', wrong: 'waiting', barred: 'waiting' },
  active: {
    ...{ good: 'active', certified: 'active', unsure: 'active' },
    ...{ wrong: { patient: ['active', 'lost'] }, barred: 'lost' },
  },
  lost: {
    ...{ good: 'certifying', certified: 'active', unsure: 'lost' },
    ...{ wrong: { kept: ['lost', 'waiting'] }, barred: { kept: ['lost', 'waiting'] } },
  },
};

/** A name that an instance has, so that no other gets it. */
export function isHeld(state: DomainState): boolean {
  return state !== 'waiting';
}

export function verdictOn(problem: DomainProblem | null): Verdict {
  switch (problem) {
    case null:
      return 'good';
    case 'unanswered':
      return 'unsure';
    case 'bad_name':
    case 'sellers_name':
    case 'mixed_scripts':
    case 'over_limit':
    case 'no_edge':
      return 'barred';
    default:
      return 'wrong';
  }
}

export function progressAfter(before: DomainProgress, verdict: Verdict, now: Date): DomainProgress {
  const isWrong = verdict === 'wrong' || verdict === 'barred';
  const failingSince = isWrong ? (before.failingSince ?? now) : verdict === 'unsure' ? before.failingSince : null;
  const state = stateAfter(NEXT[before.state][verdict], { ...before, failingSince }, now);
  return { state, failingSince, since: state === before.state ? before.since : now };
}

function stateAfter(next: Next, { since, failingSince }: DomainProgress, now: Date): DomainState {
  if (typeof next === 'string') return next;
  const [before, after] = 'patient' in next ? next.patient : next.kept;
  const [from, ms] = 'patient' in next ? [failingSince ?? now, PATIENCE_MS] : [since, KEPT_MS];
  return now.getTime() - from.getTime() >= ms ? after : before;
}

const CERTIFICATE_PAUSES_MS = [60_000, 120_000, 300_000, 900_000];

/**
 * When it is looked at again; null: not before somebody asks.
 * @param askedAt when somebody last asked for it, or for a look.
 * @param failures of certificates, in a row.
 */
export function nextLookAt(
  { state, failingSince }: Pick<DomainProgress, 'state' | 'failingSince'>,
  { askedAt, failures, problem }: { askedAt: Date; failures: number; problem: DomainProblem | null },
  now: Date,
): Date | null {
  const after = (ms: number) => new Date(now.getTime() + ms);
  switch (state) {
    case 'waiting': {
      const age = now.getTime() - askedAt.getTime();
      if (age < 10 * 60_000) return after(15_000);
      if (age < DAY_MS) return after(10 * 60_000);
      return age < KEPT_MS ? after(6 * HOUR_MS) : null;
    }
    case 'certifying':
      return failures === 0 && problem === null
        ? now
        : after(CERTIFICATE_PAUSES_MS[Math.max(0, failures - 1)] ?? HOUR_MS);
    case 'active':
      return after(failingSince !== null || problem !== null ? HOUR_MS : 12 * HOUR_MS);
    case 'lost':
      return after(HOUR_MS);
  }
}

/**
 * Who gets a name that somebody else has: only who proves it where the other does not any more. Nobody is taken a name
 * from by a proof of the past, nor holds one that was sold.
 */
export function isYielded(holder: { isProven: boolean; isSameCustomer: boolean }): boolean {
  return !holder.isSameCustomer && !holder.isProven;
}
