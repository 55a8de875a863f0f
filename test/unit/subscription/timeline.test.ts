import { expect } from 'chai';
import { decide, type Situation } from '../../../src/subscription/desired.js';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import { calendarNotices, daysLeft, nextMoment, noticeDue } from '../../../src/subscription/timeline.js';
import type { Entitlement } from '../../../src/subscription/types.js';
import { at, entitlement, POLICY, STARTED, text, utc } from './support.js';

const SITUATION: Situation = {
  hold: 'none',
  suspendedAt: null,
  warnedAt: null,
  toldDeleteAt: null,
  toldStorageAt: null,
  isUsed: true,
  storageOverSince: null,
  spaceStoppedAt: null,
  retentionDays: 30,
};

function look(lines: Partial<Entitlement>[], now: string, situation: Partial<Situation> = {}) {
  const entitlements = lines.map((line, index) => entitlement({ key: `sol:${index + 1}`, ...line }));
  const status = subscriptionStatus(entitlements, STARTED, () => 0, POLICY, utc(now));
  const decision = decide(status, { ...SITUATION, ...situation }, POLICY, utc(now));
  const notices = calendarNotices(status, decision, POLICY);
  const due = noticeDue(notices, decision, status, utc(now));
  return {
    all: notices.map(({ notice, days, at: moment }) => `${notice} ${days} ${text(moment)}`),
    due: due && `${due.notice} ${due.days}`,
    period: due?.period,
    next: text(nextMoment(decision, notices, utc(now))),
  };
}

/** Paid until 15 Feb 12:00Z. */
const month = at('2026-01-15T12:00:00');
const suspendedAt = utc('2026-02-15T23:00:00');

describe('calendarNotices: reminders', () => {
  const of = (lines: Partial<Entitlement>[], now = '2026-01-16T00:00:00') =>
    look(lines, now).all.filter((line) => line.startsWith('reminder'));
  const cases: [string, Partial<Entitlement>[], string[]][] = [
    [
      'at local midnight, 7, 3 and 1 days before the day of the end',
      [month],
      ['reminder 7 2026-02-07T23:00:00', 'reminder 3 2026-02-11T23:00:00', 'reminder 1 2026-02-13T23:00:00'],
    ],
    [
      'over the clocks forward: still at midnight',
      [at('2026-02-28T12:00:00', { quantity: 31, periodUnit: 'day' })],
      ['reminder 7 2026-03-23T23:00:00', 'reminder 3 2026-03-27T23:00:00', 'reminder 1 2026-03-29T22:00:00'],
    ],
    [
      'a week: not of its own start',
      [at('2026-01-15', { quantity: 7, periodUnit: 'day' })],
      ['reminder 3 2026-01-18T23:00:00', 'reminder 1 2026-01-20T23:00:00'],
    ],
    ['a day: none', [at('2026-01-15T12:00:00', { periodUnit: 'day' })], []],
    ['hours: none', [at('2026-01-15T12:00:00', { quantity: 400, periodUnit: 'hour' })], []],
    [
      'renewed late, not of before',
      [month, at('2026-02-14T12:00:00', { quantity: 1, periodUnit: 'day' })],
      ['reminder 1 2026-02-14T23:00:00'],
    ],
    ['nothing paid', [], []],
  ];
  for (const [name, lines, expected] of cases) {
    it(name, () => expect(of(lines, '2026-02-14T12:00:00')).to.deep.equal(expected));
  }
});

describe('noticeDue', () => {
  const warned = { suspendedAt, warnedAt: utc('2026-03-03T23:00:00') };
  const cases: [string, Partial<Entitlement>[], string, Partial<Situation>, string | null, string | null][] = [
    ['a second before the first', [month], '2026-02-07T22:59:59', {}, null, '2026-02-07T23:00:00'],
    ['the first', [month], '2026-02-07T23:00:00', {}, 'reminder 7', '2026-02-11T23:00:00'],
    ['still the first', [month], '2026-02-11T22:59:59', {}, 'reminder 7', '2026-02-11T23:00:00'],
    ['the second', [month], '2026-02-11T23:00:00', {}, 'reminder 3', '2026-02-13T23:00:00'],
    ['after a sleep the latest alone', [month], '2026-02-15T11:59:59', {}, 'reminder 1', '2026-02-15T12:00:00'],
    ['after the end none', [month], '2026-02-15T12:00:00', {}, null, '2026-02-15T23:00:00'],
    ['none while staff hold it', [month], '2026-02-12T00:00:00', { hold: 'stopped' }, null, '2026-02-13T23:00:00'],
    [
      'suspended: no reminder, no warning yet',
      [month],
      '2026-02-16T00:00:00',
      { suspendedAt },
      null,
      '2026-03-03T23:00:00',
    ],
    [
      'the first warning',
      [month],
      '2026-03-03T23:00:00',
      { suspendedAt },
      'deletion_warning 14',
      '2026-03-10T23:00:00',
    ],
    ['the second', [month], '2026-03-10T23:00:00', warned, 'deletion_warning 7', '2026-03-16T23:00:00'],
    ['the last', [month], '2026-03-16T23:00:00', warned, 'deletion_warning 1', '2026-03-17T23:00:00'],
    [
      'after a sleep the latest warning',
      [month],
      '2026-06-01T00:00:00',
      { suspendedAt },
      'deletion_warning 1',
      '2026-06-02T22:00:00',
    ],
    [
      'kept for a day: at once',
      [month],
      '2026-02-15T23:00:00',
      { suspendedAt, retentionDays: 1 },
      'deletion_warning 1',
      '2026-02-16T23:00:00',
    ],
    ['no warning while staff hold it', [month], '2026-03-12T00:00:00', { suspendedAt, hold: 'suspended' }, null, null],
  ];
  for (const [name, lines, now, situation, due, next] of cases) {
    it(name, () => {
      const seen = look(lines, now, situation);
      expect(seen.due).to.equal(due);
      expect(seen.next).to.equal(next);
    });
  }

  it('tells periods apart: another end, another suspension', () => {
    const first = look([month], '2026-02-12T00:00:00').period;
    expect(look([month], '2026-02-13T00:00:00').period).to.equal(first);
    const renewed = look([month, at('2026-02-12T01:00:00')], '2026-03-12T00:00:00').period;
    expect(renewed).to.not.equal(first);
    const warning = look([month], '2026-03-05T00:00:00', { suspendedAt }).period;
    expect(look([month], '2026-03-06T00:00:00', { suspendedAt }).period).to.equal(warning);
    expect(look([month], '2026-03-06T00:00:00', { suspendedAt: utc('2026-02-16T23:00:00') }).period).to.not.equal(
      warning,
    );
  });
});

describe('daysLeft', () => {
  const cases: [string, string, number][] = [
    ['2026-02-14T22:59:59', '2026-02-15T12:00:00', 1],
    ['2026-02-14T23:00:00', '2026-02-15T12:00:00', 0],
    ['2026-02-07T23:00:00', '2026-02-15T12:00:00', 7],
    ['2026-03-28T22:00:00', '2026-03-29T23:00:00', 2],
    ['2026-02-20T00:00:00', '2026-02-15T12:00:00', 0],
  ];
  for (const [now, end, days] of cases) {
    it(`${now} to ${end}`, () => expect(daysLeft(utc(now), utc(end), POLICY)).to.equal(days));
  }
});
