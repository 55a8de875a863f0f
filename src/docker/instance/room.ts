/**
 * Work on restored data goes on only while the disk has room for all: it runs what a customer has stored, which may be made
 * to grow without an end (a view that is filled when it is loaded, a trigger at a login, an index on a function).
 */
import type { Space } from '../../instance/ports.js';
import { RetryableError } from '../../lib/errors.js';

/** Above what stops customers (keepers/space.ts): nobody else is to pay for it. */
const LEAST_FREE = 0.13;
const LOOK_MS = 1000;

/** Calls `work` with a promise that fails when the disk is nearly full. RetryableError `backup.no_space`. */
export async function whileRoom<T>(
  space: () => Promise<Space>,
  work: (full: Promise<never>) => Promise<T>,
  lookMs = LOOK_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const full = new Promise<never>((_resolve, reject) => {
    const look = async () => {
      // Where it cannot be told nothing is known to be wrong.
      const found = await space().catch(() => null);
      if (found && Math.min(found.bytes, found.inodes) < LEAST_FREE) reject(noRoom(found));
    };
    timer = setInterval(() => void look(), lookMs);
    void look();
  });
  full.catch(() => undefined);
  try {
    return await work(full);
  } finally {
    clearInterval(timer);
  }
}

function noRoom({ bytes, inodes }: Space): RetryableError {
  const left = inodes < bytes ? `${Math.floor(inodes * 100)} % of its inodes` : `${Math.floor(bytes * 100)} %`;
  const why = `the disk of the engine has no room for what is restored: ${left} are free`;
  return new RetryableError('backup.no_space', why, 'Free disk space on the Docker host.');
}
