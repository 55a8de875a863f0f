/** Removes the backups of deleted instances, when the time is over for which a copy was promised. */
import type { Backups, Repository } from '../instance/backups.js';
import type { Clock } from '../lib/clock.js';
import { isStopped } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import type { Store } from '../store/store.js';
import { DAY_MS } from '../subscription/calendar.js';

const PAUSE_MS = 10 * 60_000;

export interface RemovalKeeperOptions {
  store: Pick<Store, 'backups'>;
  backups: Pick<Backups, 'remove'>;
  repositoryOf(instanceKey: string): Repository;
  clock: Clock;
  log: Log;
}

/** Runs until stopped, one after the other. */
export function startRemovals({ store, backups, repositoryOf, clock, log }: RemovalKeeperOptions): Loop {
  async function look(): Promise<number> {
    const key = store.backups.removable(clock());
    if (key === null) return PAUSE_MS;
    try {
      await backups.remove(repositoryOf(key));
      store.backups.forget(key);
      log.info('backup.removed', `All backups of the deleted instance ${key} are removed.`, { key });
    } catch (error) {
      if (isStopped(error)) return PAUSE_MS;
      log.warn('backup.not_removed', `The backups of the deleted instance ${key} are still there.`, {
        ...{ key, ...errorFields(error) },
      });
      store.backups.update(key, { removeAt: new Date(clock().getTime() + DAY_MS) });
    }
    return 0;
  }

  return startLoop(look, (error) =>
    log.error('backup.crashed', 'Backups whose time is over cannot be removed.', errorFields(error)),
  );
}
