import { expect } from 'chai';
import { DOMAIN_PROBLEMS } from '../../../src/domains/finding.js';
import {
  DOMAIN_STATES,
  type DomainState,
  isHeld,
  isYielded,
  KEPT_MS,
  NEXT,
  nextLookAt,
  PATIENCE_MS,
  progressAfter,
  type Verdict,
  verdictOn,
} from '../../../src/domains/state.js';

const now = new Date('2026-03-01T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("the state of a customer's own name", () => {
  const after = (state: DomainState, verdict: Verdict, { failing = 0, since = 0 } = {}) =>
    progressAfter({ state, since: ago(since), failingSince: failing > 0 ? ago(failing) : null }, verdict, now).state;

  for (const [state, verdict, wanted] of [
    ['waiting', 'good', 'certifying'],
    ['waiting', 'certified', 'active'],
    ['waiting', 'unsure', 'waiting'],
    ['waiting', 'wrong', 'waiting'],
    ['waiting', 'barred', 'waiting'],
    ['certifying', 'good', 'certifying'],
    ['certifying', 'certified', 'active'],
    ['certifying', 'unsure', 'certifying'],
    ['certifying', 'wrong', 'waiting'],
    ['certifying', 'barred', 'waiting'],
    ['active', 'good', 'active'],
    ['active', 'certified', 'active'],
    ['active', 'unsure', 'active'],
    ['active', 'wrong', 'active'],
    ['active', 'barred', 'lost'],
    ['lost', 'good', 'certifying'],
    ['lost', 'certified', 'active'],
    ['lost', 'unsure', 'lost'],
    ['lost', 'wrong', 'lost'],
    ['lost', 'barred', 'lost'],
  ] as const) {
    it(`${state}, ${verdict}: ${wanted}`, () => expect(after(state, verdict)).equal(wanted));
  }

  it('is given up when it has led elsewhere for a day, and not by hours of silence', () => {
    expect(after('active', 'wrong', { failing: PATIENCE_MS - 1 })).equal('active');
    expect(after('active', 'wrong', { failing: PATIENCE_MS })).equal('lost');
    expect(after('active', 'unsure', { failing: 10 * DAY })).equal('active');
  });

  it('is nobody else’s for a month, and then it is', () => {
    expect(after('lost', 'wrong', { failing: DAY, since: KEPT_MS - 1 })).equal('lost');
    expect(after('lost', 'wrong', { failing: DAY, since: KEPT_MS })).equal('waiting');
    expect(after('lost', 'barred', { since: KEPT_MS })).equal('waiting');
    expect(after('lost', 'unsure', { since: KEPT_MS })).equal('lost');
  });

  it('remembers since when it has been wrong until it is right', () => {
    const first = progressAfter({ state: 'active', since: ago(DAY), failingSince: null }, 'wrong', now);
    expect(first).deep.equal({ state: 'active', since: ago(DAY), failingSince: now });
    expect(progressAfter({ ...first, failingSince: ago(HOUR) }, 'unsure', now).failingSince).deep.equal(ago(HOUR));
    expect(progressAfter({ ...first, failingSince: ago(HOUR) }, 'good', now).failingSince).equal(null);
    expect(progressAfter({ ...first, state: 'waiting' }, 'good', now).since).deep.equal(now);
  });

  it('has an answer for each state and verdict, and a verdict for each problem', () => {
    for (const state of DOMAIN_STATES) {
      expect(Object.keys(NEXT[state])).have.members(['good', 'certified', 'unsure', 'wrong', 'barred']);
    }
    expect(DOMAIN_PROBLEMS.map(verdictOn)).not.include('good');
    expect(verdictOn(null)).equal('good');
    expect(verdictOn('unanswered')).equal('unsure');
  });

  it('is never served before it was proven', () => {
    expect(isHeld('waiting')).equal(false);
    for (const verdict of ['unsure', 'wrong', 'barred'] as const)
      expect(isHeld(after('waiting', verdict))).equal(false);
  });

  it('is looked at again often while somebody waits, ever more seldom, and at last only when asked', () => {
    const inMs = (state: DomainState, asked: number, more = {}) => {
      const about = { askedAt: ago(asked), failures: 0, problem: 'no_proof' as const, ...more };
      const at = nextLookAt({ state, failingSince: null }, about, now);
      return at && at.getTime() - now.getTime();
    };
    expect(inMs('waiting', MINUTE)).equal(15_000);
    expect(inMs('waiting', HOUR)).equal(10 * MINUTE);
    expect(inMs('waiting', 2 * DAY)).equal(6 * HOUR);
    expect(inMs('waiting', 40 * DAY)).equal(null);
    expect(inMs('certifying', 0, { problem: null })).equal(0);
    expect(
      [1, 2, 3, 4, 5, 50].map((failures) => inMs('certifying', 0, { failures, problem: 'no_certificate' })),
    ).deep.equal([...[MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, HOUR]]);
    expect(inMs('active', 0, { problem: null })).equal(12 * HOUR);
    expect(inMs('active', 0, { problem: 'wrong_target' })).equal(HOUR);
    expect(inMs('lost', 0)).equal(HOUR);
  });

  it('goes to another customer only where that one proves it and the holder does not any more', () => {
    expect(isYielded({ isProven: true, isSameCustomer: false })).equal(false);
    expect(isYielded({ isProven: false, isSameCustomer: false })).equal(true);
    // Who moves it says so by giving it up where it is.
    expect(isYielded({ isProven: false, isSameCustomer: true })).equal(false);
  });
});
