import { expect } from 'chai';
import {
  addDays,
  addSpan,
  calendarDaysBetween,
  earliestAfter,
  midnightAtOrAfter,
  midnightBefore,
} from '../../../src/subscription/calendar.js';
import { text, utc } from './support.js';

describe('addSpan', () => {
  // From, months, milliseconds, result.
  const cases: [string, number, number, string][] = [
    ['2026-01-31T10:00:00', 1, 0, '2026-02-28T10:00:00'],
    ['2026-01-31T10:00:00', 2, 0, '2026-03-31T10:00:00'],
    ['2028-01-31T00:00:00', 1, 0, '2028-02-29T00:00:00'],
    ['2028-02-29T00:00:00', 12, 0, '2029-02-28T00:00:00'],
    ['2028-02-29T00:00:00', 48, 0, '2032-02-29T00:00:00'],
    ['2026-12-31T23:59:59', 2, 0, '2027-02-28T23:59:59'],
    ['2026-02-01T00:00:00', 0.5, 0, '2026-02-15T00:00:00'],
    ['2026-01-31T00:00:00', 1.5, 0, '2026-03-15T12:00:00'],
    ['2026-01-31T00:00:00', 0.9999999999999, 0, '2026-02-28T00:00:00'],
    ['2026-01-31T00:00:00', 1, 86_400_000, '2026-03-01T00:00:00'],
    ['2026-01-31T00:00:00', 0, 0, '2026-01-31T00:00:00'],
    ['2026-01-31T00:00:00', Infinity, 0, '9999-01-01T00:00:00'],
    ['2026-01-31T00:00:00', 1e300, Infinity, '9999-01-01T00:00:00'],
  ];
  for (const [from, months, ms, expected] of cases) {
    it(`${from} + ${months} months, ${ms} ms`, () => {
      expect(text(addSpan(utc(from), { months, ms }))).to.equal(expected);
    });
  }
});

describe('addDays', () => {
  it('takes days of 24 hours, and none that make no sense', () => {
    expect(text(addDays(utc('2026-03-28T12:00:00'), 2))).to.equal('2026-03-30T12:00:00');
    for (const days of [0, -1, Number.NaN]) {
      expect(text(addDays(utc('2026-03-28T12:00:00'), days))).to.equal('2026-03-28T12:00:00');
    }
    expect(text(addDays(utc('2026-03-28T12:00:00'), Infinity))).to.equal('9999-01-01T00:00:00');
  });
});

describe('midnightAtOrAfter', () => {
  const cases: [string, string, string, string][] = [
    ['Kathmandu, 5:45 ahead', '2026-01-15T18:14:59', 'Asia/Kathmandu', '2026-01-15T18:15:00'],
    ['Kathmandu, midnight', '2026-01-15T18:15:00', 'Asia/Kathmandu', '2026-01-15T18:15:00'],
    ['Kathmandu, a second later', '2026-01-15T18:15:01', 'Asia/Kathmandu', '2026-01-16T18:15:00'],
    ['Chatham, 13:45 ahead', '2026-01-15T10:15:00', 'Pacific/Chatham', '2026-01-15T10:15:00'],
    ['Kiritimati, 14 ahead', '2026-01-15T12:00:00', 'Pacific/Kiritimati', '2026-01-16T10:00:00'],
    // Apia went from 29 to 31 Dec 2011: the midnight of the 31st is that of the 30th.
    ['Apia, the day that was not', '2011-12-29T12:00:00', 'Pacific/Apia', '2011-12-30T10:00:00'],
    ['Apia, the day after', '2011-12-30T10:00:01', 'Pacific/Apia', '2011-12-31T10:00:00'],
    // Santiago skips 00:00 on 6 Sep 2026: the day begins at 01:00, 04:00Z.
    ['Santiago, no midnight', '2026-09-05T12:00:00', 'America/Santiago', '2026-09-06T04:00:00'],
    ['Santiago, the second before', '2026-09-06T03:59:59', 'America/Santiago', '2026-09-06T04:00:00'],
    ['Santiago, the second after', '2026-09-06T04:00:01', 'America/Santiago', '2026-09-07T03:00:00'],
    // And has the hour before 5 Apr 2026 twice: midnight is 04:00Z.
    ['Santiago, 25 hours', '2026-04-04T03:00:01', 'America/Santiago', '2026-04-05T04:00:00'],
    ['Beirut, no midnight', '2026-03-28T12:00:00', 'Asia/Beirut', '2026-03-28T22:00:00'],
    ['Beirut, the hour twice', '2026-10-24T12:00:00', 'Asia/Beirut', '2026-10-24T22:00:00'],
    ['Lord Howe, half an hour', '2026-10-03T14:00:00', 'Australia/Lord_Howe', '2026-10-04T13:00:00'],
    ['Madrid, forward', '2026-03-28T23:00:01', 'Europe/Madrid', '2026-03-29T22:00:00'],
    ['Madrid, back', '2026-10-24T22:00:01', 'Europe/Madrid', '2026-10-25T23:00:00'],
  ];
  for (const [name, moment, zone, expected] of cases) {
    it(name, () => expect(text(midnightAtOrAfter(utc(moment), zone))).to.equal(expected));
  }

  it('is the next change of the local date, all of a year in odd zones', function () {
    this.timeout(20_000);
    for (const zone of ['Europe/Madrid', 'America/Santiago', 'Asia/Beirut', 'Asia/Kathmandu', 'Pacific/Apia']) {
      const format = new Intl.DateTimeFormat('sv', { timeZone: zone });
      const dateAt = (ms: number) => format.format(new Date(ms));
      let before = Date.UTC(zone === 'Pacific/Apia' ? 2011 : 2026, 0, 1);
      const end = before + 366 * 86_400_000;
      // All these zones change their date at a quarter of an hour.
      for (let ms = before; ms < end; ms += 900_000) {
        if (dateAt(ms) === dateAt(ms - 900_000)) continue;
        for (const moment of [before + 1, before + 7_200_000, ms - 3_600_000, ms - 1, ms]) {
          const message = `${new Date(moment).toISOString()} in ${zone}`;
          if (moment > before)
            expect(text(midnightAtOrAfter(new Date(moment), zone)), message).to.equal(text(new Date(ms)));
        }
        before = ms;
      }
    }
  });
});

describe('midnightBefore', () => {
  const cases: [string, string, number, string, string][] = [
    ['the day itself', '2026-02-15T12:00:00', 0, 'Europe/Madrid', '2026-02-14T23:00:00'],
    ['7 days', '2026-02-15T12:00:00', 7, 'Europe/Madrid', '2026-02-07T23:00:00'],
    ['late in the evening it is the next day', '2026-02-15T23:30:00', 1, 'Europe/Madrid', '2026-02-14T23:00:00'],
    ['over the clocks forward', '2026-03-30T12:00:00', 3, 'Europe/Madrid', '2026-03-26T23:00:00'],
    ['on the day of clocks forward', '2026-03-30T12:00:00', 1, 'Europe/Madrid', '2026-03-28T23:00:00'],
    ['over the clocks back', '2026-10-26T12:00:00', 3, 'Europe/Madrid', '2026-10-22T22:00:00'],
    ['to a midnight that is not', '2026-09-07T12:00:00', 1, 'America/Santiago', '2026-09-06T04:00:00'],
  ];
  for (const [name, moment, days, zone, expected] of cases) {
    it(name, () => expect(text(midnightBefore(utc(moment), days, zone))).to.equal(expected));
  }
});

describe('calendarDaysBetween', () => {
  const cases: [string, string, string, number][] = [
    ['the same day', '2026-02-15T00:00:00', '2026-02-15T22:59:59', 0],
    ['tomorrow, though a second later', '2026-02-15T22:59:59', '2026-02-15T23:00:00', 1],
    ['over a day of 23 hours', '2026-03-28T23:00:00', '2026-03-29T22:00:00', 1],
    ['over a day of 25 hours', '2026-10-24T22:00:00', '2026-10-25T23:00:00', 1],
    ['back', '2026-02-17T00:00:00', '2026-02-15T00:00:00', -2],
  ];
  for (const [name, from, to, days] of cases) {
    it(name, () => expect(calendarDaysBetween(utc(from), utc(to), 'Europe/Madrid')).to.equal(days));
  }
});

describe('earliestAfter', () => {
  it('takes what lies ahead', () => {
    const now = utc('2026-01-02T00:00:00');
    const [past, soon, late] = ['2026-01-01', '2026-01-03', '2026-01-04'].map((day) => utc(`${day}T00:00:00`));
    expect(earliestAfter(now, [late ?? null, null, now, past ?? null, soon ?? null])).to.deep.equal(soon);
    expect(earliestAfter(now, [past ?? null, now, null])).to.equal(null);
  });
});
