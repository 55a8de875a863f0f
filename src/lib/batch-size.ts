/** How much is asked for at once: less where it takes too long, and as much as before again. */

const SHRINK = 4;
const GROW = 2;
/** What took longer is as large as it should be. */
const QUICK_MS = 2_000;

export interface BatchSize {
  most(): number;
  /** It was done in so long. */
  done(ms: number): void;
  /** It was not, because it was too much. */
  tooMuch(): void;
}

export function createBatchSize(largest: number): BatchSize {
  let most = largest;
  return {
    most: () => most,
    done(ms) {
      if (ms < QUICK_MS) most = Math.min(largest, most * GROW);
    },
    tooMuch() {
      most = Math.max(1, Math.floor(most / SHRINK));
    },
  };
}
