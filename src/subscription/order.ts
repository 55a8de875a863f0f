/** The order in which purchases count. Pure. */

/**
 * By time, then by key with its number as a number: the lines of one document share their instant, and the tenth comes
 * after the ninth.
 */
export function byTime([timeA, keyA]: [Date, string], [timeB, keyB]: [Date, string]): number {
  return timeA.getTime() - timeB.getTime() || compareKeys(keyA, keyB);
}

/** `sol:9` before `sol:10`. */
export function compareKeys(a: string, b: string): number {
  return numberOf(a) - numberOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function numberOf(key: string): number {
  return Number(/\d+$/.exec(key)?.[0] ?? 0);
}
