/** The order in which purchases count. Pure. */

/**
 * By time, then by key with its number as a number: the lines of one document share their instant, and the tenth comes
 * after the ninth.
 */
export function byTime([timeA, keyA]: [Date, string], [timeB, keyB]: [Date, string]): number {
  return timeA.getTime() - timeB.getTime() || compareKeys(keyA, keyB);
}

/** `sol:9` before `sol:10`, and so are their parts: `sol:9/inv:20` before `sol:10/inv:3`. */
export function compareKeys(a: string, b: string): number {
  return numberOf(a) - numberOf(b) || NATURAL.compare(a, b);
}

const NATURAL = new Intl.Collator('en', { numeric: true });

/** Of the purchase. */
function numberOf(key: string): number {
  return Number(/\d+/.exec(key)?.[0] ?? 0);
}
