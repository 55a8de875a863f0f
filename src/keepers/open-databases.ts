/**
 * Lets the database of an instance run while something reads it, also of one that is down, or is put down meanwhile: the
 * reconciler starts it, and stops it again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { containersWanted } from '../instance/phase.js';
import type { Runtime } from '../instance/ports.js';
import { RetryableError, stoppedError } from '../lib/errors.js';
import type { Store } from '../store/store.js';

const LONGEST_WAIT_MS = 3 * 60_000;
const POLL_MS = 500;

/** Does the work while the database runs, whoever else wants it to. */
export type OpenDatabase = <T>(instanceKey: string, work: () => Promise<T>) => Promise<T>;

export interface OpenDatabases {
  open: OpenDatabase;
  /** Its database is to run, whether the instance is down or not. */
  isOpen(instanceKey: string): boolean;
}

/** @param stop ends the wait. */
export function createOpenDatabases(
  store: Pick<Store, 'instances' | 'jobs'>,
  runtime: Pick<Runtime, 'observe'>,
  stop: AbortSignal,
): OpenDatabases {
  /** How many read each of them. */
  const readers = new Map<string, number>();

  const isDown = (key: string) => {
    const instance = store.instances.get(key);
    return instance !== null && containersWanted(instance) === 'down';
  };

  async function waitFor(key: string): Promise<void> {
    for (const until = performance.now() + LONGEST_WAIT_MS; performance.now() < until; await sleep(POLL_MS)) {
      if (stop.aborted) throw stoppedError();
      const instance = store.instances.get(key);
      if (instance && (await runtime.observe(instance)).db?.running) return;
    }
    const advice = 'Look at the error on its record; it is tried again.';
    throw new RetryableError('backup.database', `the database of ${key} was not started in time`, advice);
  }

  return {
    isOpen: (key) => readers.has(key),
    async open(key, work) {
      readers.set(key, (readers.get(key) ?? 0) + 1);
      try {
        if (isDown(key)) {
          store.jobs.enqueue(key, { reason: 'its database is to be read' });
          await waitFor(key);
        }
        return await work();
      } finally {
        const left = (readers.get(key) ?? 1) - 1;
        if (left > 0) readers.set(key, left);
        else readers.delete(key);
        // It may have been put down meanwhile.
        if (isDown(key)) store.jobs.enqueue(key, { reason: 'its database was read' });
      }
    },
  };
}
