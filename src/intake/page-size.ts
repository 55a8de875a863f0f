/** How many rows a page of a poll has: fewer where the master cannot make it in time, and as many as before again. */
import { BridgeError } from '../lib/errors.js';

const LARGEST = 500;
const SHRINK = 4;
const GROW = 2;
/** A page that took longer is as large as it should be. */
const QUICK_MS = 2_000;

export interface PageSize {
  rows(): number;
  /** The master gave the page in so long. */
  given(ms: number): void;
  /** It did not. */
  failed(error: unknown): void;
}

export function createPageSize(): PageSize {
  let rows = LARGEST;
  return {
    rows: () => rows,
    given(ms) {
      if (ms < QUICK_MS) rows = Math.min(LARGEST, rows * GROW);
    },
    failed(error) {
      const isTooMuch = error instanceof BridgeError && ['odoo.timeout', 'odoo.too_large'].includes(error.code);
      if (isTooMuch) rows = Math.max(1, Math.floor(rows / SHRINK));
    },
  };
}
