import { setTimeout as sleep } from 'node:timers/promises';

/** A longer timer would go off at once (setTimeout counts in 31 bits). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface Loop {
  /** Runs the next round at once instead of after its pause. */
  wake(): void;
  /** No new round; resolves when the running one has ended. */
  stop(): Promise<void>;
}

/**
 * Runs `round` again and again: it returns how long to pause, in milliseconds. The pause ends at once on `wake` and
 * `stop`. A round must not throw; one that does is given to `onError` and the loop pauses for `errorPauseMs`.
 */
export function startLoop(
  round: (signal: AbortSignal) => Promise<number>,
  onError: (error: unknown) => void,
  errorPauseMs = 5000,
): Loop {
  const stopping = new AbortController();
  let woken = false;
  let pause = new AbortController();

  async function run() {
    while (!stopping.signal.aborted) {
      woken = false;
      const pauseMs = await round(stopping.signal).catch((error: unknown) => {
        onError(error);
        return errorPauseMs;
      });
      if (woken || stopping.signal.aborted) continue;
      pause = new AbortController();
      await sleep(Math.min(pauseMs, LONGEST_TIMER_MS), undefined, { signal: pause.signal }).catch(() => undefined);
    }
  }
  const running = run();

  return {
    wake() {
      woken = true;
      pause.abort();
    },
    async stop() {
      stopping.abort();
      pause.abort();
      await running;
    },
  };
}
