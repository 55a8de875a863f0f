/** The store, opened beside a daemon that may run, for one piece of work. */
import type { Config } from '../config/config.js';
import { systemClock } from '../lib/clock.js';
import { openStore, type Store } from '../store/store.js';

/** @param access `beside` may write, as the daemon does at the same time. Throws what `openStore` and the work throw. */
export function inStore<T>(
  { storePath, clockOffset }: Pick<Config, 'storePath' | 'clockOffset'>,
  access: 'readonly' | 'beside',
  work: (store: Store) => T,
): T {
  const store = openStore(storePath, { access, clock: systemClock(clockOffset) });
  try {
    return work(store);
  } finally {
    store.close();
  }
}
