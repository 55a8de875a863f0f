/** Keeps what a visitor meets as the instances are: an address that leads there, and a page in the place of each that is down. */
import { pausedInstance } from '../facts/paused.js';
import type { Front } from '../instance/ports.js';
import type { Clock } from '../lib/clock.js';
import type { Store } from '../store/store.js';

/** Has an instance that sleeps started: somebody visits it. */
export function wakerIn(store: Store, clock: Clock): (key: string) => void {
  return (key) =>
    store.transaction(() => {
      if (!store.instances.get(key)) return;
      store.instances.update(key, { visitedAt: clock() });
      store.jobs.enqueue(key, { reason: 'somebody visits it' });
    });
}

export interface FrontKeeperOptions {
  store: Store;
  front: Pick<Front, 'show' | 'hide' | 'route' | 'sweep'>;
}

/** Shows all pages that must be, and follows each change until stopped. */
export async function startFrontKeeper({ store, front }: FrontKeeperOptions): Promise<{ stop(): void }> {
  async function follow(key: string): Promise<void> {
    front.route(key);
    // A worker that starts it has taken its page away.
    if (store.jobs.isClaimed(key)) return;
    await (pausedInstance(store, key) ? front.show(key) : front.hide(key));
  }

  const stop = store.bell.on('instances', ({ instances }) => {
    for (const key of instances) void follow(key);
  });
  await Promise.all(store.instances.all().map(({ key }) => follow(key)));
  front.sweep();
  return { stop };
}
