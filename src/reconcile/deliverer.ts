/** Sends what the outbox owes to the master, and keeps it while the master is away. */
import type { Clock } from '../clock.js';
import { BridgeError, messageOf } from '../errors.js';
import { errorFields, type Log } from '../logger.js';
import type { PushOperation, PushResult } from '../odoo/protocol.js';
import type { Outbox, OutboxEntry } from '../store/outbox.js';
import { backoffMs } from '../subscription/backoff.js';
import { type Loop, startLoop } from './loop.js';

const BATCH = 50;
const LONGEST_PAUSE_MS = 30_000;
const AWAY_BACKOFF = { baseMs: 1_000, maxMs: 30_000 };

export interface DelivererOptions {
  outbox: Outbox;
  push(operations: PushOperation[]): Promise<PushResult[]>;
  /** Puts in what is not kept in the outbox: passwords and the text of mails. */
  complete(operation: PushOperation): PushOperation;
  clock: Clock;
  log: Log;
}

/** Delivers until stopped; `wake` after a put makes it look at once. */
export function startDeliverer(options: DelivererOptions): Loop {
  const { outbox, clock, log } = options;
  let failures = 0;

  async function round(): Promise<number> {
    const entries = outbox.due(clock(), BATCH);
    if (entries.length === 0) {
      const dueAt = outbox.nextDueAt();
      return dueAt ? Math.min(LONGEST_PAUSE_MS, Math.max(0, dueAt.getTime() - clock().getTime())) : LONGEST_PAUSE_MS;
    }
    const error = await deliver(entries, options);
    if (!error) {
      if (failures > 0)
        log.info('outbox.resumed', 'The master takes writes again.', { pending: outbox.backlog(clock()).count });
      failures = 0;
      return 0;
    }
    failures++;
    const pauseMs = backoffMs(failures, AWAY_BACKOFF);
    log.warn('outbox.delayed', 'Writes to the master wait; nothing is lost and they are sent again.', {
      ...errorFields(error),
      stack: undefined,
      pending: outbox.backlog(clock()).count,
      retryInMs: pauseMs,
    });
    return pauseMs;
  }

  return startLoop(round, (error) =>
    log.error('outbox.failed', 'The outbox cannot be read; trying again.', errorFields(error)),
  );
}

/** Sends entries together; where the master chokes on the batch, one by one. Returns the error that stopped it. */
async function deliver(entries: OutboxEntry[], options: DelivererOptions): Promise<unknown> {
  try {
    const operations = entries.map((entry) => options.complete(entry.operation));
    const results = await options.push(operations);
    entries.forEach((entry, index) => {
      settle(entry, results[index], options);
    });
    return null;
  } catch (error) {
    if (entries.length > 1 && isAboutContent(error)) {
      for (const entry of entries) await deliver([entry], options);
      return null;
    }
    for (const entry of entries) {
      const waitMs = isAboutContent(error) ? backoffMs(entry.attempts + 1) : 0;
      options.outbox.retry(entry.id, new Date(options.clock().getTime() + waitMs), messageOf(error));
    }
    return error;
  }
}

/** The master answered, but not with a result: some operation in the batch may be the reason. */
function isAboutContent(error: unknown): boolean {
  return !(error instanceof BridgeError) || error.code === 'odoo.fault' || !error.retryable;
}

function settle(entry: OutboxEntry, result: PushResult | undefined, { outbox, log }: DelivererOptions): void {
  if (!result) throw new Error(`no result for ${entry.operation.key}`);
  if (result.status !== 'refused') {
    outbox.delivered(entry.id, entry.version);
    return;
  }
  outbox.refuse(entry.id, result.message);
  log.error('outbox.refused', `The master refused a write for good: ${result.message}`, {
    operation: entry.operation.key,
    advice: 'It is kept among the dead letters; correct the cause in the master, then run a full poll (restart).',
  });
}
