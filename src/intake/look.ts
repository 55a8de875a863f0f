/** A fresh look at one instance in the master, before its data goes: whoever has paid meanwhile is not overlooked. */
import PQueue from 'p-queue';
import { messageOf, RetryableError } from '../lib/errors.js';
import type { Master } from '../odoo/master.js';
import type { Store } from '../store/store.js';
import { fullKeyOf } from '../subscription/identity.js';
import type { Ingest } from './ingest.js';

/** A poll comes every two seconds, and a look takes a fraction of one. */
const MOST_TRIES = 5;
const LOOKS_AT_ONCE = 2;

export interface LookParts {
  master: Pick<Master, 'look'>;
  store: Store;
  ingest: Pick<Ingest, 'page' | 'pages'>;
}

/**
 * Reads all that the master knows of the instance, and takes it in.
 * @throws RetryableError `poll.not_afresh` when it could not be read, whole.
 */
export function createLook({ master, store, ingest }: LookParts): (instanceKey: string) => Promise<void> {
  // A night with hundreds of deletions must leave the master to polls and writes.
  const queue = new PQueue({ concurrency: LOOKS_AT_ONCE });

  async function look(key: string): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const before = ingest.pages();
      const known = store.purchases.byInstance(key).map(fullKeyOf);
      const found = await master.look(key, known);
      // A poll was taken in meanwhile, which may know better.
      if (ingest.pages() !== before) continue;
      const [rejected] = found.rejected;
      ingest.page({ ...found, more: false }, false);
      if (rejected) throw new Error(rejected.problem);
      return;
    }
    throw new Error('polls came in between');
  }

  return async (key) => {
    try {
      await queue.add(() => look(key));
    } catch (error) {
      const message = `the master could not be read before a deletion: ${messageOf(error)}`;
      throw new RetryableError('poll.not_afresh', message, 'Nothing was deleted; it is tried again.', { cause: error });
    }
  };
}
