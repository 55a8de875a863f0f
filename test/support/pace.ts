/** How long something takes, on a machine that has other work too. */

/** The shortest of several tries, milliseconds: what it takes when nothing else holds it up. */
export async function quickest(once: () => Promise<unknown> | unknown, tries = 5): Promise<number> {
  const taken: number[] = [];
  for (let count = 0; count < tries; count++) {
    const startedAt = performance.now();
    await once();
    taken.push(performance.now() - startedAt);
  }
  return Math.min(...taken);
}

const TICK_MS = 10;

/**
 * Starts a watch that goes only while this process gets to run: what other work of the machine makes it wait for is not
 * counted. What it gives stops the watch and tells the milliseconds.
 */
export function startWatch(): () => number {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks++;
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    return ticks * TICK_MS;
  };
}
