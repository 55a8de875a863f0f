/** Reads the master again and again: what changed, and between these polls, a page at a time, now and then everything. */

import { backoffMs } from '../lib/backoff.js';
import { type BatchSize, createBatchSize } from '../lib/batch-size.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, messageOf, RetryableError } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import type { Metrics } from '../lib/metrics.js';
import { createPatience } from '../lib/patience.js';
import type { Master } from '../odoo/master.js';
import type { PollBatch } from '../odoo/rows.js';
import { fullPassFailing } from '../owed/managers.js';
import type { Store } from '../store/store.js';
import type { Ingest } from './ingest.js';

/** Where the next poll goes on. */
const CURSOR = 'cursor';
/** Where a full pass goes on that is under way. */
const FULL_CURSOR = 'full_cursor';
const AWAY_BACKOFF = { baseMs: 2_000, maxMs: 30_000 };
const PAGE_BACKOFF = { baseMs: 5_000, maxMs: 600_000 };
/** When managers are told of a full pass that cannot go on. */
const PAGE_TOLD_MS = 3_600_000;
const PAGE_ROWS = 500;
/** A backstop only: 500 rows a page are five million. */
const MOST_PAGES = 10_000;

export interface PollerOptions {
  master: Pick<Master, 'hello' | 'poll'>;
  ingest: Pick<Ingest, 'page'>;
  store: Store;
  intervalMs: number;
  fullIntervalMs: number;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** Called when the master was read to the end, with its time. */
  onRead(serverTime: Date): void;
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
}

/** Polls until stopped. A full pass begins with the process, each hour, and after a new plan. */
export function startPoller(options: PollerOptions): Poller {
  const { master, ingest, store, log, metrics } = options;
  let polledAt: number | null = null;
  /** When the last full pass ended; null: one is due. */
  let fullAt: number | null = null;
  /** Somebody waits for the end of the full pass: a plan has come that purchases wait for. */
  let isUrgent = false;
  let failures = 0;
  let pageFailures = 0;
  let nextPageAt = 0;
  const patience = createPatience(PAGE_TOLD_MS, options.clock, (since, error) =>
    store.outbox.put(fullPassFailing(since, messageOf(error)), 'full-pass'),
  );
  let lastError: string | null = null;
  let greeted = false;
  const sizes = { quick: createBatchSize(PAGE_ROWS), full: createBatchSize(PAGE_ROWS) };
  let first: { resolve(): void; reject(error: unknown): void } = { resolve: () => undefined, reject: () => undefined };
  const looked = new Promise<void>((resolve, reject) => {
    first = { resolve, reject };
  });
  // Nobody need wait for it.
  looked.catch(() => undefined);

  /** Once in the life of the process: do addon and daemon fit, and what should the admin know. */
  async function greet(): Promise<void> {
    const hello = await master.hello();
    greeted = true;
    log.info('master.reached', `Connected to ${hello.company}: Odoo ${hello.odoo_version}.`, {
      odoo: hello.odoo_version,
      addon: hello.addon_version,
    });
    for (const warning of hello.warnings) log.warn('master.warning', warning);
  }

  /** Reads a page and takes it in; gives where the next one begins, and whether there is one. */
  async function page(cursor: string | null, size: BatchSize, full: boolean) {
    const startedAt = performance.now();
    try {
      const batch = await master.poll(cursor, size.most());
      size.done(performance.now() - startedAt);
      const { needsFullPoll } = ingest.page(batch, full);
      if (needsFullPoll) {
        store.meta.set(FULL_CURSOR, null);
        fullAt = null;
        isUrgent = true;
      }
      return batch;
    } catch (error) {
      if (isTooMuch(error)) size.tooMuch();
      throw error;
    }
  }

  /** What changed since the last poll; everything before the first one. */
  async function poll(signal: AbortSignal): Promise<void> {
    if (!greeted) await greet();
    let cursor = store.meta.get(CURSOR);
    for (let pages = 0; pages < MOST_PAGES && !signal.aborted; pages++) {
      const batch = cursor === null ? await fullPage() : await page(cursor, sizes.quick, false);
      if (batch.more) {
        if (cursor !== null) cursor = batch.cursor;
        continue;
      }
      store.meta.set(CURSOR, batch.cursor);
      polledAt = Date.now();
      options.onRead(batch.serverTime);
      return;
    }
  }

  /** The next page of a full pass. Its place is kept, so that neither a failure nor a restart begins it anew. */
  async function fullPage(): Promise<PollBatch> {
    const batch = await page(store.meta.get(FULL_CURSOR), sizes.full, true);
    store.meta.set(FULL_CURSOR, batch.more ? batch.cursor : null);
    if (!batch.more) {
      fullAt = Date.now();
      isUrgent = false;
    }
    return batch;
  }

  function isFullDue(): boolean {
    return fullAt === null || Date.now() - fullAt >= options.fullIntervalMs;
  }

  /** One page that the master cannot give keeps nothing else from being read. */
  async function slice(): Promise<void> {
    if (!isFullDue() || Date.now() < nextPageAt) return;
    try {
      await fullPage();
      if (pageFailures > 0) log.info('poll.page_read', 'The page that failed was read.', { failures: pageFailures });
      pageFailures = 0;
      patience.done();
      nextPageAt = 0;
    } catch (error) {
      pageFailures++;
      patience.failed(error);
      const retryInMs = backoffMs(pageFailures, PAGE_BACKOFF);
      nextPageAt = Date.now() + retryInMs;
      log.warn(
        'poll.page_failed',
        'A page of the hourly full pass could not be read; what changes is read all the same.',
        {
          ...errorFields(error),
          rows: sizes.full.most(),
          failures: pageFailures,
          retryInMs,
        },
      );
    }
  }

  const loop = startLoop(
    async (signal) => {
      try {
        await poll(signal);
        metrics.polls.inc({ result: 'done' });
        if (failures > 0) log.info('poll.recovered', 'The master answers again.', { failures });
        failures = 0;
        lastError = null;
      } catch (error) {
        failures++;
        lastError = messageOf(error);
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
      if (!signal.aborted) await slice();
      return isUrgent && nextPageAt === 0 ? 0 : options.intervalMs;
    },
    (error) => log.error('poll.crashed', 'The poller failed; trying again.', errorFields(error)),
  );

  return {
    ...loop,
    async stop() {
      await loop.stop();
      first.reject(new RetryableError('poll.stopped', 'the daemon is stopping', 'It is done after the next start.'));
    },
    lastPolledAt: () => polledAt,
    looked: () => looked,
    lastError: () => lastError,
  };
}

function isTooMuch(error: unknown): boolean {
  return error instanceof BridgeError && ['odoo.timeout', 'odoo.too_large'].includes(error.code);
}
