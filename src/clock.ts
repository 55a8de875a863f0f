import type { Duration } from 'luxon';

/** Where the time comes from. */
export interface Clock {
  now(): Date;
}

/** The real time, moved by `offset`: lets an admin rehearse what happens on another date. */
export function systemClock(offset?: Duration): Clock {
  const offsetMs = offset?.toMillis() ?? 0;
  return { now: () => new Date(Date.now() + offsetMs) };
}
