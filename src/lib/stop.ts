/** How the daemon stops: what takes long ends at once, everything else shortly before the time is over. */
import { setMaxListeners } from 'node:events';
import { stoppedError } from './errors.js';

export interface Stop {
  /** Aborted when the daemon is told to stop: what takes long ends now, and the next daemon takes it up again. */
  readonly told: AbortSignal;
  /** Aborted when there is little time left: nothing is waited for any longer. */
  readonly late: AbortSignal;
}

export interface Stopper extends Stop {
  tell(): void;
  hurry(): void;
}

export function createStop(): Stopper {
  const [told, late] = [new AbortController(), new AbortController()];
  // Each call under way listens.
  for (const { signal } of [told, late]) setMaxListeners(0, signal);
  return { told: told.signal, late: late.signal, tell: () => told.abort(), hurry: () => late.abort() };
}

/** Waits, but not longer than until the signal: then `worker.stopped` is thrown, and what was waited for goes on unseen. */
export async function untilStopped<T>(signal: AbortSignal, wait: () => Promise<T>): Promise<T> {
  const stopped = stoppedError();
  if (signal.aborted) throw stopped;
  let leave = (): void => undefined;
  const stop = new Promise<never>((_resolve, reject) => {
    leave = () => reject(stopped);
    signal.addEventListener('abort', leave);
  });
  try {
    return await Promise.race([wait(), stop]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
