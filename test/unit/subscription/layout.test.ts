import { expect } from 'chai';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import type { Entitlement } from '../../../src/subscription/types.js';
import { at, entitlement, POLICY, STARTED, text, utc } from './support.js';

type Line = Partial<Entitlement>;

function fold(lines: Line[], now: string) {
  const entitlements = lines.map((line, index) => entitlement({ key: `sol:${index + 1}`, ...line }));
  return subscriptionStatus(entitlements, STARTED, () => 0, { ...POLICY, timeZone: 'UTC' }, utc(now));
}

const A = { planId: 1, unitPrice: 30 };
const B = { planId: 2, unitPrice: 60 };
const FREE = { planId: 9, unitPrice: 0 };
/** Given by staff: the plan alone. */
const toPlan = (plan: Line, key = 'grant:1'): Line => ({ ...plan, key, quantity: 0 });
/** A month of A: April has 30 days, so that a day of it is worth 1. */
const april = at('2026-04-01', A);

describe('layOut: another plan', () => {
  // Name, lines, paidUntil, plan once all have begun. Figures by hand: what is left, how many months that buys.
  const cases: [string, Line[], string | null, number | null][] = [
    // 20 left of 30: a third of a month at 60, of the 31 days after 11 May.
    ['up: the value that is left buys less time', [april, at('2026-04-11', B)], '2026-05-21T08:00:00', 2],
    // 30 left of 60: a month at 30.
    ['down: it buys more', [at('2026-04-01', B), at('2026-04-16', A)], '2026-06-16T00:00:00', 1],
    // 15 left: a quarter of 16 Apr to 16 May.
    ['up by staff, without time', [april, at('2026-04-16', toPlan(B))], '2026-04-23T12:00:00', 2],
    ['down by staff', [at('2026-04-01', B), at('2026-04-16', toPlan(A))], '2026-05-16T00:00:00', 1],
    ['at the very end nothing is left', [april, at('2026-05-01', B)], '2026-06-01T00:00:00', 2],
    ['nor after it', [april, at('2026-05-01T00:00:01', B)], '2026-06-01T00:00:01', 2],
    // 1 second of 30 days is left: at 60 half a second, of a month of 30 days; 31 days make it 0.517 s.
    ['a second before it', [april, at('2026-04-30T23:59:59', B)], '2026-05-30T23:59:59.517', 2],
    ['at the same instant all of it is left', [april, at('2026-04-01', B)], '2026-05-16T12:00:00', 2],
    // 15 of April and all of May: 45, three quarters of 16 May to 16 Jun.
    ['months that wait convert too', [april, at('2026-04-02', A), at('2026-04-16', B)], '2026-06-08T06:00:00', 2],
    // B: 1.25 months, 37.75 days of 75. Half of it is over at 4 May 21:00: 37.5 is a month of C.
    [
      'twice',
      [april, at('2026-04-16', B), at('2026-05-04T21:00:00', { planId: 3, unitPrice: 37.5 })],
      '2026-07-04T21:00:00',
      3,
    ],
    // 15 is worth 7.5 days of B; 4 are used: 7 left.
    [
      'up and back',
      [april, at('2026-04-16', toPlan(B)), at('2026-04-20', toPlan(A, 'grant:2'))],
      '2026-04-27T00:00:00',
      1,
    ],
    [
      'up and back at once costs nothing',
      [april, at('2026-04-16', toPlan(B)), at('2026-04-16', toPlan(A, 'grant:2'))],
      '2026-05-01T00:00:00',
      1,
    ],
    // 334 of 365 days are left: 10.98 months, whatever the length of the month of the change.
    [
      'a year keeps its length in February',
      [at('2026-01-01', { ...A, quantity: 12 }), at('2026-02-01', toPlan({ ...B, unitPrice: 30 }))],
      '2026-12-31T09:43:53.425',
      2,
    ],
    // 183 of 365 at 30: 6.1 months, and one; a tenth of the 28 days after 2 Feb.
    [
      'a year to months',
      [at('2026-01-01', { planId: 3, unitPrice: 365, periodUnit: 'year' }), at('2026-07-02', A)],
      '2027-02-04T19:12:00',
      1,
    ],
    // 15 at 90 a quarter: a sixth of three months.
    [
      'to a plan of three months',
      [april, at('2026-04-16', toPlan({ planId: 3, unitPrice: 90, periodCount: 3 }))],
      '2026-05-01T00:00:00',
      3,
    ],
    // Half off: what is left converts at the price of the list.
    ['with a discount', [april, at('2026-04-16', { ...B, unitPrice: 30, listPrice: 60 })], '2026-05-23T18:00:00', 2],
    ['as a present', [april, at('2026-04-16', { ...B, unitPrice: 0, listPrice: 60 })], '2026-05-23T18:00:00', 2],
    ['to days', [april, at('2026-04-16', { planId: 3, unitPrice: 3, periodUnit: 'day' })], '2026-04-22T00:00:00', 3],
    ['to hours', [april, at('2026-04-30', { planId: 3, unitPrice: 1, periodUnit: 'hour' })], '2026-04-30T02:00:00', 3],
    // Paid after the 5 days of trust: 11 left on 20 Apr, a sixth of a month at 66.
    [
      'paid late it begins with the payment',
      [april, at('2026-04-11', { planId: 2, unitPrice: 66, paidOn: utc('2026-04-20T00:00:00') })],
      '2026-05-25T04:00:00',
      2,
    ],
    [
      'taken back, all is as if it had never been',
      [april, at('2026-04-11', { ...B, state: 'cancelled' }), at('2026-04-20', A)],
      '2026-06-01T00:00:00',
      1,
    ],
    [
      'what it grew from taken back: its own time stays',
      [{ ...april, state: 'cancelled' }, at('2026-04-11', B)],
      '2026-05-11T00:00:00',
      2,
    ],

    [
      'trial to paid: a trial is worth nothing',
      [at('2026-04-01', FREE), at('2026-04-05', A)],
      '2026-05-05T00:00:00',
      1,
    ],
    ['trial, then paid after it', [at('2026-04-01', FREE), at('2026-05-05', A)], '2026-06-05T00:00:00', 1],
    [
      'paid to free: the days as they are',
      [april, at('2026-04-21', { ...FREE, periodUnit: 'day', quantity: 7 })],
      '2026-05-08T00:00:00',
      9,
    ],
    // 10 over 17 days, half of them used: 5, a sixth of the 31 days after 29 May.
    [
      'and back, with the value that is left',
      [april, at('2026-04-21', { ...FREE, periodUnit: 'day', quantity: 7 }), at('2026-04-29T12:00:00', A)],
      '2026-06-03T16:00:00',
      1,
    ],
    [
      'free to free',
      [at('2026-04-01', FREE), at('2026-04-11', toPlan({ ...FREE, planId: 8 }))],
      '2026-05-01T00:00:00',
      8,
    ],

    ['staff, before anything is paid', [at('2026-04-01', toPlan(B))], null, 2],
    ['staff, before the first purchase', [at('2026-03-01', toPlan(B)), april], '2026-05-01T00:00:00', 1],
    ['staff, the plan there is', [april, at('2026-04-16', toPlan(A))], '2026-05-01T00:00:00', 1],
    ['staff, after the end', [april, at('2026-05-10', toPlan(B))], '2026-05-01T00:00:00', 2],
    ['and paid then', [april, at('2026-05-10', toPlan(B)), at('2026-05-11', B)], '2026-06-11T00:00:00', 2],
    [
      'an order of quantity 0 changes nothing',
      [april, at('2026-04-16', { ...B, quantity: 0 })],
      '2026-05-01T00:00:00',
      1,
    ],
    [
      'days given by staff',
      [april, at('2026-04-11', { ...A, key: 'grant:1', quantity: 10, periodUnit: 'day' })],
      '2026-05-11T00:00:00',
      1,
    ],
  ];
  for (const [name, lines, expected, planId] of cases) {
    it(name, () => {
      const keyed = lines.map((line, index) => ({ key: `sol:${index + 1}`, ...line }));
      for (const order of [keyed, keyed.toReversed(), [...keyed, ...keyed]]) {
        const status = fold(order, '2028-01-01T00:00:00');
        expect(text(status.paidUntil)).to.equal(expected);
        expect(status.planId).to.equal(planId);
      }
    });
  }

  it('changes at the second, and says so before', () => {
    const lines = [april, at('2026-04-11', B)];
    expect(fold(lines, '2026-04-10T23:59:59').planId).to.equal(1);
    expect(text(fold(lines, '2026-04-10T23:59:59').nextChangeAt)).to.equal('2026-04-11T00:00:00');
    expect(fold(lines, '2026-04-11T00:00:00').planId).to.equal(2);
  });

  it('goes back when an unpaid upgrade lapses, and loses nothing', () => {
    const lines = [april, at('2026-04-11', { ...B, paidOn: null })];
    const trusted = fold(lines, '2026-04-15T23:59:59');
    expect([trusted.planId, text(trusted.paidUntil)]).to.deep.equal([2, '2026-05-21T08:00:00']);
    expect(text(trusted.lapsesAt)).to.equal('2026-04-16T00:00:00');
    const lapsed = fold(lines, '2026-04-16T00:00:00');
    expect([lapsed.planId, text(lapsed.paidUntil)]).to.deep.equal([1, '2026-05-01T00:00:00']);
  });

  it('takes the time that an unpaid order brought along when that lapses', () => {
    // Only B is paid: what A was trusted for goes.
    const lines = [{ ...april, paidOn: null }, at('2026-04-04', B)];
    expect(text(fold(lines, '2026-04-05T23:59:59').paidUntil)).to.equal('2026-05-17T22:48:00');
    expect(text(fold(lines, '2026-04-06T00:00:00').paidUntil)).to.equal('2026-05-04T00:00:00');
  });

  it('ends in the night where hours were carried over from a month', () => {
    const hour = at('2026-04-30', { planId: 3, unitPrice: 1, periodUnit: 'hour' });
    expect(fold([april, hour], '2026-04-30T01:00:00').hourly).to.equal(false);
    expect(text(fold([april, hour], '2026-04-30T01:00:00').suspendAt)).to.equal('2026-05-01T00:00:00');
    expect(
      fold([at('2026-04-29T23:30:00', { ...hour, startsOn: utc('2026-04-29T23:30:00') }), hour], '2026-04-30T01:00:00')
        .hourly,
    ).to.equal(true);
  });
});

describe('layOut: a plan that was refused', () => {
  const refused = (price: number): Line => ({ planId: 2, unitPrice: price, keepPlan: true });
  const cases: [string, Line[], string, number][] = [
    // 15 is half a month of A, of the 31 days of May.
    ['cheaper: less time of the plan there is', [april, at('2026-04-11', refused(15))], '2026-05-16T12:00:00', 1],
    ['dearer: more', [april, at('2026-04-11', refused(60))], '2026-07-01T00:00:00', 1],
    ['after the end, from then on', [april, at('2026-05-10', refused(15))], '2026-05-25T12:00:00', 1],
    ['of a free plan: day for day', [at('2026-04-01', FREE), at('2026-04-11', refused(15))], '2026-06-01T00:00:00', 9],
    ['for nothing is worth nothing', [april, at('2026-04-11', refused(0))], '2026-05-01T00:00:00', 1],
    // A costs 30 though its last month was a present: half of June.
    [
      'after a month for nothing',
      [april, at('2026-04-02', { ...A, unitPrice: 0 }), at('2026-04-11', refused(15))],
      '2026-06-16T00:00:00',
      1,
    ],
    // Staff set C at 60 after the end of A: half of 11 May to 11 Jun.
    [
      'of a plan that staff gave after the end',
      [april, at('2026-05-10', toPlan({ planId: 3, unitPrice: 60 })), at('2026-05-11', refused(30))],
      '2026-05-26T12:00:00',
      3,
    ],
    [
      'with nothing else left',
      [{ ...april, state: 'cancelled' }, at('2026-04-11', refused(60))],
      '2026-05-11T00:00:00',
      2,
    ],
    // B accepted later: 15 of April and 15 of the refused one, half a month at 60 of the 31 days after 16 May.
    [
      'and then the change after all',
      [april, at('2026-04-11', refused(15)), at('2026-04-16', B)],
      '2026-05-31T12:00:00',
      2,
    ],
  ];
  for (const [name, lines, expected, planId] of cases) {
    it(name, () => {
      for (const order of [lines, lines.map((line, index) => ({ key: `sol:${index + 1}`, ...line })).toReversed()]) {
        const status = fold(order, '2028-01-01T00:00:00');
        expect(text(status.paidUntil)).to.equal(expected);
        expect(status.planId).to.equal(planId);
      }
    });
  }
});

describe('layOut: absurd amounts', () => {
  const last = '9999-01-01T00:00:00';
  const cases: [string, Line[], string][] = [
    ['a price that is no number', [april, at('2026-04-11', { ...B, unitPrice: Number.NaN })], '2026-05-31T00:00:00'],
    ['an infinite price', [april, at('2026-04-11', { ...B, unitPrice: Infinity })], '2026-05-31T00:00:00'],
    ['a price below 0', [april, at('2026-04-11', { ...B, unitPrice: -5 })], '2026-05-31T00:00:00'],
    ['no number before', [{ ...april, unitPrice: Number.NaN }, at('2026-04-11', B)], '2026-05-11T00:00:00'],
    ['no number of periods', [april, at('2026-04-11', { ...B, quantity: Number.NaN })], '2026-05-01T00:00:00'],
    ['next to nothing', [april, at('2026-04-11', { ...B, unitPrice: 1e-300 })], last],
    ['riches', [{ ...april, unitPrice: 1e300, quantity: 1e300 }, at('2026-04-11', B)], last],
    [
      'infinitely many for nothing',
      [{ ...april, unitPrice: 0, quantity: Infinity }, at('2026-04-11', B)],
      '2026-05-11T00:00:00',
    ],
    ['infinitely many', [{ ...april, quantity: Infinity }, at('2026-04-11', B)], last],
  ];
  for (const [name, lines, expected] of cases) {
    it(name, () => expect(text(fold(lines, '2026-04-12T00:00:00').paidUntil)).to.equal(expected));
  }
});
