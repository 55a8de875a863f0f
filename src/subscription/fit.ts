/** Whether what an instance uses fits into a plan. */
import type { Plan, Usage } from '../instance/types.js';
import { DAY_MS } from './calendar.js';

/** What an instance uses, where it is more than a plan allows; null where it fits. */
export interface Misfit {
  /** Name of the plan. */
  plan: string;
  users: Excess | null;
  storageGb: Excess | null;
}

export interface Excess {
  used: number;
  limit: number;
}

export const GB = 1024 ** 3;

export function storageBytes({ databaseBytes, filestoreBytes }: Usage): number {
  return databaseBytes + filestoreBytes;
}

/** 0 GB is no limit. */
export function isOverStorage(usage: Usage, { storageGb }: Pick<Plan, 'storageGb'>): boolean {
  return storageGb > 0 && storageBytes(usage) > storageGb * GB;
}

/** So long a measure may fail; after that whoever has a limit counts as over it, lest it pay to be unreadable. */
const UNREADABLE_MS = DAY_MS;

export function isUnreadable({ unreadableSince }: { unreadableSince: Date | null }, now: Date): boolean {
  return unreadableSince !== null && now.getTime() - unreadableSince.getTime() >= UNREADABLE_MS;
}

/** What is too much for the plan; null where all fits. Limits that do not shrink never refuse. */
export function misfitOf(usage: Usage, present: Plan, wanted: Plan): Misfit | null {
  const users = excess(usage.users, present.maxUsers, wanted.maxUsers);
  const storageGb = excess(storageBytes(usage) / GB, present.storageGb, wanted.storageGb);
  return users || storageGb ? { plan: wanted.name, users, storageGb } : null;
}

function excess(used: number, present: number, wanted: number): Excess | null {
  return wanted > 0 && isLess(wanted, present) && used > wanted ? { used, limit: wanted } : null;
}

/** 0 is no limit. */
function isLess(wanted: number, present: number): boolean {
  return present === 0 || wanted < present;
}
