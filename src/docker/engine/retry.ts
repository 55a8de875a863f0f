import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictError } from './errors.js';

const ATTEMPTS = 30;
const PAUSE_MS = 100;

/** Repeats a removal for up to three seconds: the engine lets go of a removed container's parts a moment later. */
export async function removeBusy(remove: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await remove();
    } catch (error) {
      const busy = error instanceof ConflictError || /active endpoints/.test(String(error));
      if (!busy || attempt === ATTEMPTS) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
