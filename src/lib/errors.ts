import { printable } from './printable.js';

/**
 * Errors of the bridge. Every one carries a short message for the log and the sentence for the person who must act.
 * The class decides what the queue does with the work: a RetryableError is tried again with back-off for as long as
 * it lasts; a TerminalError needs a person (or a change of the facts) first.
 */
export abstract class BridgeError extends Error {
  abstract readonly retryable: boolean;
  /** Stable identifier, for logs and tests, e.g. `odoo.unreachable`. */
  readonly code: string;
  /** What the admin can do about it, one sentence. */
  readonly advice: string;

  constructor(code: string, message: string, advice: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.advice = advice;
  }
}

export class RetryableError extends BridgeError {
  readonly retryable = true;
}

export class TerminalError extends BridgeError {
  readonly retryable = false;
}

/** A port or a subnet of the instance's place belongs to somebody else: it needs another place. */
export class PlaceTakenError extends TerminalError {}

const STOPPED = 'worker.stopped';

/** The daemon stops, and the work waited for something: it is no failure, and the next start goes on with it. */
export function stoppedError(): RetryableError {
  return new RetryableError('worker.stopped', 'the daemon is stopping', 'It is done after the next start.');
}

export function isStopped(error: unknown): boolean {
  return error instanceof BridgeError && error.code === STOPPED;
}

/** The message of anything that was thrown, on one line and at most 500 characters. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(text).replace(/\s+/g, ' ').trim().slice(0, 500);
}
