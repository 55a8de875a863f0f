/** Sends what the outbox owes to the master, and keeps it while the master is away. */

import { type BackoffLimits, backoffMs } from '../lib/backoff.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import type { PushOperation, PushResult } from '../protocol/push.js';
import type { Outbox, OutboxEntry } from '../store/outbox.js';

const BATCH = 50;
const LONGEST_PAUSE_MS = 30_000;
/** Up to a quarter of an hour: staff must do something first. */
const REFUSED_BACKOFF = { baseMs: 5_000, maxMs: 900_000 };
const AWAY_BACKOFF = { baseMs: 1_000, maxMs: 30_000 };
/** Full jitter may be no pause at all: what the master cannot take is not sent again at once. */
const SHORTEST_RETRY_MS = 1_000;
/** So many writes that fail one after the other are not to blame themselves. */
const ENOUGH_FAILURES = 3;
const BEHIND = 'it waits for the write before it';

export interface DelivererOptions {
  outbox: Outbox;
  push(operations: PushOperation[]): Promise<PushResult[]>;
  /** Puts in what is not kept in the outbox: passwords and the text of mails. Null when it is owed no more. */
  complete(operation: PushOperation): Promise<PushOperation | null>;
  clock: Clock;
  log: Log;
}

interface Ready {
  entry: OutboxEntry;
  operation: PushOperation;
}

/**
 * Delivers until stopped; `wake` after a put makes it look at once. Only the result `refused` condemns a write: one
 * whose sending fails, for whatever reason, is sent again, and holds up nothing but its own lane.
 */
export function startDeliverer(options: DelivererOptions): Loop {
  const { outbox, push, complete, clock, log } = options;
  let failures = 0;
  let broken = false;

  async function round(stopping: AbortSignal): Promise<number> {
    if (broken) outbox.releaseAll();
    broken = false;
    // After a failure with fewer: a batch that takes the master too long must not come back as it was.
    const entries = outbox.due(clock(), Math.max(1, Math.floor(BATCH / 2 ** failures)));
    if (entries.length === 0) {
      const dueAt = outbox.nextDueAt();
      return dueAt ? Math.min(LONGEST_PAUSE_MS, Math.max(0, dueAt.getTime() - clock().getTime())) : LONGEST_PAUSE_MS;
    }
    const error = await deliver(await prepare(entries), stopping);
    if (!error) {
      if (failures > 0)
        log.info('outbox.resumed', 'The master takes writes again.', { pending: outbox.backlog(clock()).count });
      failures = 0;
      return 0;
    }
    failures++;
    const pauseMs = Math.max(SHORTEST_RETRY_MS, backoffMs(failures, AWAY_BACKOFF));
    log.warn('outbox.delayed', 'Writes to the master wait; nothing is lost and they are sent again.', {
      ...errorFields(error),
      stack: undefined,
      pending: outbox.backlog(clock()).count,
      retryInMs: pauseMs,
    });
    return pauseMs;
  }

  /** Without those that cannot be sent now, and what is behind them in their lane. */
  async function prepare(entries: OutboxEntry[]): Promise<Ready[]> {
    const blocked = new Set<string>();
    const ready: Ready[] = [];
    for (const entry of entries) {
      try {
        if (blocked.has(entry.lane)) {
          retry(entry, 0, BEHIND);
          continue;
        }
        const operation = await complete(entry.operation);
        if (operation) {
          ready.push({ entry, operation });
          continue;
        }
        outbox.delivered(entry.id, entry.version);
        const { key } = entry.operation;
        log.info('outbox.dropped', 'A write that nobody waits for any more was dropped.', { operation: key });
      } catch (error) {
        blocked.add(entry.lane);
        postpone(entry, error);
      }
    }
    return ready;
  }

  /** Sends together; where the master chokes on the batch, one by one. Returns the error that all met. */
  async function deliver(ready: Ready[], stopping: AbortSignal): Promise<unknown> {
    if (ready.length === 0) return null;
    try {
      const results = await push(ready.map(({ operation }) => operation));
      const withoutRecord = new Set<string>();
      ready.forEach(({ entry }, index) => {
        const result = results[index];
        // What follows a record that was not written is refused for that alone.
        if (result?.status === 'refused' && withoutRecord.has(entry.lane)) retry(entry, 0, BEHIND);
        else if (!settle(entry, result)) withoutRecord.add(entry.lane);
      });
      return null;
    } catch (error) {
      if (!isAboutContent(error)) {
        const [only] = ready.length === 1 ? ready : [];
        const waitMs = only ? retryMs(only.entry, AWAY_BACKOFF) : 0;
        for (const { entry } of ready) retry(entry, waitMs, error);
        return error;
      }
      const [only, ...others] = ready;
      if (only && others.length === 0) postpone(only.entry, error);
      return others.length === 0 ? error : oneByOne(ready, stopping);
    }
  }

  async function oneByOne(ready: Ready[], stopping: AbortSignal): Promise<unknown> {
    const blocked = new Set<string>();
    let delivered = 0;
    let failed = 0;
    let last: unknown = null;
    for (const [index, one] of ready.entries()) {
      if (blocked.has(one.entry.lane)) {
        retry(one.entry, 0, BEHIND);
        continue;
      }
      const error = await deliver([one], stopping);
      if (error) {
        failed++;
        blocked.add(one.entry.lane);
        last = error;
      } else delivered++;
      const away = error && !isAboutContent(error);
      if (away || stopping.aborted || (delivered === 0 && failed === ENOUGH_FAILURES)) {
        // It is not about single writes: the others wait without having been tried.
        for (const { entry } of ready.slice(index + 1)) retry(entry, 0, last ?? 'the daemon was stopped');
        return last;
      }
    }
    return delivered > 0 ? null : last;
  }

  /** False for an instance that was not written: it stays owed. */
  function settle(entry: OutboxEntry, result: PushResult | undefined): boolean {
    if (!result) throw new Error(`no result for ${entry.operation.key}`);
    if (result.status !== 'refused') {
      outbox.delivered(entry.id, entry.version);
      return true;
    }
    if (entry.operation.op === 'instance') {
      // The facts stay true whatever the master says: it is owed until staff have cleared the way. Its lane waits.
      const retryInMs = retryMs(entry, REFUSED_BACKOFF);
      retry(entry, retryInMs, result.message);
      log.error('outbox.refused', `The master refuses to write an instance: ${result.message}`, {
        operation: entry.operation.key,
        retryInMs,
        advice:
          'Correct the cause in the master; the write and what follows it, mails too, are sent again by themselves.',
      });
      return false;
    }
    outbox.refuse(entry.id, result.message);
    log.error('outbox.refused', `The master refused a write for good: ${result.message}`, {
      operation: entry.operation.key,
      advice: 'It is kept among the dead letters; correct the cause in the master, then run a full poll (restart).',
    });
    return true;
  }

  /** This write is the reason, or may be. */
  function postpone(entry: OutboxEntry, error: unknown): void {
    const retryInMs = retryMs(entry);
    retry(entry, retryInMs, error);
    log.warn('outbox.write_delayed', 'A write to the master failed and is tried again; the others go on.', {
      ...errorFields(error),
      stack: undefined,
      operation: entry.operation.key,
      attempt: entry.attempts + 1,
      retryInMs,
    });
  }

  function retry(entry: OutboxEntry, waitMs: number, error: unknown): void {
    outbox.retry(entry.id, new Date(clock().getTime() + waitMs), messageOf(error));
  }

  return startLoop(round, (error) => {
    broken = true;
    log.error('outbox.failed', 'The outbox cannot be read; trying again.', errorFields(error));
  });
}

function retryMs({ attempts }: OutboxEntry, limits?: BackoffLimits): number {
  return Math.max(SHORTEST_RETRY_MS, backoffMs(attempts + 1, limits));
}

/** The master answered, but not with a result: some operation in the batch may be the reason. */
function isAboutContent(error: unknown): boolean {
  return !(error instanceof BridgeError) || error.code === 'odoo.fault' || !error.retryable;
}
