import { expect } from 'chai';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import type { Entitlement, Policy } from '../../../src/subscription/types.js';
import { at, entitlement, POLICY, STARTED, text, utc } from './support.js';

type Line = Partial<Entitlement>;

function fold(lines: Line[], now: string, policy: Partial<Policy> = {}, graceDays = 0) {
  const entitlements = lines.map((line, index) => entitlement({ key: `sol:${index + 1}`, ...line }));
  return subscriptionStatus(
    entitlements,
    STARTED,
    () => graceDays,
    { ...POLICY, timeZone: 'UTC', ...policy },
    utc(now),
  );
}

// Paid until 15 Feb at noon, suspended at the midnight after it. A payment is waited for for 4 days.
const month = at('2026-01-15T12:00:00');
const pending = (since: string, changes: Line = {}): Line =>
  at(since, { state: 'pending', paidOn: null, pendingSince: utc(since), ...changes });

describe('subscriptionStatus: a payment on its way and the suspension', () => {
  // What there is beside the month, suspendAt, held off.
  const cases: [string, Line[], string, boolean][] = [
    ['none', [], '2026-02-16T00:00:00', false],
    ['begun before the end', [pending('2026-02-14T10:00:00')], '2026-02-19T00:00:00', true],
    ['begun at midnight, waits whole days', [pending('2026-02-14T00:00:00')], '2026-02-18T00:00:00', true],
    ['begun a second before the suspension', [pending('2026-02-15T23:59:59')], '2026-02-20T00:00:00', true],
    ['begun at the suspension', [pending('2026-02-16T00:00:00')], '2026-02-20T00:00:00', true],
    ['begun a second after it', [pending('2026-02-16T00:00:01')], '2026-02-16T00:00:00', false],
    ['begun so early that its days are over', [pending('2026-02-11T12:00:00')], '2026-02-16T00:00:00', false],
    [
      'of an order that lapsed',
      [pending('2026-02-09', { state: 'open', startsOn: utc('2026-01-20T00:00:00') })],
      '2026-02-16T00:00:00',
      false,
    ],
    ['cancelled', [pending('2026-02-14', { state: 'cancelled' })], '2026-02-16T00:00:00', false],
    ['failed', [pending('2026-02-14', { pendingSince: null })], '2026-02-16T00:00:00', false],
    ['the newest of two', [pending('2026-02-14'), pending('2026-02-15')], '2026-02-19T00:00:00', true],
  ];
  for (const [name, lines, expected, heldOff] of cases) {
    it(name, () => {
      const now = '2026-02-15T12:00:00';
      const status = fold([month, ...lines], now);
      expect(text(status.suspendAt)).to.equal(expected);
      expect(status.heldOff).to.equal(heldOff);
      expect(text(status.paidUntil)).to.equal('2026-02-15T12:00:00');
      expect(text(status.nextChangeAt)).to.equal(expected);
    });
  }

  it('counts from the end of the grace', () => {
    expect(text(fold([month, pending('2026-02-18T10:00:00')], '2026-02-17T00:00:00', {}, 3).suspendAt)).to.equal(
      '2026-02-23T00:00:00',
    );
  });

  it('waits no day where the policy waits none', () => {
    expect(fold([month, pending('2026-02-14')], '2026-02-15T00:00:00', { pendingPaymentDays: 0 }).heldOff).to.equal(
      false,
    );
  });

  it('gives no time by itself', () => {
    const status = fold([pending('2026-02-14')], '2026-02-14T00:00:00');
    expect([status.paidUntil, status.suspendAt, status.state]).to.deep.equal([null, null, 'draft']);
  });

  it('arrived, it extends', () => {
    const paid = at('2026-02-17', { paidOn: utc('2026-02-17T00:00:00') });
    expect(text(fold([month, paid], '2026-02-17T00:00:00').paidUntil)).to.equal('2026-03-17T00:00:00');
  });

  it('of a trusted order buys no more than the order', () => {
    const hour: Line = { periodUnit: 'hour', state: 'open', paidOn: null };
    const trusted = at('2026-01-15T12:00:00', { ...hour, pendingSince: utc('2026-01-15T12:30:00') });
    const status = fold([trusted], '2026-01-15T12:30:00');
    expect(text(status.paidUntil)).to.equal('2026-01-15T13:00:00');
    expect(text(status.suspendAt)).to.equal('2026-01-15T13:00:00');
    expect(status.heldOff).to.equal(false);
  });
});

describe('subscriptionStatus: a payment on its way and the data', () => {
  const lapsed: Line = { state: 'open', startsOn: utc('2026-01-20T00:00:00') };
  const cases: [string, Line[], string | null][] = [
    ['none', [], null],
    ['begun long after the suspension', [pending('2026-03-16T10:00:00')], '2026-03-21T00:00:00'],
    ['of an order that lapsed', [pending('2026-03-16T10:00:00', lapsed)], '2026-03-21T00:00:00'],
    ['the newest of two', [pending('2026-03-16'), pending('2026-03-17')], '2026-03-21T00:00:00'],
    ['arrived', [at('2026-01-16', { pendingSince: utc('2026-01-16T00:00:00') })], null],
    ['cancelled', [pending('2026-03-16', { state: 'cancelled' })], null],
    ['failed', [pending('2026-03-16', { pendingSince: null })], null],
  ];
  for (const [name, lines, expected] of cases) {
    it(name, () => {
      expect(text(fold([month, ...lines], '2026-03-17T00:00:00').awaitedUntil)).to.equal(expected);
    });
  }

  it('of one whose payments were all taken back is waited for too', () => {
    const gone = at('2026-01-15T12:00:00', { state: 'cancelled' });
    expect(text(fold([gone, pending('2026-03-16')], '2026-03-17T00:00:00').awaitedUntil)).to.equal(
      '2026-03-20T00:00:00',
    );
  });
});

describe('subscriptionStatus: a payment on its way and the trust in an order', () => {
  // Trusted until 20 Jan at noon.
  const order = (since: string | null): Line =>
    at('2026-01-15T12:00:00', { paidOn: null, pendingSince: since === null ? null : utc(since) });
  const cases: [string, string | null, string][] = [
    ['none', null, '2026-01-20T12:00:00'],
    ['begun in time', '2026-01-18T10:00:00', '2026-01-23T00:00:00'],
    ['begun at the last moment', '2026-01-20T12:00:00', '2026-01-25T00:00:00'],
    ['begun a second too late', '2026-01-20T12:00:01', '2026-01-20T12:00:00'],
    ['begun so early that it is over', '2026-01-15T12:00:00', '2026-01-20T12:00:00'],
  ];
  for (const [name, since, lapsesAt] of cases) {
    it(name, () => {
      expect(text(fold([order(since)], '2026-01-16T00:00:00').lapsesAt)).to.equal(lapsesAt);
      const before = new Date(utc(lapsesAt).getTime() - 1_000);
      const last = fold([order(since)], text(before) ?? '');
      expect(text(last.paidUntil)).to.equal('2026-02-15T12:00:00');
      expect(fold([order(since)], lapsesAt).state).to.equal('expired');
    });
  }

  it('is no reason to begin where nothing is given on trust', () => {
    const policy = { unpaidOrderGraceDays: 0 };
    for (const since of ['2026-01-15T11:59:59', '2026-01-15T12:00:00', '2026-01-15T12:00:01']) {
      expect(fold([order(since)], '2026-01-15T12:00:02', policy)).to.include({ paidUntil: null, state: 'draft' });
    }
    const paid = at('2026-01-15T12:00:00', { paidOn: utc('2026-01-16T09:00:00') });
    expect(text(fold([paid], '2026-01-16T09:00:00', policy).paidUntil)).to.equal('2026-02-16T09:00:00');
  });

  it('still holds off the suspension there', () => {
    const renewal = at('2026-02-14', { paidOn: null, pendingSince: utc('2026-02-14T12:00:00') });
    const status = fold([month, renewal], '2026-02-15T12:00:00', { unpaidOrderGraceDays: 0 });
    expect(text(status.paidUntil)).to.equal('2026-02-15T12:00:00');
    expect(text(status.suspendAt)).to.equal('2026-02-19T00:00:00');
  });

  it('ends the trust and the wait at the same moment for an order that was renewed with it', () => {
    const renewal = at('2026-02-12T12:00:00', { paidOn: null, pendingSince: utc('2026-02-15T10:00:00') });
    const trusted = fold([month, renewal], '2026-02-19T23:59:59');
    expect(text(trusted.paidUntil)).to.equal('2026-03-15T12:00:00');
    expect(text(trusted.lapsesAt)).to.equal('2026-02-20T00:00:00');
    expect(text(fold([month, renewal], '2026-02-20T00:00:00').suspendAt)).to.equal('2026-02-20T00:00:00');
  });
});

describe('subscriptionStatus: a grant from a later date on', () => {
  const grant = (day: string, changes: Line = {}): Line =>
    at(day, { key: 'grant:1', paidOn: utc(`${day}T00:00:00`), ...changes });

  it('does not fill the gap before it', () => {
    const lines = [at('2026-01-01'), grant('2026-03-01')];
    const status = fold(lines, '2026-02-10T00:00:00');
    expect(status.state).to.equal('expired');
    expect(text(status.suspendAt)).to.equal('2026-02-01T00:00:00');
    expect(text(status.nextChangeAt)).to.equal('2026-03-01T00:00:00');
    expect(text(fold(lines, '2026-03-01T00:00:00').paidUntil)).to.equal('2026-04-01T00:00:00');
  });

  it('is a draft until it comes, where it is all there is', () => {
    const status = fold([grant('2026-03-01')], '2026-02-10T00:00:00');
    expect([status.paidUntil, status.state, text(status.nextChangeAt)]).to.deep.equal([
      null,
      'draft',
      '2026-03-01T00:00:00',
    ]);
    expect(fold([grant('2026-03-01')], '2026-03-01T00:00:00').state).to.equal('active');
  });

  it('changes the plan on its day', () => {
    const lines = [at('2026-01-01'), grant('2026-01-11', { planId: 2, quantity: 0 })];
    expect(fold(lines, '2026-01-10T23:59:59').planId).to.equal(1);
    expect(text(fold(lines, '2026-01-10T23:59:59').nextChangeAt)).to.equal('2026-01-11T00:00:00');
    expect(fold(lines, '2026-01-11T00:00:00').planId).to.equal(2);
  });

  it('of another clock that is ahead does not delay an order', () => {
    expect(fold([at('2026-01-01T00:02:00')], '2026-01-01T00:00:00').state).to.equal('active');
  });
});

describe('subscriptionStatus: lines of one document', () => {
  it('count in the order of their numbers', () => {
    const lines = [at('2026-04-01', { key: 'sol:9', planId: 1 }), at('2026-04-01', { key: 'sol:10', planId: 2 })];
    expect(fold(lines, '2026-04-02T00:00:00').planId).to.equal(2);
    expect(fold(lines.toReversed(), '2026-04-02T00:00:00').planId).to.equal(2);
  });
});
