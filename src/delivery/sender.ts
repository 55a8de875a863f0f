/** One push: made complete, sent, and each result written down. */
import { type BackoffLimits, backoffMs } from '../lib/backoff.js';
import type { Clock } from '../lib/clock.js';
import { messageOf } from '../lib/errors.js';
import type { Log } from '../lib/logger.js';
import type { PushOperation, PushResult } from '../protocol/push.js';
import type { Outbox, OutboxEntry } from '../store/outbox.js';

/** Full jitter may be no pause at all: what the master cannot take is not sent again at once. */
export const SHORTEST_RETRY_MS = 1_000;
/** Up to a quarter of an hour: staff must do something first. */
const REFUSED_BACKOFF = { baseMs: 5_000, maxMs: 900_000 };
const BEHIND = 'it waits for the write before it';

export interface SenderOptions {
  outbox: Outbox;
  push(operations: PushOperation[]): Promise<PushResult[]>;
  /** Puts in what is not kept in the outbox: passwords and the text of mails. Null when it is owed no more. */
  complete(operation: PushOperation): Promise<PushOperation | null>;
  /** Is called with each failure of a write that others did not share. */
  onFailure?(entry: OutboxEntry, reason: string): void;
  clock: Clock;
  log: Log;
}

export interface Ready {
  entry: OutboxEntry;
  operation: PushOperation;
}

export type Sender = ReturnType<typeof createSender>;

export function createSender({ outbox, push, complete: completeOperation, onFailure, clock, log }: SenderOptions) {
  /** Null when it is owed no more: then it is gone. */
  async function complete(entry: OutboxEntry): Promise<PushOperation | null> {
    const operation = await completeOperation(entry.operation);
    if (operation) return operation;
    outbox.delivered(entry.id, entry.version);
    const { key } = entry.operation;
    log.info('outbox.dropped', 'A write that nobody waits for any more was dropped.', { operation: key });
    return null;
  }

  /** Gives the error where nothing is known of any of them; they are in flight still. */
  async function send(ready: Ready[]): Promise<unknown> {
    let results: PushResult[];
    try {
      results = await push(ready.map(({ operation }) => operation));
      const missing = ready.find((_one, index) => results[index] === undefined);
      if (missing) throw new Error(`no result for ${missing.operation.key}`);
    } catch (error) {
      return error ?? new Error('the push failed');
    }
    const withoutRecord = new Set<string>();
    ready.forEach(({ entry }, index) => {
      const result = results[index];
      if (!result) return;
      // What follows a record that was not written is refused for that alone.
      if (result.status === 'refused' && withoutRecord.has(entry.lane)) retry(entry, 0, BEHIND);
      else if (!settle(entry, result)) withoutRecord.add(entry.lane);
    });
    return null;
  }

  /** False for an instance that was not written: it stays owed. */
  function settle(entry: OutboxEntry, result: PushResult): boolean {
    if (result.status !== 'refused') {
      outbox.delivered(entry.id, entry.version);
      return true;
    }
    if (entry.operation.op === 'instance') {
      // The facts stay true whatever the master says: it is owed until staff have cleared the way. Its lane waits.
      const retryInMs = retryMs(entry, REFUSED_BACKOFF);
      retry(entry, retryInMs, result.message, true);
      onFailure?.(entry, result.message);
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
      advice: 'Correct the cause in the master, then: saas-bridge dead-letters retry.',
    });
    return true;
  }

  function retry(entry: OutboxEntry, waitMs: number, error: unknown, isRefused = false): void {
    outbox.retry(entry.id, new Date(clock().getTime() + waitMs), messageOf(error), isRefused);
  }

  return { complete, send, retry };
}

export function retryMs({ attempts }: OutboxEntry, limits?: BackoffLimits): number {
  return Math.max(SHORTEST_RETRY_MS, backoffMs(attempts + 1, limits));
}
