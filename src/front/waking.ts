/** Wakes an instance that sleeps, for visitors who wait for it a while. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Whoever waits longer reads a page that goes on by itself. */
const PATIENCE_MS = 12_000;
const LOOK_MS = 50;

export interface WakingParts {
  /** Asks for it to be started; asking again is no harm. */
  wake(key: string): void;
  isAwake(key: string): boolean;
}

/** Gives whether it is awake in time. Many visitors of one wait together. */
export function createWaking({ wake, isAwake }: WakingParts): (key: string) => Promise<boolean> {
  const waits = new Map<string, Promise<boolean>>();

  async function wait(key: string): Promise<boolean> {
    wake(key);
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await sleep(LOOK_MS)) {
      if (isAwake(key)) return true;
    }
    return isAwake(key);
  }

  return (key) => {
    const known = waits.get(key);
    if (known) return known;
    const waiting = wait(key).finally(() => waits.delete(key));
    waits.set(key, waiting);
    return waiting;
  };
}

/** A tab that is only open, and programs that look whether it is up: also in templates/instance/saas_limits/visits.py. */
export const NO_VISITS = [
  '/websocket',
  '/longpolling',
  '/bus/',
  '/web/health',
  '/web/webclient/version_info',
  '/favicon.ico',
  '/robots.txt',
];

/** Whether a request wants something of the Odoo. */
export function isVisit(path: string): boolean {
  return !NO_VISITS.some((start) => path.startsWith(start));
}

/** The same address once more, on the same host whatever was asked for. */
export function againAt(url: string): string {
  return `/${url.startsWith('/') ? url.replace(/^[/\\]+/, '') : ''}`;
}
