import { expect } from 'chai';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import type { Entitlement, Policy, SubscriptionStatus } from '../../../src/subscription/types.js';
import { at, entitlement, POLICY, STARTED, text, utc } from './support.js';

type Line = Partial<Entitlement>;

function fold(
  lines: Line[],
  now: string,
  { graceDays = 0, policy = POLICY }: { graceDays?: number; policy?: Policy } = {},
) {
  const entitlements = lines.map((line, index) => entitlement({ key: `sol:${index + 1}`, ...line }));
  return subscriptionStatus(entitlements, STARTED, () => graceDays, policy, utc(now));
}

function paidUntil(lines: Line[], now = '2030-01-01T00:00:00'): string | null {
  return text(fold(lines, now).paidUntil);
}

describe('subscriptionStatus: paidUntil', () => {
  const cases: [string, Line[], string | null][] = [
    ['nothing bought', [], null],
    ['one month', [at('2026-01-15')], '2026-02-15T00:00:00'],
    ['quantity times count', [at('2026-01-15', { quantity: 2, periodCount: 3 })], '2026-07-15T00:00:00'],
    ['a month end is clipped', [at('2026-01-31')], '2026-02-28T00:00:00'],
    ['a month end does not drift', [at('2026-01-31'), at('2026-02-20')], '2026-03-31T00:00:00'],
    ['nor over many renewals', [31, 30, 29, 28, 27].map((day) => at(`2026-01-${day}`)), '2026-06-27T00:00:00'],
    ['leap day, month', [at('2028-01-30')], '2028-02-29T00:00:00'],
    ['leap day, one year', [at('2028-02-29', { periodUnit: 'year' })], '2029-02-28T00:00:00'],
    ['leap day, four years', [at('2028-02-29', { periodUnit: 'year', quantity: 4 })], '2032-02-29T00:00:00'],
    ['days', [at('2026-02-27', { periodUnit: 'day', quantity: 3 })], '2026-03-02T00:00:00'],
    ['hours', [at('2026-02-28T22:00:00', { periodUnit: 'hour', quantity: 3 })], '2026-03-01T01:00:00'],
    ['one second before midnight', [at('2026-01-30T23:59:59')], '2026-02-28T23:59:59'],
    ['half a month is half of that month', [at('2026-02-01', { quantity: 0.5 })], '2026-02-15T00:00:00'],
    ['a month and a half', [at('2026-01-01', { quantity: 1.5 })], '2026-02-15T00:00:00'],
    ['half a year is six months', [at('2026-01-31', { quantity: 0.5, periodUnit: 'year' })], '2026-07-31T00:00:00'],
    ['half a day', [at('2026-01-01', { quantity: 0.5, periodUnit: 'day' })], '2026-01-01T12:00:00'],
    [
      'ten tenths are one',
      Array.from({ length: 10 }, () => at('2026-01-31', { quantity: 0.1 })),
      '2026-02-28T00:00:00',
    ],
    ['early renewal extends', [at('2026-01-15'), at('2026-02-01')], '2026-03-15T00:00:00'],
    ['renewal at the very end extends', [at('2026-01-31'), at('2026-02-28')], '2026-03-31T00:00:00'],
    ['late renewal starts anew', [at('2026-01-31'), at('2026-02-28T00:00:01')], '2026-03-28T00:00:01'],
    [
      'mixed units add up in one run',
      [at('2026-01-31'), at('2026-02-10', { periodUnit: 'day', quantity: 10 }), at('2026-02-11')],
      '2026-04-10T00:00:00',
    ],
    [
      'the same line twice',
      [at('2026-01-15', { key: 'sol:1' }), at('2026-01-15', { key: 'sol:1' })],
      '2026-02-15T00:00:00',
    ],
    ['out of order', [at('2026-03-01'), at('2026-01-31'), at('2026-02-20')], '2026-04-30T00:00:00'],
    ['cancelled', [at('2026-01-15'), at('2026-01-16', { state: 'cancelled' })], '2026-02-15T00:00:00'],
    [
      'a cancelled middle leaves a gap',
      [at('2026-01-01'), at('2026-01-02', { state: 'cancelled' }), at('2026-02-10')],
      '2026-03-10T00:00:00',
    ],
    ['quantity 0', [at('2026-01-15', { quantity: 0 })], null],
    ['quantity below 0', [at('2026-01-15'), at('2026-01-16', { quantity: -1 })], '2026-02-15T00:00:00'],
    ['period 0', [at('2026-01-15', { periodCount: 0 })], null],
    [
      'paid within the grace counts from the order',
      [at('2026-01-15', { paidOn: utc('2026-01-20T00:00:00') })],
      '2026-02-15T00:00:00',
    ],
    [
      'paid after it counts from the payment',
      [at('2026-01-15', { paidOn: utc('2026-01-20T00:00:01') })],
      '2026-02-20T00:00:01',
    ],
    [
      'a late payment goes behind what was paid before',
      [at('2026-01-15', { paidOn: utc('2026-02-10T00:00:00') }), at('2026-02-01')],
      '2026-04-01T00:00:00',
    ],
    ['a grant needs no payment', [at('2026-01-15', { key: 'grant:1', paidOn: null })], '2026-02-15T00:00:00'],
    ['a million years', [at('2026-01-15', { quantity: 1e6, periodUnit: 'year' })], '9999-01-01T00:00:00'],
    ['1e300 hours', [at('2026-01-15', { quantity: 1e300, periodUnit: 'hour' })], '9999-01-01T00:00:00'],
    ['infinitely many days', [at('2026-01-15', { quantity: Infinity, periodUnit: 'day' })], '9999-01-01T00:00:00'],
    ['more after the last date', [at('2026-01-15', { quantity: 1e9 }), at('2026-02-01')], '9999-01-01T00:00:00'],
    ['an invalid date', [at('2026-01-15'), { startsOn: new Date(Number.NaN), paidOn: null }], '2026-02-15T00:00:00'],
  ];
  for (const [name, lines, expected] of cases) {
    it(name, () => {
      expect(paidUntil(lines)).to.equal(expected);
      expect(paidUntil(lines.map((line, index) => ({ key: `sol:${index + 1}`, ...line })).reverse())).to.equal(
        expected,
      );
    });
  }

  it('does not depend on which version of a line comes first', () => {
    const versions = [
      at('2026-01-15', { key: 'sol:1' }),
      at('2026-01-15', { key: 'sol:1', state: 'cancelled' as const }),
    ];
    expect(paidUntil(versions)).to.equal(null);
    expect(paidUntil(versions.toReversed())).to.equal(null);
  });
});

describe('subscriptionStatus: unpaid orders', () => {
  const unpaid = at('2026-01-15', { paidOn: null });

  it('counts until the grace ends', () => {
    const before = fold([unpaid], '2026-01-19T23:59:59');
    expect(before.state).to.equal('active');
    expect(text(before.paidUntil)).to.equal('2026-02-15T00:00:00');
    expect(text(before.nextChangeAt)).to.equal('2026-01-20T00:00:00');
    const after = fold([unpaid], '2026-01-20T00:00:00');
    expect(after).to.deep.equal({
      paidUntil: null,
      suspendAt: null,
      heldOff: false,
      awaitedUntil: null,
      state: 'expired',
      planId: 1,
      lastPaymentOn: null,
      lastStartOn: null,
      lapsesAt: null,
      hourly: false,
      nextChangeAt: null,
    } satisfies SubscriptionStatus);
  });

  it('is a draft where nothing is given on trust', () => {
    expect(fold([unpaid], '2026-01-15T00:00:00', { policy: { ...POLICY, unpaidOrderGraceDays: 0 } }).state).to.equal(
      'draft',
    );
  });

  it('leaves what is paid when it lapses', () => {
    const lines = [at('2026-01-10'), unpaid];
    expect(text(fold(lines, '2026-01-16T00:00:00').paidUntil)).to.equal('2026-03-10T00:00:00');
    expect(text(fold(lines, '2026-01-21T00:00:00').paidUntil)).to.equal('2026-02-10T00:00:00');
  });

  it('counts again when it is paid', () => {
    expect(paidUntil([{ ...unpaid, paidOn: utc('2026-03-01T10:00:00') }])).to.equal('2026-04-01T10:00:00');
  });
});

describe('subscriptionStatus: suspendAt', () => {
  const cases: [string, string, number, string, string][] = [
    ['Madrid, winter', '2026-01-15T12:00:00', 0, 'Europe/Madrid', '2026-02-15T23:00:00'],
    ['Madrid, summer', '2026-06-15T12:00:00', 0, 'Europe/Madrid', '2026-07-15T22:00:00'],
    ['exactly local midnight', '2026-01-15T23:00:00', 0, 'Europe/Madrid', '2026-02-15T23:00:00'],
    ['one second after midnight', '2026-01-15T23:00:01', 0, 'Europe/Madrid', '2026-02-16T23:00:00'],
    ['one second before midnight', '2026-01-15T22:59:59', 0, 'Europe/Madrid', '2026-02-15T23:00:00'],
    ['with grace', '2026-01-15T12:00:00', 3, 'Europe/Madrid', '2026-02-18T23:00:00'],
    // Clocks go forward on 29 Mar 2026 at 01:00Z: the next midnight is 23 hours after the last.
    ['Madrid, clocks go forward', '2026-02-28T23:30:00', 0, 'Europe/Madrid', '2026-03-29T22:00:00'],
    ['Madrid, night before clocks go forward', '2026-02-28T22:30:00', 0, 'Europe/Madrid', '2026-03-28T23:00:00'],
    // Back on 25 Oct 2026 at 01:00Z: 25 hours.
    ['Madrid, clocks go back', '2026-09-24T22:30:00', 0, 'Europe/Madrid', '2026-10-25T23:00:00'],
    ['Madrid, night before clocks go back', '2026-09-24T21:30:00', 0, 'Europe/Madrid', '2026-10-24T22:00:00'],
    ['Madrid, day of clocks back', '2026-09-25T12:00:00', 0, 'Europe/Madrid', '2026-10-25T23:00:00'],
    ['Mexico City today has no summer time', '2026-06-15T12:00:00', 0, 'America/Mexico_City', '2026-07-16T06:00:00'],
    ['Mexico City 2022, summer', '2022-05-15T12:00:00', 0, 'America/Mexico_City', '2022-06-16T05:00:00'],
    ['Mexico City 2022, forward on 3 Apr', '2022-03-03T12:00:00', 0, 'America/Mexico_City', '2022-04-04T05:00:00'],
    ['Mexico City 2022, back on 30 Oct', '2022-09-30T12:00:00', 0, 'America/Mexico_City', '2022-10-31T06:00:00'],
    // Asunción skipped 00:00 on 6 Oct 2024: the day began at 01:00, 04:00Z.
    ['a midnight that does not exist', '2024-09-05T12:00:00', 0, 'America/Asuncion', '2024-10-06T04:00:00'],
    ['UTC', '2026-01-15T00:00:00', 0, 'UTC', '2026-02-15T00:00:00'],
  ];
  for (const [name, startsOn, graceDays, timeZone, expected] of cases) {
    it(name, () => {
      const status = fold([at(startsOn)], startsOn, { graceDays, policy: { ...POLICY, timeZone } });
      expect(text(status.suspendAt)).to.equal(expected);
    });
  }

  it('of hour plans does not wait for the night', () => {
    const status = fold([at('2026-01-15T12:00:00', { periodUnit: 'hour' })], '2026-01-15T12:00:00');
    expect(text(status.suspendAt)).to.equal('2026-01-15T13:00:00');
  });

  it('waits for the night when hours extend a month', () => {
    const lines = [at('2026-01-15T12:00:00'), at('2026-01-16', { periodUnit: 'hour' })];
    expect(text(fold(lines, '2026-01-20T00:00:00').suspendAt)).to.equal('2026-02-15T23:00:00');
  });

  it('does not overflow', () => {
    const status = fold([at('2026-01-15', { quantity: 1e12 })], '2026-01-20T00:00:00', { graceDays: 1e12 });
    expect(text(status.suspendAt)).to.equal('9999-01-01T00:00:00');
  });

  it('refuses an unknown time zone', () => {
    expect(() =>
      fold([at('2026-01-15')], '2026-01-20T00:00:00', { policy: { ...POLICY, timeZone: 'Mars/Base' } }),
    ).to.throw('Mars/Base');
  });
});

describe('subscriptionStatus: state and next change', () => {
  const month = [at('2026-01-15T12:00:00')];
  const hour = [at('2026-01-15T12:00:00', { periodUnit: 'hour' })];
  // lines, now, state, nextChangeAt; a month ends on 15 Feb at 12:00Z and has 2 days of grace, until local midnight.
  const cases: [string, Line[], string, SubscriptionStatus['state'], string | null][] = [
    ['nothing', [], '2026-01-15T12:00:00', 'draft', null],
    ['fresh', month, '2026-01-15T12:00:00', 'active', '2026-02-07T23:00:00'],
    ['one second before soon', month, '2026-02-07T22:59:59', 'active', '2026-02-07T23:00:00'],
    ['soon', month, '2026-02-07T23:00:00', 'expiring_soon', '2026-02-15T12:00:00'],
    ['one second before the end', month, '2026-02-15T11:59:59', 'expiring_soon', '2026-02-15T12:00:00'],
    ['the end', month, '2026-02-15T12:00:00', 'expired', '2026-02-17T23:00:00'],
    ['in grace', month, '2026-02-17T22:59:59', 'expired', '2026-02-17T23:00:00'],
    ['after it', month, '2026-02-17T23:00:00', 'expired', null],
    ['hours never expire soon', hour, '2026-01-15T12:59:59', 'active', '2026-01-15T13:00:00'],
    ['cancelled', [{ ...month[0], state: 'cancelled' }], '2026-01-16T00:00:00', 'cancelled', null],
    [
      'one of two cancelled',
      [{ ...month[0], state: 'cancelled' }, ...month],
      '2026-01-16T00:00:00',
      'active',
      '2026-02-07T23:00:00',
    ],
    ['only a line of quantity 0', [at('2026-01-15', { quantity: 0 })], '2026-01-16T00:00:00', 'draft', null],
  ];
  for (const [name, lines, now, state, next] of cases) {
    it(name, () => {
      const status = fold(lines, now, { graceDays: 2 });
      expect(status.state).to.equal(state);
      expect(text(status.nextChangeAt)).to.equal(next);
    });
  }

  it('asks for the grace of the plan that ends last', () => {
    // 26 of 31 days are left, 26 of 31: half a month at 52.
    const lines = [
      at('2026-01-15', { key: 'sol:1', planId: 1, unitPrice: 31 }),
      at('2026-01-20', { key: 'sol:2', planId: 2, unitPrice: 52 }),
    ];
    const policy = { ...POLICY, timeZone: 'UTC' };
    const status = subscriptionStatus(
      lines.map(entitlement),
      STARTED,
      (planId) => planId * 10,
      policy,
      utc('2026-01-21T00:00:00'),
    );
    expect(text(status.paidUntil)).to.equal('2026-03-06T00:00:00');
    expect(text(status.suspendAt)).to.equal('2026-03-26T00:00:00');
  });

  it('knows the last payment, not that of a refunded line', () => {
    const lines = [
      at('2026-01-15', { paidOn: utc('2026-01-18T00:00:00') }),
      at('2026-01-16', { paidOn: utc('2026-01-17T00:00:00') }),
      at('2026-01-20', { paidOn: utc('2026-01-20T00:00:00'), state: 'cancelled' }),
      at('2026-01-21', { paidOn: null }),
    ];
    expect(text(fold(lines, '2026-01-22T00:00:00').lastPaymentOn)).to.equal('2026-01-18T00:00:00');
  });
});
