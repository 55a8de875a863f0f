/** What is looked at in a row of a poll before it is read. */
import type { z } from 'zod';
import { type planRow, untoldRow } from '../protocol/poll.js';
import { excerpt } from './text.js';

/** Why a row is no good, for a person. */
export class Problem extends Error {}

/** The addon could not tell a record, and says why in place of its row. */
export function isUntold(row: unknown): row is z.infer<typeof untoldRow> {
  return untoldRow.safeParse(row).success;
}

export function identityOf(row: unknown): { key: string | null; id: number | null } {
  const { key, id } = (typeof row === 'object' && row !== null ? row : {}) as Record<string, unknown>;
  return {
    key: typeof key === 'string' ? excerpt(key, 60) : null,
    id: Number.isInteger(id) ? (id as number) : null,
  };
}

/** What a plan may ask for, wider than the addon's own limits; 0 is "no limit" for users and storage only. */
export const PLAN_LIMITS: [
  field: keyof z.infer<typeof planRow> & string,
  words: string,
  least: number,
  most: number,
][] = [
  ['cpu', 'CPU', 0.05, 256],
  ['memory_mb', 'memory in MB', 128, 2 ** 20],
  ['storage_gb', 'storage in GB', 0, 2 ** 16],
  ['max_users', 'number of users', 0, 100_000],
  ['grace_days', 'days of grace', 0, 3650],
  ['retention_days', 'days of retention', 0, 3650],
  ['keep_daily', 'days of backups', 1, 999],
  ['keep_weekly', 'weeks of backups', 0, 999],
  ['keep_monthly', 'months of backups', 0, 999],
  ['period_count', 'period', 1, 10_000],
];
