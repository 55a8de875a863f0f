/** Notices what a command has written beside the daemon: queues are looked at at once, not at the end of their pauses. */
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import type { Store } from '../store/store.js';

const INTERVAL_MS = 1_000;

export interface BesideOptions {
  store: Pick<Store, 'isChangedElsewhere'>;
  log: Log;
  /** They look at the store when they are woken. */
  wakes: Pick<Loop, 'wake'>[];
}

export function startBeside({ store, log, wakes }: BesideOptions): Loop {
  return startLoop(
    async () => {
      if (store.isChangedElsewhere()) for (const loop of wakes) loop.wake();
      return INTERVAL_MS;
    },
    (error) => log.error('store.unwatched', 'The store cannot be read; trying again.', errorFields(error)),
  );
}
