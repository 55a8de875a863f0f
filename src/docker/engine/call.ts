/** The one way to the engine: each call has a deadline, and its failure is one of ours. */
import { isStopped } from '../../lib/errors.js';
import { type Intercept, UNTOUCHED_CALL } from '../../lib/intercept.js';
import { untilStopped } from '../../lib/stop.js';
import { engineError } from './errors.js';

/**
 * One call.
 * @param what names it for the log, e.g. `create container acme_db`.
 * @param done status codes that mean that there is nothing to do: then the result is not used.
 */
export type Call = <T>(
  what: string,
  run: (abortSignal: AbortSignal) => Promise<T>,
  done?: readonly number[],
  timeoutMs?: number,
) => Promise<T>;

/**
 * @param intercept sees every call.
 * @param late ends what is still waited for (`worker.stopped`).
 */
export function createCall(longestMs: number, intercept: Intercept = UNTOUCHED_CALL, late?: AbortSignal): Call {
  return async <T>(
    what: string,
    run: (abortSignal: AbortSignal) => Promise<T>,
    done: readonly number[] = [],
    timeoutMs: number = longestMs,
  ): Promise<T> => {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'));
        abort.abort();
      }, timeoutMs);
    });
    try {
      const call = () => Promise.race([intercept(what, () => run(abort.signal)), deadline]);
      return await (late ? untilStopped(late, call) : call());
    } catch (error) {
      if (isStopped(error)) throw error;
      const status = (error as { statusCode?: number }).statusCode;
      if (status !== undefined && done.includes(status)) return undefined as T;
      throw engineError(what, error);
    } finally {
      clearTimeout(timer);
    }
  };
}
