/** How long to wait before trying again. */

export interface BackoffLimits {
  baseMs: number;
  maxMs: number;
}

const DEFAULT_LIMITS: BackoffLimits = { baseMs: 2_000, maxMs: 300_000 };

/**
 * Milliseconds to wait after the `attempt`-th failure in a row (1 is the first): exponential with full jitter, so
 * that many instances that failed together do not come back together.
 * @param random in [0, 1), for tests.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(
  attempt: number,
  limits: BackoffLimits = DEFAULT_LIMITS,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(limits.maxMs, limits.baseMs * 2 ** (Math.max(1, attempt) - 1));
  return Math.floor(random() * ceiling);
}

/** Whether the `attempt`-th failure in a row is told: the first, and then ever more seldom (2, 4, 8, …). */
export function isWorthTelling(attempt: number): boolean {
  return Number.isInteger(Math.log2(Math.max(1, attempt)));
}
