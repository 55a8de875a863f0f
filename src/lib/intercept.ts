/**
 * Stands between the daemon and another system: gets a word for each call and the call itself. The untouched way is
 * `(what, call) => call()`; tests and the fault run hold it up, break it, or lose its answer.
 */
export type Intercept = <T>(what: string, call: () => Promise<T>) => Promise<T>;

export const UNTOUCHED_CALL: Intercept = (_what, call) => call();

/** What is awaited before each call; then the call, as `intercept` lets it through. */
export function after(condition: () => Promise<void>, intercept: Intercept = UNTOUCHED_CALL): Intercept {
  return async (what, call) => {
    await condition();
    return intercept(what, call);
  };
}
