/** Sends what the outbox owes to the master, and keeps it while the master is away. */

import { backoffMs, isWorthTelling } from '../lib/backoff.js';
import { createBatchSize } from '../lib/batch-size.js';
import { messageOf } from '../lib/errors.js';
import { errorFields } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import type { OutboxEntry } from '../store/outbox.js';
import { blameFor } from './blame.js';
import { createSender, type Ready, retryMs, type SenderOptions, SHORTEST_RETRY_MS } from './sender.js';

export type { SenderOptions as DelivererOptions } from './sender.js';

const BATCH = 50;
const LONGEST_PAUSE_MS = 30_000;
const AWAY_BACKOFF = { baseMs: 1_000, maxMs: 30_000 };
/** Of what is sent alone: a person must do something first, or a lock must go. */
const ALONE_BACKOFF = { baseMs: 5_000, maxMs: 900_000 };
/** So many writes that fail one after the other are not to blame themselves; each that hangs costs a time-out. */
const ENOUGH_FAILURES = { content: 3, slow: 2 };

/**
 * Delivers until stopped; `wake` after a put makes it look at once. Only the result `refused` condemns a write: one
 * whose sending fails where others do not is sent alone from then on, beside the others, and holds up none of them.
 */
export function startDeliverer(options: SenderOptions): Loop {
  const { outbox, clock, log } = options;
  const sender = createSender(options);
  const size = createBatchSize(BATCH);
  let failures = 0;
  let broken = false;
  /** Pushes that the master took, and how many there were when a write had failed: what fails again is to blame. */
  let taken = 0;
  const suspects = new Map<number, number>();

  async function round(stopping: AbortSignal): Promise<number> {
    if (broken) outbox.releaseAll();
    broken = false;
    const entries = outbox.due(clock(), size.most());
    if (entries.length === 0) {
      suspects.clear();
      return untilDue(outbox.nextDueAt());
    }
    const error = await deliver(entries, stopping);
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

  /** Sends together; where the master chokes on the batch, one by one. Gives the error that all met. */
  async function deliver(entries: OutboxEntry[], stopping: AbortSignal): Promise<unknown> {
    const { ready, away } = await prepare(entries);
    if (away || ready.length === 0) return giveBack(ready, away);
    const startedAt = performance.now();
    const error = await sender.send(ready);
    if (!error) {
      taken++;
      size.done(performance.now() - startedAt);
      return null;
    }
    const blame = blameFor(error);
    if (blame === 'slow') size.tooMuch();
    if (blame === 'away') return giveBack(ready, error);
    return oneByOne(ready, error, stopping);
  }

  /** What cannot be made complete is sent alone. One time-out of the master is enough for a round. */
  async function prepare(entries: OutboxEntry[]): Promise<{ ready: Ready[]; away: unknown }> {
    const ready: Ready[] = [];
    for (const [index, entry] of entries.entries()) {
      try {
        const operation = await sender.complete(entry);
        if (operation) ready.push({ entry, operation });
      } catch (error) {
        const blame = blameFor(error);
        if (blame !== 'away') sendAlone(entry, error);
        if (blame === 'content') continue;
        for (const other of entries.slice(blame === 'away' ? index : index + 1)) sender.retry(other, 0, error);
        return { ready, away: blame === 'away' ? error : null };
      }
    }
    return { ready, away: null };
  }

  function giveBack(ready: Ready[], error: unknown): unknown {
    for (const { entry } of ready) sender.retry(entry, 0, error);
    return error;
  }

  /** @param together why they could not be sent together. */
  async function oneByOne(ready: Ready[], together: unknown, stopping: AbortSignal): Promise<unknown> {
    const failed: { entry: OutboxEntry; error: unknown }[] = [];
    const withoutRecord = new Set<string>();
    let delivered = 0;
    for (const [index, one] of ready.entries()) {
      const { entry } = one;
      if (withoutRecord.has(entry.lane)) {
        sender.retry(entry, 0, 'it waits for the write before it');
        continue;
      }
      // Of a single one the answer is known.
      const error = ready.length === 1 ? together : await sender.send([one]);
      if (error) failed.push({ entry, error });
      else {
        delivered++;
        taken++;
      }
      if (error && entry.operation.op === 'instance') withoutRecord.add(entry.lane);
      const blame = error ? blameFor(error) : null;
      const isEnough = blame === 'away' || (delivered === 0 && blame && failed.length >= ENOUGH_FAILURES[blame]);
      if (isEnough || stopping.aborted) {
        // It is not about single writes: the others wait without having been tried.
        for (const { entry: other } of ready.slice(index + 1))
          sender.retry(other, 0, error ?? 'the daemon was stopped');
        break;
      }
    }
    const last = failed.at(-1)?.error ?? null;
    for (const { entry, error } of failed) {
      const blame = blameFor(error);
      const othersWere = delivered > 0 || taken > (suspects.get(entry.id) ?? taken);
      suspects.set(entry.id, taken);
      if (blame !== 'away' && othersWere) sendAlone(entry, error);
      else sender.retry(entry, retryMs(entry, blame === 'content' ? undefined : AWAY_BACKOFF), error);
    }
    return delivered > 0 ? null : last;
  }

  /** This write is the reason, or may be. */
  function sendAlone(entry: OutboxEntry, error: unknown): void {
    outbox.setAlone(entry.id);
    postpone(entry, error);
  }

  function postpone(entry: OutboxEntry, error: unknown): void {
    const retryInMs = retryMs(entry, blameFor(error) === 'away' ? AWAY_BACKOFF : ALONE_BACKOFF);
    sender.retry(entry, retryInMs, error);
    if (blameFor(error) !== 'away') options.onFailure?.(entry, messageOf(error));
    if (!isWorthTelling(entry.attempts + 1)) return;
    log.warn('outbox.write_delayed', 'A write to the master failed and is tried again; the others go on.', {
      ...errorFields(error),
      stack: undefined,
      operation: entry.operation.key,
      attempt: entry.attempts + 1,
      retryInMs,
    });
  }

  /** One of those that failed by themselves. */
  async function aloneRound(): Promise<number> {
    const entry = outbox.dueAlone(clock());
    if (!entry) return Math.max(SHORTEST_RETRY_MS, untilDue(outbox.nextAloneAt()));
    try {
      const operation = await sender.complete(entry);
      const error = operation && (await sender.send([{ entry, operation }]));
      if (error) throw error;
      taken++;
      return 0;
    } catch (error) {
      postpone(entry, error);
      return SHORTEST_RETRY_MS;
    }
  }

  function untilDue(dueAt: Date | null): number {
    if (dueAt === null) return LONGEST_PAUSE_MS;
    return Math.min(LONGEST_PAUSE_MS, Math.max(0, dueAt.getTime() - clock().getTime()));
  }

  const onError = (error: unknown) => {
    broken = true;
    log.error('outbox.failed', 'The outbox cannot be read; trying again.', errorFields(error));
  };
  const loops = [startLoop(round, onError), startLoop(aloneRound, onError)];
  return {
    wake() {
      for (const loop of loops) loop.wake();
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}
