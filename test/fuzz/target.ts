/** What a target of the fuzzing is: values from outside, the real code they are driven through, and how the result is read back. */
import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import type fc from 'fast-check';
import { BridgeError } from '../../src/lib/errors.js';

export interface Target<T = unknown> {
  name: string;
  /** Its part of all cases, beside the shares of the others. */
  share: number;
  values: fc.Arbitrary<T>;
  /** Throws Escape where a value got out of its place. Whatever else it throws is a crash. */
  check(value: T): void | Promise<void>;
  /** Gives back what the target has opened. */
  close?(): Promise<void> | void;
}

/** A target with its type of value forgotten, for lists. */
export function target<T>(given: Target<T>): Target {
  return given as Target;
}

/** A value from outside is where it must not be, or is another one when it is read back. */
export class Escape extends AssertionError {
  constructor(message: string, actual?: unknown, expected?: unknown) {
    super({ message: `${message}: ${shown(actual)}, not ${shown(expected)}`, actual, expected });
  }
}

export function same(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) throw new Escape(what, actual, expected);
}

export function holds(what: string, isTrue: boolean, seen?: unknown): void {
  if (!isTrue) throw new Escape(what, seen, 'that');
}

/** The result, or null where the code refuses the value with one of the errors that it documents. */
export function unlessRefused<T>(codes: readonly string[], work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof BridgeError && codes.includes(error.code)) return null;
    throw error;
  }
}

/** Characters that end a line, move a cursor or turn the direction of what is around them. */
export const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** One line that a terminal and a mail show as it is. */
export function plainLine(what: string, text: string, most = Number.POSITIVE_INFINITY): void {
  holds(`${what} is one line of plain text`, !UNPRINTABLE.test(text), text);
  holds(`${what} has at most ${most} characters`, [...new Intl.Segmenter().segment(text)].length <= most, text.length);
}

/**
 * Compares what was made of hostile values with what was made of plain words: the same structure, and at each word the value
 * in its place.
 */
export function sameShape(
  what: string,
  actual: unknown,
  pattern: unknown,
  values: ReadonlyMap<unknown, unknown>,
): void {
  if (values.has(pattern)) {
    const expected = values.get(pattern);
    if (expected instanceof RegExp) holds(`${what} matches ${expected}`, expected.test(String(actual)), actual);
    else same(what, actual, expected);
    return;
  }
  if (typeof pattern !== 'object' || pattern === null || typeof actual !== 'object' || actual === null) {
    same(what, actual, pattern);
    return;
  }
  same(`keys of ${what}`, Object.keys(actual), Object.keys(pattern));
  for (const [key, part] of Object.entries(pattern)) {
    sameShape(`${what}.${key}`, (actual as Record<string, unknown>)[key], part, values);
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 300);
}
