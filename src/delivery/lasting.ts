/** A write that has failed for long reaches a person: by another one, about the same instance. */
import type { Clock } from '../lib/clock.js';
import { lastingWrite } from '../owed/todos.js';
import type { OutboxEntry } from '../store/outbox.js';
import type { Store } from '../store/store.js';
import { HOUR_MS } from '../subscription/calendar.js';

/** What staff or a customer wait for. A to-do about a to-do would never end. */
const AWAITED = ['instance', 'notice', 'command'];

/** @returns what is called with each failure of a write that others did not share. */
export function createLastingWrites(store: Store, clock: Clock): (entry: OutboxEntry, reason: string) => void {
  return ({ operation, lane, createdAt }, reason) => {
    if (!AWAITED.includes(operation.op) || clock().getTime() - createdAt.getTime() < HOUR_MS) return;
    const instance = store.instances.get(lane);
    if (!instance) return;
    store.transaction(() => {
      if (!store.events.record(`write:${operation.key}:${createdAt.getTime()}`, 'failing')) return;
      const [purchase] = store.purchases.byInstance(lane);
      const todo = lastingWrite(instance, purchase ?? null, operation.key, createdAt, reason);
      // Not in the lane that is in the way.
      store.outbox.put(todo, `todo:${lane}`);
    });
  };
}
