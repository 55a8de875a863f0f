/** What a measure says where the database of an instance gives no sensible answer: the disk needs none of it. */
import { RetryableError } from '../lib/errors.js';
import type { Usage } from './types.js';

export type StoredBytes = Pick<Usage, 'databaseBytes' | 'filestoreBytes'>;

/** `stored` is what lies on the disk all the same; null where that is not known either. */
export class UnreadableError extends RetryableError {
  readonly stored: StoredBytes | null;

  constructor(code: string, message: string, advice: string, stored: StoredBytes | null) {
    super(code, message, advice);
    this.stored = stored;
  }
}

/** What is known after a measure that failed: who hides the users hides no files. */
export function usageAfter(usage: Usage | null, error: unknown): Usage | null {
  if (!(error instanceof UnreadableError) || !error.stored) return usage;
  return { ...(usage ?? { users: 0, modules: [] }), ...error.stored };
}
