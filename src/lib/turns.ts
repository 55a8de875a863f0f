/** So many at a time, and who must wait for something lends its turn to another meanwhile. */

export interface Turn {
  /** Waits outside: the turn is free while `wait` runs, and taken again, before anything new, when it has ended. */
  outside: Outside;
  end(): void;
}

export type Outside = <T>(wait: () => Promise<T>) => Promise<T>;

export interface Turns {
  /** How many may begin now. */
  free(): number;
  take(): Turn;
}

/** @param onFree is called when a turn ends that nobody comes back for. */
export function createTurns(most: number, onFree: () => void): Turns {
  let taken = 0;
  const returning: (() => void)[] = [];

  function end(): void {
    const next = returning.shift();
    if (next) {
      next();
      return;
    }
    taken--;
    onFree();
  }

  /** Those who come back were here before: they go before anything new. */
  function back(): Promise<void> {
    if (taken >= most) return new Promise((resolve) => returning.push(resolve));
    taken++;
    return Promise.resolve();
  }

  return {
    free: () => most - taken,
    take() {
      taken++;
      return {
        end,
        async outside(wait) {
          end();
          try {
            return await wait();
          } finally {
            await back();
          }
        },
      };
    },
  };
}
