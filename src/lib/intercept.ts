/**
 * Stands between the daemon and another system: gets a word for each call, the call itself, and what it carries where
 * that tells calls of one word apart. The untouched way is `(what, call) => call()`; tests and the fault run hold it up,
 * break it, or lose its answer.
 */
export type Intercept = <T>(what: string, call: () => Promise<T>, carries?: readonly unknown[]) => Promise<T>;

export const UNTOUCHED_CALL: Intercept = (_what, call) => call();

/** What is awaited before each call; then the call, as `intercept` lets it through. */
export function after(condition: () => Promise<void>, intercept: Intercept = UNTOUCHED_CALL): Intercept {
  return async (what, call, carries) => {
    await condition();
    return intercept(what, call, carries);
  };
}
