/** When an instance that nobody visits sleeps: its plan says so, and it counts as running all the same. Pure. */

/** What a plan says of it. */
export interface SleepRule {
  /** Hours without a visitor; more than 0. */
  afterHours: number;
  /** It is woken each hour for its scheduled actions. */
  hourly: boolean;
}

export interface SleepFacts extends SleepRule {
  /** When somebody last wanted something of its Odoo, or it began to run. */
  visitedAt: Date;
  /** When its Odoo was last started, by whomever; null where that is not known. */
  wokenAt: Date | null;
  /** Null while it is awake. */
  asleepSince: Date | null;
}

export interface Sleep {
  isAsleep: boolean;
  /** When that changes by itself; null when it does not. */
  changesAt: Date | null;
}

export const AWAKE: Sleep = { isAsleep: false, changesAt: null };

const HOUR_MS = 3_600_000;
/** So long it stays awake, for its scheduled actions: Odoo looks for those that are due once a minute. */
const ACTIONS_MS = 5 * 60_000;

/** Whether it is to sleep now. */
export function sleepOf({ afterHours, hourly, visitedAt, wokenAt, asleepSince }: SleepFacts, now: Date): Sleep {
  const idleMs = visitedAt.getTime() + afterHours * HOUR_MS;
  const dueMs = wokenAt ? Math.max(idleMs, wokenAt.getTime() + ACTIONS_MS) : idleMs;
  if (now.getTime() < dueMs) return { isAsleep: false, changesAt: new Date(dueMs) };
  const wakesMs = hourly && asleepSince ? asleepSince.getTime() + HOUR_MS : null;
  if (wakesMs === null) return { isAsleep: true, changesAt: null };
  return now.getTime() < wakesMs ? { isAsleep: true, changesAt: new Date(wakesMs) } : AWAKE;
}
