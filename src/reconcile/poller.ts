/** Reads the master again and again: what changed, and now and then everything. */
import { messageOf } from '../errors.js';
import { errorFields, type Log } from '../logger.js';
import type { Metrics } from '../metrics.js';
import type { Master } from '../odoo/master.js';
import type { Store } from '../store/store.js';
import { backoffMs } from '../subscription/backoff.js';
import type { Ingest } from './ingest.js';
import { type Loop, startLoop } from './loop.js';

const CURSOR = 'cursor';
/** The name of the shop's company, for mails. */
export const SELLER = 'seller';
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
  /** After each poll that succeeded. */
  onPolled(plansChanged: boolean): void;
}

export interface Poller extends Loop {
  /** When the master was last read to the end, by the real clock; null before the first time. */
  lastPolledAt(): number | null;
  /** Why the last poll failed; null when it did not. */
  lastError(): string | null;
}

/** Polls until stopped. The first pass reads everything; so does one an hour, and one after a new plan. */
export function startPoller(options: PollerOptions): Poller {
  const { master, ingest, store, log, metrics } = options;
  let polledAt: number | null = null;
  let fullAt: number | null = null;
  let failures = 0;
  let lastError: string | null = null;
  let greeted = false;

  /** Once in the life of the process: do addon and daemon fit, and what should the admin know. */
  async function greet(): Promise<void> {
    const hello = await master.hello();
    greeted = true;
    store.meta.set(SELLER, hello.company);
    log.info('master.reached', `Connected to ${hello.company}: Odoo ${hello.odoo_version}.`, {
      odoo: hello.odoo_version,
      addon: hello.addon_version,
    });
    for (const warning of hello.warnings) log.warn('master.warning', warning);
  }

  /** Resolves with whether plans changed. */
  async function poll(signal: AbortSignal): Promise<boolean> {
    if (!greeted) await greet();
    const full = fullAt === null || Date.now() - fullAt >= options.fullIntervalMs;
    let cursor = full ? null : store.meta.get(CURSOR);
    let again = false;
    let plansChanged = false;
    for (let pages = 0; pages < MOST_PAGES && !signal.aborted; pages++) {
      const batch = await master.poll(cursor);
      const ingested = ingest.page(batch, full);
      again ||= ingested.needsFullPoll;
      plansChanged ||= ingested.plansChanged;
      cursor = batch.cursor;
      if (batch.more) continue;
      store.meta.set(CURSOR, cursor);
      polledAt = Date.now();
      if (full) fullAt = polledAt;
      if (again) fullAt = null;
      break;
    }
    return plansChanged;
  }

  const loop = startLoop(
    async (signal) => {
      try {
        options.onPolled(await poll(signal));
        metrics.polls.inc({ result: 'done' });
        if (failures > 0) log.info('poll.recovered', 'The master answers again.', { failures });
        failures = 0;
        lastError = null;
        return options.intervalMs;
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
      }
    },
    (error) => log.error('poll.crashed', 'The poller failed; trying again.', errorFields(error)),
  );

  return { ...loop, lastPolledAt: () => polledAt, lastError: () => lastError };
}
