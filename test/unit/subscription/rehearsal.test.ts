import { expect } from 'chai';
import { decide, type Situation } from '../../../src/subscription/desired.js';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import { rehearse, type Story } from '../../../src/subscription/rehearsal.js';
import { calendarNotices, noticeDue } from '../../../src/subscription/timeline.js';
import type { Entitlement } from '../../../src/subscription/types.js';
import { at, entitlement, POLICY, STARTED, text, utc } from './support.js';

const HOUR_MS = 3_600_000;
/** At which anything happens in the stories below, and others. */
const HOURS = [0, 5, 12, 22, 23];
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

interface Tale {
  lines: Partial<Entitlement>[];
  situation?: Partial<Situation>;
  state?: Story['state'];
  graceDays?: number;
  sent?: string[];
}

function storyOf({ lines, situation = {}, state = 'running', graceDays = 0, sent = [] }: Tale): Story {
  return {
    entitlements: lines.map((line, index) => entitlement({ key: `sol:${index + 1}`, ...line })),
    startedAt: STARTED,
    situation: { ...SITUATION, ...situation },
    graceDaysOfPlan: () => graceDays,
    state,
    wasSent: (notice, period) => sent.includes(`${notice} ${period}`),
  };
}

/** What a daemon does that looks at some full hours of the day, written down as it goes. */
function live(story: Story, from: Date, to: Date): string[] {
  const lived: string[] = [];
  const sent = new Set<string>();
  let { state, situation } = story;
  for (let ms = from.getTime(); ms <= to.getTime(); ms += HOUR_MS) {
    const now = new Date(ms);
    if (!HOURS.includes(now.getUTCHours())) continue;
    const status = subscriptionStatus(story.entitlements, story.startedAt, story.graceDaysOfPlan, POLICY, now);
    let decision = decide(status, situation, POLICY, now);
    if (decision.desired.state !== state) {
      state = decision.desired.state === 'deleted' ? null : decision.desired.state;
      lived.push(`${decision.desired.state} ${text(now)}`);
      if (state === null) return lived;
      situation = { ...situation, warnedAt: null, suspendedAt: state === 'suspended' ? now : null };
      decision = decide(status, situation, POLICY, now);
    }
    const due = noticeDue(calendarNotices(status, decision, POLICY), decision, status, now);
    if (!due || sent.has(`${due.notice} ${due.period}`) || story.wasSent(due.notice, due.period)) continue;
    sent.add(`${due.notice} ${due.period}`);
    lived.push(`${due.notice} ${text(now)}`);
    if (due.notice === 'deletion_warning') situation = { ...situation, warnedAt: now };
  }
  return lived;
}

const month = at('2026-01-15T12:00:00');
const suspendedAt = utc('2026-02-15T23:00:00');
const payment = utc('2026-02-15T20:00:00');
const reminders = ['reminder 2026-02-07T23:00:00', 'reminder 2026-02-11T23:00:00', 'reminder 2026-02-13T23:00:00'];
const warnings = [
  'deletion_warning 2026-03-03T23:00:00',
  'deletion_warning 2026-03-10T23:00:00',
  'deletion_warning 2026-03-16T23:00:00',
];

describe('rehearse', () => {
  const cases: [string, Tale, string[]][] = [
    [
      'a month',
      { lines: [month] },
      [...reminders, 'suspended 2026-02-15T23:00:00', ...warnings, 'deleted 2026-03-17T23:00:00'],
    ],
    [
      'one that is being made',
      { lines: [month], state: null, situation: { retentionDays: 400 } },
      ['running 2026-01-20T00:00:00', ...reminders, 'suspended 2026-02-15T23:00:00'],
    ],
    [
      'with grace',
      { lines: [month], graceDays: 3, situation: { retentionDays: 400 } },
      [...reminders, 'suspended 2026-02-18T23:00:00'],
    ],
    [
      'the first reminder sent before',
      { lines: [month], sent: ['reminder 2026-02-15T12:00:00.000Z:7'], situation: { retentionDays: 400 } },
      [...reminders.slice(1), 'suspended 2026-02-15T23:00:00'],
    ],
    [
      'a payment on its way',
      {
        lines: [month, { state: 'pending', startsOn: payment, paidOn: null, pendingSince: payment }],
        situation: { retentionDays: 400 },
      },
      [...reminders, 'suspended 2026-02-19T23:00:00'],
    ],
    [
      'an order that is never paid',
      { lines: [at('2026-01-19', { paidOn: null })], situation: { retentionDays: 400 } },
      ['suspended 2026-01-24T00:00:00'],
    ],
    [
      'kept for a day',
      { lines: [month], situation: { retentionDays: 1 } },
      [
        ...reminders,
        'suspended 2026-02-15T23:00:00',
        'deletion_warning 2026-02-15T23:00:00',
        'deleted 2026-02-16T23:00:00',
      ],
    ],
    ['stopped by staff', { lines: [month], situation: { hold: 'stopped' }, state: 'stopped' }, []],
    [
      'too much storage',
      { lines: [{ ...month, quantity: 12 }], situation: { storageOverSince: utc('2026-01-19T00:00:00') } },
      ['suspended 2026-01-26T23:00:00'],
    ],
    [
      'suspended long ago, the daemon asleep since',
      {
        lines: [{ ...month, startsOn: utc('2025-06-15T12:00:00') }],
        state: 'suspended',
        situation: { suspendedAt: utc('2025-07-15T22:00:00') },
      },
      ['deletion_warning 2026-01-20T00:00:00', 'deleted 2026-01-21T23:00:00'],
    ],
    [
      'unpaid long ago, the daemon asleep since',
      { lines: [{ ...month, startsOn: utc('2025-06-15T12:00:00') }] },
      [
        'suspended 2026-01-20T00:00:00',
        'deletion_warning 2026-02-05T23:00:00',
        'deletion_warning 2026-02-12T23:00:00',
        'deletion_warning 2026-02-18T23:00:00',
        'deleted 2026-02-19T23:00:00',
      ],
    ],
    [
      'suspended, and paid from a date on',
      {
        lines: [month, at('2026-02-20', { key: 'grant:1', quantity: 10, periodUnit: 'day' })],
        situation: { retentionDays: 400 },
      },
      [
        ...reminders,
        'suspended 2026-02-15T23:00:00',
        'running 2026-02-20T00:00:00',
        'reminder 2026-02-22T23:00:00',
        'reminder 2026-02-26T23:00:00',
        'reminder 2026-02-28T23:00:00',
        'suspended 2026-03-02T23:00:00',
      ],
    ],
    [
      'kept for no day, warned, paid, and warned anew',
      {
        lines: [month, at('2026-02-16T12:00:00', { key: 'grant:1', quantity: 10, periodUnit: 'day' })],
        situation: { retentionDays: 0 },
      },
      [
        ...reminders,
        'suspended 2026-02-15T23:00:00',
        'deletion_warning 2026-02-15T23:00:00',
        'running 2026-02-16T12:00:00',
        'reminder 2026-02-18T23:00:00',
        'reminder 2026-02-22T23:00:00',
        'reminder 2026-02-24T23:00:00',
        'suspended 2026-02-26T23:00:00',
        'deletion_warning 2026-02-26T23:00:00',
        'deleted 2026-02-27T23:00:00',
      ],
    ],
    [
      'hours',
      { lines: [at('2026-01-20', { periodUnit: 'hour', quantity: 5 })], situation: { retentionDays: 400 } },
      ['suspended 2026-01-20T05:00:00'],
    ],
    [
      'a change of plan on its day',
      {
        lines: [month, at('2026-02-01', { planId: 2, unitPrice: 40, quantity: 0, key: 'grant:1' })],
        situation: { retentionDays: 400 },
      },
      ['reminder 2026-02-02T23:00:00', 'suspended 2026-02-04T23:00:00'],
    ],
  ];
  for (const [name, tale, expected] of cases) {
    it(name, () => {
      const [from, to] = [utc('2026-01-20T00:00:00'), utc('2026-03-20T00:00:00')];
      const told = rehearse(storyOf(tale), POLICY, from, to).map(({ at: moment, what }) => `${what} ${text(moment)}`);
      expect(told).to.deep.equal(live(storyOf(tale), from, to));
      expect(told).to.deep.equal(expected);
    });
  }

  it('ends where it is told to, and gives the reasons', () => {
    const story = storyOf({ lines: [month], state: 'suspended', situation: { suspendedAt } });
    const told = rehearse(story, POLICY, utc('2026-03-16T00:00:00'), utc('2026-03-17T22:59:59'));
    expect(told.map(({ reason }) => reason)).to.deep.equal(['7 days before the deletion', '1 day before the deletion']);
  });
});
