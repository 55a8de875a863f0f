import type { Config } from '../config.js';
import { messageOf } from '../errors.js';
import { type Facts, readFacts } from '../reconcile/reconciler.js';
import type { Store } from '../store/store.js';

/** The facts about one instance, or why there are none: one that is broken must not hide the others. */
export function factsOf(
  store: Store,
  { policy }: Config,
  key: string,
  at: Date,
): { facts: Facts | null; problem: string | null } {
  try {
    return { facts: readFacts(store, policy, key, at), problem: null };
  } catch (error) {
    return { facts: null, problem: messageOf(error) };
  }
}
