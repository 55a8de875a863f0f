/** Tells once when something has failed for so long that a person must know. */
import type { Clock } from './clock.js';

export interface Patience {
  failed(error: unknown): void;
  /** It works: the next failure begins anew. */
  done(): void;
}

/** @param tell gets since when it fails, and how it failed last. */
export function createPatience(ms: number, clock: Clock, tell: (since: Date, error: unknown) => void): Patience {
  let since: Date | null = null;
  let isTold = false;
  return {
    failed(error) {
      since ??= clock();
      if (isTold || clock().getTime() - since.getTime() < ms) return;
      tell(since, error);
      isTold = true;
    },
    done() {
      since = null;
      isTold = false;
    },
  };
}
