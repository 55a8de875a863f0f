/** Reads the master again and again: what changed, and now and then everything. */

import { backoffMs } from '../lib/backoff.js';
import { messageOf, RetryableError } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import type { Metrics } from '../lib/metrics.js';
import type { Master } from '../odoo/master.js';
import { SELLER, SHOP_URL } from '../store/meta.js';
import type { Store } from '../store/store.js';
import type { Ingest } from './ingest.js';

const CURSOR = 'cursor';
const AWAY_BACKOFF = { baseMs: 2_000, maxMs: 30_000 };
/** A backstop only: 500 rows a page are five million. */
const MOST_PAGES = 10_000;

export interface PollerOptions {
  master: Master;
  ingest: Ingest;
  store: Store;
  intervalMs: number;
  fullIntervalMs: number;
  log: Log;
  metrics: Metrics;
}

export interface Poller extends Loop {
  /** When the master was last read to the end, by the real clock; null before the first time. */
  lastPolledAt(): number | null;
  /**
   * Resolves when the first poll has ended, well or not: what is known before it may be as old as the daemon's sleep.
   * @throws RetryableError `poll.stopped` when the daemon is stopped before.
   */
  looked(): Promise<void>;
  /** Why the last poll failed; null when it did not. */
  lastError(): string | null;
  /**
   * Reads everything now; resolves when a pass that began after the call was taken in.
   * @throws RetryableError `poll.not_afresh` when the master could not be read.
   */
  readAfresh(): Promise<void>;
}

/** Polls until stopped. The first pass reads everything; so does one an hour, and one after a new plan. */
export function startPoller(options: PollerOptions): Poller {
  const { master, ingest, store, log, metrics } = options;
  let polledAt: number | null = null;
  let fullAt: number | null = null;
  let failures = 0;
  let lastError: string | null = null;
  let greeted = false;
  let stopped = false;
  let first: Waiter = { resolve: () => undefined, reject: () => undefined };
  const looked = new Promise<void>((resolve, reject) => {
    first = { resolve, reject };
  });
  // Nobody need wait for it.
  looked.catch(() => undefined);
  /** Who waits for the next full pass to begin and end. */
  let waiting: Waiter[] = [];

  /** Once in the life of the process: do addon and daemon fit, and what should the admin know. */
  async function greet(): Promise<void> {
    const hello = await master.hello();
    greeted = true;
    store.meta.set(SELLER, hello.company);
    store.meta.set(SHOP_URL, /^https?:/.test(hello.base_url) ? hello.base_url : null);
    log.info('master.reached', `Connected to ${hello.company}: Odoo ${hello.odoo_version}.`, {
      odoo: hello.odoo_version,
      addon: hello.addon_version,
    });
    for (const warning of hello.warnings) log.warn('master.warning', warning);
  }

  async function poll(signal: AbortSignal): Promise<void> {
    if (!greeted) await greet();
    const full = waiting.length > 0 || fullAt === null || Date.now() - fullAt >= options.fullIntervalMs;
    let cursor = full ? null : store.meta.get(CURSOR);
    let again = false;
    for (let pages = 0; pages < MOST_PAGES && !signal.aborted; pages++) {
      const batch = await master.poll(cursor);
      const ingested = ingest.page(batch, full);
      again ||= ingested.needsFullPoll;
      cursor = batch.cursor;
      if (batch.more) continue;
      store.meta.set(CURSOR, cursor);
      polledAt = Date.now();
      if (full) fullAt = polledAt;
      if (again) fullAt = null;
      break;
    }
  }

  const loop = startLoop(
    async (signal) => {
      // A copy: who comes during the pass waits for the next.
      const served = [...waiting];
      try {
        await poll(signal);
        waiting = waiting.filter((waiter) => !served.includes(waiter));
        // A stop ends a pass between its pages.
        for (const waiter of served) {
          if (signal.aborted) waiter.reject(notAfresh(STOPPING));
          else waiter.resolve();
        }
        metrics.polls.inc({ result: 'done' });
        if (failures > 0) log.info('poll.recovered', 'The master answers again.', { failures });
        failures = 0;
        lastError = null;
        return options.intervalMs;
      } catch (error) {
        failures++;
        lastError = messageOf(error);
        waiting = waiting.filter((waiter) => !served.includes(waiter));
        for (const waiter of served) waiter.reject(notAfresh(error));
        metrics.polls.inc({ result: 'failed' });
        const retryInMs = Math.max(options.intervalMs, backoffMs(failures, AWAY_BACKOFF));
        log.warn('poll.failed', 'The master could not be read; running instances are not affected.', {
          ...errorFields(error),
          failures,
          retryInMs,
        });
        return retryInMs;
      } finally {
        // A stop ends the first poll before its end.
        if (!signal.aborted) first.resolve();
      }
    },
    (error) => log.error('poll.crashed', 'The poller failed; trying again.', errorFields(error)),
  );

  return {
    ...loop,
    async stop() {
      stopped = true;
      await loop.stop();
      first.reject(new RetryableError('poll.stopped', STOPPING.message, 'It is done after the next start.'));
      for (const waiter of waiting) waiter.reject(notAfresh(STOPPING));
    },
    lastPolledAt: () => polledAt,
    looked: () => looked,
    lastError: () => lastError,
    readAfresh: () =>
      new Promise((resolve, reject) => {
        if (stopped) reject(notAfresh(STOPPING));
        waiting.push({ resolve, reject });
        loop.wake();
      }),
  };
}

const STOPPING = new Error('the daemon is stopping');

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

function notAfresh(cause: unknown): RetryableError {
  const message = `the master could not be read before a deletion: ${messageOf(cause)}`;
  return new RetryableError('poll.not_afresh', message, 'Nothing was deleted; it is tried again.', { cause });
}
