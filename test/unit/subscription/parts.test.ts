import { expect } from 'chai';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import { entitlementsOf, lastPaidOn, paidPeriodsOf, periodsOf } from '../../../src/subscription/parts.js';
import type { Part, Policy } from '../../../src/subscription/types.js';
import { POLICY, purchase, STARTED, text, utc } from './support.js';

const PAID = utc('2026-01-15T12:00:00');

function part(changes: Partial<Part> = {}): Part {
  return { key: 'tx:1', quantity: 1, startsOn: PAID, paidOn: PAID, vanishedOn: null, ...changes };
}

function fold(parts: Part[], now: string, startedAt: Date | null = STARTED, policy: Partial<Policy> = {}) {
  const line = purchase({ startsOn: PAID, parts });
  return subscriptionStatus(entitlementsOf([line]), startedAt, () => 0, { ...POLICY, ...policy }, utc(now));
}

const until = (parts: Part[], now: string, startedAt: Date | null = STARTED) =>
  text(fold(parts, now, startedAt).paidUntil);

describe('subscriptionStatus: parts of a line', () => {
  it('keeps what was paid when more is ordered; that is trusted from when it was, and lapses alone', () => {
    const owed = part({ key: 'ordered:2', startsOn: utc('2026-01-25T12:00:00'), paidOn: null });
    expect(until([part(), owed], '2026-01-26T00:00:00')).equal('2026-03-15T12:00:00');
    expect(until([part(), owed], '2026-01-31T00:00:00')).equal('2026-02-15T12:00:00');
    const paid = { ...owed, key: 'tx:2', paidOn: utc('2026-02-10T00:00:00') };
    expect(until([part(), paid], '2026-02-11T00:00:00')).equal('2026-03-15T12:00:00');
  });

  it('serves what is paid of a line after the rest has lapsed', () => {
    const parts = [part({ key: 'inv:4', quantity: 3 }), part({ key: 'ordered:1', quantity: 9, paidOn: null })];
    expect(until(parts, '2026-01-16T00:00:00')).equal('2027-01-15T12:00:00');
    const status = fold(parts, '2026-01-21T00:00:00');
    expect(text(status.paidUntil)).equal('2026-04-15T12:00:00');
    expect(status.state).equal('active');
  });

  it('lays two payments of one line one after the other', () => {
    const second = part({ key: 'inv:2', startsOn: utc('2026-02-14T00:00:00'), paidOn: utc('2026-02-14T00:00:00') });
    expect(until([second, part({ key: 'inv:1' })], '2026-02-15T00:00:00')).equal('2026-03-15T12:00:00');
  });

  it('sees that a line was sold of which nothing is left', () => {
    const line = purchase({ state: 'cancelled', parts: [], planId: 7 });
    const status = subscriptionStatus(entitlementsOf([line]), STARTED, () => 0, POLICY, PAID);
    expect(status).include({ state: 'cancelled', planId: 7, paidUntil: null });
  });

  it('counts periods, and when they were paid', () => {
    const line = purchase({ parts: [part({ quantity: 3 }), part({ key: 'ordered:1', quantity: 9, paidOn: null })] });
    expect([periodsOf(line), paidPeriodsOf(line), lastPaidOn(line)]).deep.equal([12, 3, PAID]);
    expect([periodsOf({ parts: [] }), lastPaidOn({ parts: [] })]).deep.equal([0, null]);
  });
});

describe('subscriptionStatus: money that vanished', () => {
  const vanishedOn = utc('2026-01-25T10:00:00');
  // In Madrid: the first midnight that is 24 h away is the one that ends 26 January.
  const missed = '2026-01-26T23:00:00';

  it('counts until the next midnight that is a day away', () => {
    expect(until([part({ vanishedOn })], '2026-01-26T22:59:59')).equal('2026-02-15T12:00:00');
    expect(text(fold([part({ vanishedOn })], '2026-01-25T11:00:00').nextChangeAt)).equal(missed);
    expect(until([part({ vanishedOn })], missed)).equal(null);
    expect(fold([part({ vanishedOn })], missed).state).equal('expired');
  });

  it('counts for as long as was set', () => {
    const days = (vanishedPaymentHours: number, now: string) =>
      text(fold([part({ vanishedOn })], now, STARTED, { vanishedPaymentHours }).paidUntil);
    expect(days(0, '2026-01-25T22:59:59')).equal('2026-02-15T12:00:00');
    expect(days(0, '2026-01-25T23:00:00')).equal(null);
    expect(days(72, '2026-01-28T22:59:59')).equal('2026-02-15T12:00:00');
    expect(days(72, '2026-01-28T23:00:00')).equal(null);
  });

  it('is as if nothing had been when it is back', () => {
    expect(fold([part()], '2026-01-30T00:00:00')).deep.equal(fold([part({ vanishedOn: null })], '2026-01-30T00:00:00'));
    expect(until([part({ vanishedOn: null })], '2026-02-20T00:00:00')).equal('2026-02-15T12:00:00');
  });

  it('takes nothing from what other money pays', () => {
    const parts = [part({ key: 'inv:1' }), part({ key: 'inv:2', vanishedOn })];
    expect(until(parts, '2026-01-26T00:00:00')).equal('2026-03-15T12:00:00');
    expect(until(parts, missed)).equal('2026-02-15T12:00:00');
  });

  it('is trusted as an order is that nobody paid, and an invoice without an order is not', () => {
    const young = part({ vanishedOn: PAID, startsOn: PAID });
    const now = utc('2026-01-18T00:00:00');
    const of = (key: string) =>
      subscriptionStatus(
        entitlementsOf([purchase({ key, startsOn: PAID, parts: [young] })]),
        STARTED,
        () => 0,
        POLICY,
        now,
      );
    expect(text(of('sol:1').paidUntil)).equal('2026-02-15T12:00:00');
    expect(of('aml:1').paidUntil).equal(null);
  });
});

describe('subscriptionStatus: a first period', () => {
  it('begins when the instance could be used', () => {
    const started = utc('2026-01-25T12:00:00');
    expect(until([part()], '2026-01-26T00:00:00', started)).equal('2026-02-25T12:00:00');
    const renewal = part({ key: 'tx:2', startsOn: utc('2026-02-20T00:00:00'), paidOn: utc('2026-02-20T00:00:00') });
    expect(until([part(), renewal], '2026-02-21T00:00:00', started)).equal('2026-03-25T12:00:00');
  });

  it('does not run out while the instance cannot be made', () => {
    for (const now of ['2026-02-14T00:00:00', '2026-06-01T00:00:00']) {
      const status = fold([part()], now, null);
      expect(status.state).equal('active');
      expect(Number(status.paidUntil)).be.greaterThan(Number(utc(now)));
    }
  });

  it('begins with its payment where the making took minutes, and later ones where they were paid', () => {
    expect(until([part()], '2026-01-16T00:00:00', utc('2026-01-15T12:20:00'))).equal('2026-02-15T12:00:00');
    const late = part({ key: 'tx:2', startsOn: utc('2026-05-01T00:00:00'), paidOn: utc('2026-05-01T00:00:00') });
    expect(until([part(), late], '2026-05-02T00:00:00', PAID)).equal('2026-06-01T00:00:00');
  });

  it('does not make an order that nobody paid count for longer', () => {
    const owed = part({ key: 'ordered:1', paidOn: null });
    expect(until([owed], '2026-01-19T00:00:00', null)).equal('2026-02-19T00:00:00');
    expect(until([owed], '2026-01-21T00:00:00', null)).equal(null);
  });
});

describe('subscriptionStatus: another plan at a discount', () => {
  const EMPRESA = { planId: 2, unitPrice: 30, listPrice: 60 };
  const toBasico = {
    key: 'grant:9',
    planId: 1,
    unitPrice: 10,
    listPrice: 10,
    quantity: 0,
    startsOn: utc('2026-04-16T00:00:00'),
  };
  const april = { startsOn: utc('2026-04-01T00:00:00') };
  const end = (lines: Parameters<typeof purchase>[0][], now = '2026-04-17T00:00:00') => {
    const policy = { ...POLICY, timeZone: 'UTC' };
    return text(subscriptionStatus(entitlementsOf(lines.map(purchase)), STARTED, () => 0, policy, utc(now)).paidUntil);
  };

  it('converts at the discount that the line was sold with', () => {
    // 15 were paid for the half that is left, and buy 3 months at 5.
    expect(end([{ ...EMPRESA, ...april }, toBasico])).equal('2026-07-16T00:00:00');
    // Without a discount 30 buy the same 3 months at 10.
    expect(end([{ ...EMPRESA, unitPrice: 60, ...april }, toBasico])).equal('2026-07-16T00:00:00');
  });

  it('carries nothing over of what was sold for nothing', () => {
    const pro = { planId: 3, unitPrice: 0, listPrice: 35, startsOn: utc('2026-04-16T00:00:00') };
    const basico = { key: 'sol:2', planId: 1, unitPrice: 10, listPrice: 10, startsOn: utc('2026-04-16T00:00:00') };
    expect(end([pro, basico])).equal('2026-05-16T00:00:00');
  });

  it('keeps the value of a plan that was refused', () => {
    const basico = { planId: 1, unitPrice: 10, listPrice: 10, ...april };
    const refused = { ...EMPRESA, key: 'sol:2', keepPlan: true, startsOn: utc('2026-04-02T00:00:00') };
    expect(end([basico, refused])).equal('2026-11-01T00:00:00');
  });
});
