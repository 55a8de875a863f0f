import type { Duration } from 'luxon';

/** Where the time comes from. */
export type Clock = () => Date;

/** The real time, moved by `offset`: lets an admin rehearse what happens on another date. */
export function systemClock(offset?: Duration): Clock {
  const offsetMs = offset?.toMillis() ?? 0;
  return () => new Date(Date.now() + offsetMs);
}
