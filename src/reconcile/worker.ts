/** Takes due jobs from the queue, a few at a time, and never lets one instance's trouble stop the others. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../lib/backoff.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, isStopped } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { untilStopped } from '../lib/stop.js';
import { createTurns, type Outside } from '../lib/turns.js';
import type { Job, JobTable } from '../store/jobs.js';

/** A terminal error waits for a person or for new facts; it is looked at again after so long all the same. */
const TERMINAL_RETRY_MS = 3_600_000;
const LONGEST_PAUSE_MS = 30_000;
const STORE_RETRY_MS = 5_000;

export interface WorkerOptions {
  jobs: JobTable;
  /**
   * Makes one instance as it must be; resolves with the next time at which its state changes by itself.
   * @param outside what it must wait for waits there, and others work meanwhile. A stop ends the wait (`worker.stopped`).
   */
  reconcile(instanceKey: string, outside: Outside): Promise<Date | null>;
  /** Called after a failure, before the job goes back to the queue. */
  onFailure(job: Job, error: unknown, retryAt: Date): void;
  clock: Clock;
  log: Log;
  concurrency: number;
}

/**
 * Runs jobs until stopped; `wake` after an enqueue makes it look at once. Stopping waits for those that work; those that
 * only wait are left, and taken up by the next start.
 */
export function startWorker(options: WorkerOptions): Loop {
  const { jobs, clock, log, concurrency } = options;
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const turns = createTurns(concurrency, () => queueMicrotask(() => loop.wake()));

  const loop = startLoop(
    async () => {
      const free = turns.free();
      const claimed = free > 0 ? jobs.claim(clock(), 'worker', free) : [];
      for (const job of claimed) {
        const turn = turns.take();
        const outside: Outside = (wait) => turn.outside(() => untilStopped(stopping.signal, wait));
        const work = runJob(job, options, outside, stopping.signal).finally(() => {
          running.delete(work);
          turn.end();
        });
        running.add(work);
      }
      if (claimed.length === free && free > 0) return 0;
      return turns.free() <= 0 ? LONGEST_PAUSE_MS : untilDue(jobs.nextDueAt(), clock());
    },
    (error) => log.error('worker.failed', 'The job queue cannot be read; trying again.', errorFields(error)),
  );

  return {
    wake: () => loop.wake(),
    async stop() {
      stopping.abort();
      await loop.stop();
      await Promise.all(running);
    },
  };
}

async function runJob(job: Job, options: WorkerOptions, outside: Outside, stopping: AbortSignal): Promise<void> {
  const { jobs, reconcile, onFailure, clock, log } = options;
  try {
    log.debug('job.claimed', job.reason, { key: job.instanceKey, attempt: job.attempts + 1 });
    const nextRunAt = await reconcile(job.instanceKey, outside);
    jobs.complete(job.instanceKey, job.token, nextRunAt);
  } catch (error) {
    // The claim stays: the next start gives it back.
    if (isStopped(error)) return;
    const terminal = error instanceof BridgeError && !error.retryable;
    const waitMs = terminal ? TERMINAL_RETRY_MS : backoffMs(job.attempts + 1);
    const retryAt = new Date(clock().getTime() + waitMs);
    const failed = { ...job, failingSince: job.failingSince ?? clock() };
    try {
      onFailure(failed, error, retryAt);
    } catch (second) {
      log.error('worker.report_failed', 'A failure could not be recorded.', errorFields(second));
    }
    await giveBack(failed, retryAt, options, stopping);
  }
}

/** A disk that is full for a while must not keep the job claimed; after a stop the next start gives it back. */
async function giveBack(
  job: Job & { failingSince: Date },
  retryAt: Date,
  { jobs, log }: WorkerOptions,
  stopping: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      jobs.fail(job.instanceKey, job.token, retryAt, job.failingSince);
      return;
    } catch (error) {
      log.error('worker.store_failed', 'The job queue cannot be written; trying again.', errorFields(error));
      if (stopping.aborted) return;
      await sleep(STORE_RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
}

function untilDue(dueAt: Date | null, now: Date): number {
  if (dueAt === null) return LONGEST_PAUSE_MS;
  return Math.min(LONGEST_PAUSE_MS, Math.max(0, dueAt.getTime() - now.getTime()));
}
