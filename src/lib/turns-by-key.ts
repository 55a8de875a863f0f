/** One after the other for each key, side by side for others. */

export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

export function createTurnsByKey(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work, work);
    const ended = mine
      .catch(() => undefined)
      .then(() => {
        if (last.get(key) === ended) last.delete(key);
      });
    last.set(key, ended);
    return mine;
  };
}
