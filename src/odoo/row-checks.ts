/** What is looked at in a row of a poll before it is read. */
import type { z } from 'zod';
import { untoldRow } from '../protocol/poll.js';
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
