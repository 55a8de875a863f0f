import { expect } from 'chai';
import { deletionOf } from '../../../src/subscription/deletion.js';
import { POLICY, text, utc } from './support.js';

const USED = { toldDeleteAt: null, isUsed: true };
const orNull = (date: string | null) => (date === null ? null : utc(date));

describe('deletionOf', () => {
  const night = '2026-02-15T23:00:00';
  // Name, when it should have been and was suspended, when warned, days kept, now; the deletion, its warnings.
  type Case = [string, string | null, string | null, string | null, number, string, string, [number, string][]];
  const all: [number, string][] = [
    [14, '2026-03-03T23:00:00'],
    [7, '2026-03-10T23:00:00'],
    [1, '2026-03-16T23:00:00'],
  ];
  const cases: Case[] = [
    ['just suspended', night, night, null, 30, night, '2026-03-17T23:00:00', all],
    [
      'a second into the day, the next night',
      night,
      '2026-02-15T23:00:01',
      null,
      30,
      night,
      '2026-03-18T23:00:00',
      [
        [14, '2026-03-04T23:00:00'],
        [7, '2026-03-11T23:00:00'],
        [1, '2026-03-17T23:00:00'],
      ],
    ],
    ['warned in time', night, night, '2026-03-03T23:00:00', 30, '2026-03-17T23:00:00', '2026-03-17T23:00:00', all],
    [
      'warned a day before, to the second',
      night,
      night,
      '2026-03-16T23:00:00',
      30,
      '2026-03-17T23:00:00',
      '2026-03-17T23:00:00',
      all,
    ],
    [
      'warned a second later: a night more',
      night,
      night,
      '2026-03-16T23:00:01',
      30,
      '2026-03-17T23:00:00',
      '2026-03-18T23:00:00',
      all,
    ],
    ['never warned, though it is time', night, night, null, 30, '2026-03-17T23:00:00', '2026-03-18T23:00:00', all],
    ['never warned, months after', night, night, null, 30, '2026-07-01T12:00:00', '2026-07-02T22:00:00', all],
    [
      'warned, then asleep for months',
      night,
      night,
      '2026-03-03T23:00:00',
      30,
      '2026-07-01T12:00:00',
      '2026-03-17T23:00:00',
      all,
    ],
    [
      'asleep for months before the suspension',
      night,
      '2026-07-01T12:00:00',
      null,
      30,
      '2026-07-01T12:00:00',
      '2026-07-31T22:00:00',
      [
        [14, '2026-07-17T22:00:00'],
        [7, '2026-07-24T22:00:00'],
        [1, '2026-07-30T22:00:00'],
      ],
    ],
    [
      'suspended by staff before, unpaid later',
      night,
      '2026-01-20T12:00:00',
      null,
      30,
      night,
      '2026-03-17T23:00:00',
      all,
    ],
    ['everything taken back', null, night, null, 30, night, '2026-03-17T23:00:00', all],
    ['kept for 5 days', night, night, null, 5, night, '2026-02-20T23:00:00', [[1, '2026-02-19T23:00:00']]],
    ['kept for 1 day, warned at once', night, night, night, 1, night, '2026-02-16T23:00:00', [[1, night]]],
    ['kept for no day, warned at once', night, night, night, 0, night, '2026-02-16T23:00:00', [[1, night]]],
    [
      'kept for no day, not warned yet',
      night,
      night,
      null,
      0,
      '2026-02-16T12:00:00',
      '2026-02-17T23:00:00',
      [[1, night]],
    ],
    // 42 days of 24 hours end at 01:00 of summer time: the night after.
    [
      'over the clocks forward',
      night,
      night,
      null,
      42,
      night,
      '2026-03-30T22:00:00',
      [
        [14, '2026-03-16T23:00:00'],
        [7, '2026-03-23T23:00:00'],
        [1, '2026-03-29T22:00:00'],
      ],
    ],
  ];
  for (const [name, suspendAt, suspendedAt, warnedAt, days, now, at, warnings] of cases) {
    it(name, () => {
      const status = { suspendAt: orNull(suspendAt), paidUntil: orNull(suspendAt), awaitedUntil: null };
      const facts = { suspendedAt: orNull(suspendedAt), warnedAt: orNull(warnedAt), ...USED };
      const deletion = deletionOf(status, facts, days, POLICY, utc(now));
      expect(text(deletion?.at ?? null)).to.equal(at);
      expect(deletion?.warnings.map((warning) => [warning.days, text(warning.at)])).to.deep.equal(warnings);
    });
  }

  for (const [name, awaitedUntil, at] of [
    ['ends before it', '2026-03-17T22:59:59', '2026-03-17T23:00:00'],
    ['may come after it', '2026-03-20T23:00:00', '2026-03-20T23:00:00'],
  ] as const) {
    it(`waits for a payment that ${name}`, () => {
      const status = { suspendAt: utc(night), paidUntil: utc(night), awaitedUntil: utc(awaitedUntil) };
      const facts = { suspendedAt: utc(night), warnedAt: utc('2026-03-03T23:00:00'), ...USED };
      for (const deletionWarningDays of [POLICY.deletionWarningDays, []]) {
        const deletion = deletionOf(status, facts, 30, { ...POLICY, deletionWarningDays }, utc(at));
        expect(text(deletion?.at ?? null)).to.equal(at);
      }
    });
  }

  it('never comes before a date that the customer was told, whatever the retention is now', () => {
    const status = { suspendAt: utc(night), paidUntil: utc(night), awaitedUntil: null };
    const facts = { ...USED, suspendedAt: utc(night), warnedAt: utc('2026-03-03T23:00:00') };
    const told = { ...facts, toldDeleteAt: utc('2026-03-17T23:00:00') };
    const at = (some: typeof facts | typeof told) =>
      deletionOf(status, some, 5, POLICY, utc('2026-03-10T00:00:00'))?.at;
    expect(text(at(facts) ?? null)).to.equal('2026-03-04T23:00:00');
    expect(text(at(told) ?? null)).to.equal('2026-03-17T23:00:00');
  });

  it('of one that was never used waits for no warning', () => {
    const status = { suspendAt: null, paidUntil: null, awaitedUntil: null };
    const facts = { suspendedAt: utc(night), warnedAt: null, toldDeleteAt: null, isUsed: false };
    const deletion = deletionOf(status, facts, 30, POLICY, utc('2026-07-01T00:00:00'));
    expect([text(deletion?.at ?? null), deletion?.warnings]).to.deep.equal(['2026-03-17T23:00:00', []]);
  });

  it('has no date where nothing was paid or suspended', () => {
    const facts = { suspendedAt: null, warnedAt: null, ...USED };
    expect(
      deletionOf({ suspendAt: null, paidUntil: null, awaitedUntil: null }, facts, 30, POLICY, utc(night)),
    ).to.equal(null);
  });

  it('warns of nothing where no days are configured', () => {
    const status = { suspendAt: utc(night), paidUntil: utc(night), awaitedUntil: null };
    const facts = { suspendedAt: utc(night), warnedAt: null, ...USED };
    const policy = { ...POLICY, deletionWarningDays: [] };
    const deletion = deletionOf(status, facts, 30, policy, utc('2026-07-01T00:00:00'));
    expect([text(deletion?.at ?? null), deletion?.warnings]).to.deep.equal(['2026-03-17T23:00:00', []]);
  });
});
