/** Whose fault it is that a write was not taken: the master's, which is away, or the write's own. Pure. */
import { BridgeError } from '../lib/errors.js';

export type Blame =
  /** The master cannot be reached: no write is to blame. */
  | 'away'
  /** No answer in time: it may be too much at once, or one write on which the master hangs. */
  | 'slow'
  /** The master answered, but not with a result: some write may be the reason. */
  | 'content';

export function blameFor(error: unknown): Blame {
  if (!(error instanceof BridgeError) || !error.retryable || error.code === 'odoo.fault') return 'content';
  if (error.code === 'odoo.timeout' || error.code === 'odoo.too_large') return 'slow';
  return error.code.startsWith('odoo.') ? 'away' : 'content';
}
