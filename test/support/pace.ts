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
 * A watch that goes only while this process gets to run: what the machine makes it wait for is not counted. Read it for
 * the milliseconds since; it keeps no process alive.
 */
export function startWatch(): () => number {
  let ticks = 0;
  setInterval(() => {
    ticks++;
  }, TICK_MS).unref();
  return () => ticks * TICK_MS;
}
