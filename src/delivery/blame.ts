/** Whose fault it is that a write was not taken: the master's, which is away, or the write's own. Pure. */
import { BridgeError } from '../lib/errors.js';

export type Blame =
  /** The master cannot be reached: no write is to blame. */
  | 'away'
  /** No answer, or none in time: it may be too much at once, one write on which the master hangs, or the master. */
  | 'slow'
  /** The master answered, but not with a result: some write may be the reason. */
  | 'content';

const SLOW = ['odoo.timeout', 'odoo.too_large', 'odoo.cut', 'odoo.http_status', 'odoo.conflict'];

export function blameFor(error: unknown): Blame {
  if (!(error instanceof BridgeError) || !error.retryable || error.code === 'odoo.fault') return 'content';
  if (SLOW.includes(error.code)) return 'slow';
  return error.code.startsWith('odoo.') ? 'away' : 'content';
}
