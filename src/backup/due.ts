/** When a backup is due: computed from facts, so that a night that was slept through is caught up. Pure. */
import { createHash } from 'node:crypto';
import { DateTime } from 'luxon';
import { containersWanted, PHASE } from '../instance/phase.js';
import type { Instance } from '../instance/types.js';

/** The part of the day in which backups are made, in minutes after midnight there; `to` before `from`: past midnight. */
export interface Night {
  from: number;
  to: number;
  /** IANA name. */
  timeZone: string;
}

export interface BackupFacts {
  /** The identity of the instance: where in the night its turn is. */
  key: string;
  /** When the last one was made; before the first, since when there is a customer's data. */
  since: Date;
  /** It runs, or has run since. */
  changed: boolean;
  /** A person wants one now. */
  asked: boolean;
  failures: number;
  triedAt: Date | null;
}

/** What is known of an instance and of its backups. */
export interface Known extends Pick<BackupFacts, 'failures' | 'triedAt'> {
  instance: Pick<Instance, 'key' | 'phase' | 'startedAt' | 'asleepSince'>;
  madeAt: Date | null;
  /** It has run since. */
  changed: boolean;
  asked: boolean;
}

const MINUTES_A_DAY = 24 * 60;
const FIRST_RETRY_MS = 5 * 60_000;
const LONGEST_RETRY_MS = 4 * 3_600_000;

/** Something else is done with it, or it is in a state that passes. */
const LATER_MS = 10 * 60_000;

/** Whether one is to be made now; else when that is to be asked again, null: not before something changes. */
export function decideBackup(
  { instance, madeAt, changed, asked, ...tries }: Known,
  night: Night | null,
  now: Date,
): 'now' | Date | null {
  const { key, phase, startedAt } = instance;
  if (PHASE[phase].gone) return null;
  if (startedAt === null || PHASE[phase].settled === null) return new Date(now.getTime() + LATER_MS);
  const facts = {
    key,
    since: madeAt ?? startedAt,
    changed: changed || containersWanted(instance) === 'up',
    asked,
    ...tries,
  };
  const next = nextBackup(facts, night);
  return next !== null && next <= now ? 'now' : next;
}

/** When the next one is to be made; null: not before something changes. No night: only those that a person wants. */
export function nextBackup(facts: BackupFacts, night: Night | null): Date | null {
  const { key, since, changed, asked, failures, triedAt } = facts;
  const due = asked ? since : changed && night ? turnAfter(since, key, night) : null;
  if (due === null || failures === 0 || triedAt === null) return due;
  const retry = new Date(triedAt.getTime() + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)));
  return retry > due ? retry : due;
}

/** The turn of an instance in the first night that is after a moment: each has its own, so that they are spread. */
export function turnAfter(moment: Date, key: string, { from, to, timeZone }: Night): Date {
  const length = (to - from + MINUTES_A_DAY) % MINUTES_A_DAY || MINUTES_A_DAY;
  const seconds = Math.floor(partOf(key) * length * 60);
  const midnight = DateTime.fromJSDate(moment, { zone: timeZone }).startOf('day');
  for (let days = -1; ; days++) {
    // By the clock on the wall: a night in which that is changed is an hour longer or shorter.
    const turn = midnight
      .plus({ days })
      .set({ hour: Math.floor(from / 60), minute: from % 60 })
      .plus({ seconds });
    if (turn.toMillis() > moment.getTime()) return turn.toJSDate();
  }
}

/** From 0 to 1, spread evenly. */
function partOf(key: string): number {
  return createHash('sha256').update(`backup\0${key}`).digest().readUInt32BE(0) / 2 ** 32;
}

/** So old, the last one is no backup any more that anybody may rely on. */
export const TOO_OLD_MS = 26 * 3_600_000;

/** Whether it is one of the hours in which backups are made. */
export function isNight(moment: Date, { from, to, timeZone }: Night): boolean {
  const { hour, minute } = DateTime.fromJSDate(moment, { zone: timeZone });
  const since = (hour * 60 + minute - from + MINUTES_A_DAY) % MINUTES_A_DAY;
  return since < ((to - from + MINUTES_A_DAY) % MINUTES_A_DAY || MINUTES_A_DAY);
}
