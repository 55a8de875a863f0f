/** Which purchase a key means: a master that was restored from a backup gives its ids out again. Pure. */
import type { Purchase } from './types.js';

type Known = Pick<Purchase, 'key' | 'createdOn'>;

/** The key with the moment at which its record was made, to the second: `sol:7.1768478400`. This one is never given again. */
export function fullKeyOf({ key, createdOn }: Known): string {
  // What was set aside has its full key already.
  return createdOn && !key.includes('.') ? `${key}.${Math.floor(createdOn.getTime() / 1000)}` : key;
}

/** The same key, and another record. */
export function isAnother(known: Known, now: Known): boolean {
  return Boolean(known.createdOn && now.createdOn && known.createdOn.getTime() !== now.createdOn.getTime());
}
