/** Calendar arithmetic of paid periods, in UTC, and the local midnight at which suspensions happen. */
import { DateTime } from 'luxon';
import { TerminalError } from '../lib/errors.js';
import type { PeriodUnit } from './types.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/**
 * The last date we ever compute. A year before the end of Python's calendar, so that Odoo can still show it in any
 * time zone.
 */
export const MAX_DATE = new Date('9999-01-01T00:00:00Z');
const MAX_MONTHS = 12 * 9999;

/** An amount of time: calendar months (a year is 12) and exact milliseconds; both may have a fraction. */
export interface Span {
  months: number;
  ms: number;
}

/** The time that `quantity` periods are. UTC has no clock changes: a day is 24 hours. */
export function spanOf(quantity: number, periodCount: number, unit: PeriodUnit): Span {
  const units = quantity * periodCount;
  switch (unit) {
    case 'hour':
      return { months: 0, ms: units * HOUR_MS };
    case 'day':
      return { months: 0, ms: units * DAY_MS };
    case 'month':
      return { months: units, ms: 0 };
    case 'year':
      return { months: units * 12, ms: 0 };
  }
}

/**
 * `anchor` plus `span`, never after MAX_DATE. Whole months follow the calendar (31 Jan + 1 = 28 Feb, + 2 = 31 Mar);
 * the fraction is that share of the month that follows.
 */
export function addSpan(anchor: Date, span: Span): Date {
  // Ten times 0.1 is one month: a share of a month that is less than a millisecond is noise.
  const nearest = Math.round(span.months);
  const months = Math.min(Math.abs(span.months - nearest) < 1e-10 ? nearest : span.months, MAX_MONTHS);
  const whole = Math.floor(months);
  const from = addMonths(anchor, whole);
  const partMs = months === whole ? 0 : (months - whole) * (addMonths(anchor, whole + 1) - from);
  return clampDate(from + Math.round(partMs + Math.min(span.ms, MAX_DATE.getTime())));
}

function addMonths(anchor: Date, months: number): number {
  if (months === 0) return anchor.getTime();
  return DateTime.fromJSDate(anchor, { zone: 'utc' }).plus({ months }).toMillis();
}

/** `moment` plus exact days of 24 hours, never after MAX_DATE; a negative or absurd number of days is none. */
export function addDays(moment: Date, days: number): Date {
  return clampDate(moment.getTime() + (days > 0 ? days * DAY_MS : 0));
}

/** `moment` plus exact hours, never after MAX_DATE; a negative number of hours is none. */
export function addHours(moment: Date, hours: number): Date {
  return addDays(moment, hours / 24);
}

/**
 * The first local 00:00 at or after `moment`; where the clocks skip that hour, the first instant of the day.
 * @param timeZone IANA name; an unknown one is a TerminalError.
 */
export function midnightAtOrAfter(moment: Date, timeZone: string): Date {
  const today = localDay(moment, timeZone);
  const midnight = today.toMillis() >= moment.getTime() ? today : today.plus({ days: 1 }).startOf('day');
  return clampDate(midnight.toMillis());
}

/** The local 00:00 that begins the day `days` calendar days before the day of `moment`; 0 is that day itself. */
export function midnightBefore(moment: Date, days: number, timeZone: string): Date {
  return localDay(moment, timeZone).minus({ days }).startOf('day').toJSDate();
}

/** How many local midnights lie between the two: 0 on the same day, 1 from today to tomorrow. */
export function calendarDaysBetween(from: Date, to: Date, timeZone: string): number {
  return Math.round(localDay(to, timeZone).diff(localDay(from, timeZone), 'days').days);
}

/** The first of the moments that lies after `now`; null where none does. */
export function earliestAfter(now: Date, dates: (Date | null)[]): Date | null {
  const times = dates.filter((date) => date !== null && date > now).map((date) => Number(date));
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** The later of two moments; null where there is neither. */
export function laterOf(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}

/** The start of the local day. */
function localDay(moment: Date, timeZone: string): DateTime {
  const local = DateTime.fromJSDate(moment, { zone: timeZone });
  if (local.isValid) return local.startOf('day');
  throw new TerminalError(
    'config.time_zone',
    `no local time for ${timeZone}: ${local.invalidExplanation ?? 'invalid date'}`,
    'Set the time zone to an IANA name such as Europe/Madrid.',
  );
}

function clampDate(ms: number): Date {
  return new Date(Math.min(ms, MAX_DATE.getTime()));
}
