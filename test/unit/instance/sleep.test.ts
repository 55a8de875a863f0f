import { expect } from 'chai';
import { type SleepFacts, sleepOf } from '../../../src/instance/sleep.js';
import { utc } from '../subscription/support.js';

const NIGHTLY: SleepFacts = {
  ...{ afterHours: 2, hourly: false },
  ...{ visitedAt: utc('2026-01-15T12:00'), wokenAt: null, asleepSince: null },
};
const ASLEEP: SleepFacts = { ...NIGHTLY, asleepSince: utc('2026-01-15T14:00') };

describe('sleepOf', () => {
  const cases: [string, SleepFacts, string, boolean, string | null][] = [
    ['visited lately', NIGHTLY, '2026-01-15T13:59', false, '2026-01-15T14:00'],
    ['not visited for so long', NIGHTLY, '2026-01-15T14:00', true, null],
    ['asleep, for good', ASLEEP, '2026-01-20T14:00', true, null],
    [
      'visited while asleep',
      { ...ASLEEP, visitedAt: utc('2026-01-20T13:59') },
      '2026-01-20T14:00',
      false,
      '2026-01-20T15:59',
    ],
    ['asleep, woken each hour', { ...ASLEEP, hourly: true }, '2026-01-15T14:30', true, '2026-01-15T15:00'],
    ['to be woken for its actions', { ...ASLEEP, hourly: true }, '2026-01-15T15:00', false, null],
    [
      'woken for its actions',
      { ...NIGHTLY, hourly: true, wokenAt: utc('2026-01-15T15:00') },
      '2026-01-15T15:04',
      false,
      '2026-01-15T15:05',
    ],
    [
      'done with its actions',
      { ...NIGHTLY, hourly: true, wokenAt: utc('2026-01-15T15:00') },
      '2026-01-15T15:05',
      true,
      null,
    ],
  ];
  for (const [name, facts, now, isAsleep, changesAt] of cases) {
    it(name, () => {
      expect(sleepOf(facts, utc(now))).to.deep.equal({ isAsleep, changesAt: changesAt && utc(changesAt) });
    });
  }
});
