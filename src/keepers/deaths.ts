/** Counts how often an instance died by itself, and says when starting it again has not helped. */
import type { Clock } from '../lib/clock.js';

/** One that died so often within the window is made anew. */
export const TOO_MANY_DEATHS = 3;
const DEATHS_WINDOW_MS = 15 * 60_000;
/** Made anew in vain, it is not made anew again before: once an hour. */
const REST_MS = 60 * 60_000;

export interface Deaths {
  /** Whether it has died too often: then it is to be made anew, and counted from the beginning. */
  count(key: string): boolean;
}

export function createDeaths(clock: Clock): Deaths {
  const deaths = new Map<string, number[]>();
  const madeAnew = new Map<string, number>();
  return {
    count(key) {
      const now = clock().getTime();
      const recent = [...(deaths.get(key) ?? []).filter((at) => at > now - DEATHS_WINDOW_MS), now];
      deaths.set(key, recent);
      if (recent.length < TOO_MANY_DEATHS || now - (madeAnew.get(key) ?? Number.NEGATIVE_INFINITY) < REST_MS)
        return false;
      deaths.delete(key);
      madeAnew.set(key, now);
      return true;
    },
  };
}
