/** Kinds of values. A message says what would be right, so that it follows "must be". */
import { readFileSync } from 'node:fs';
import { Duration, IANAZone } from 'luxon';
import { z } from 'zod';
import { messageOf } from '../lib/errors.js';
import { Secret } from '../lib/secret.js';

export const text = (what?: string) => z.string(what).min(1);

/** A number of seconds, whole or not; milliseconds come out. */
export const seconds = (min: number, max: number) =>
  z.coerce
    .number(`a number of seconds from ${min} to ${max}`)
    .min(min, `at least ${min} seconds`)
    .max(max, `at most ${max} seconds`)
    .transform((value) => Math.round(value * 1000));

export const whole = (min: number, max: number) =>
  z.coerce
    .number(`a whole number from ${min} to ${max}`)
    .int(`a whole number from ${min} to ${max}`)
    .min(min, `at least ${min}`)
    .max(max, `at most ${max}`);

export const yesNo = z
  .enum(['yes', 'no', 'true', 'false', '1', '0'], 'yes or no')
  .transform((value) => ['yes', 'true', '1'].includes(value));

/** Days before something, the first to come first; each once. */
export const dayList = (example: string) =>
  z
    .string()
    .regex(/^(\d{1,3}(,\d{1,3})*|none)$/, `numbers of days, such as ${example}, or none`)
    .transform((value) => (value === 'none' ? [] : [...new Set(value.split(',').map(Number))].sort((a, b) => b - a)));

export const timeZone = z.string().refine((zone) => IANAZone.isValidZone(zone), 'a time zone such as Europe/Madrid');

export const clockOffset = z.string().transform((value, context) => {
  const duration = Duration.fromISO(value);
  if (duration.isValid && Math.abs(duration.as('years')) <= 100) return duration;
  context.addIssue('an ISO 8601 duration such as P7D or PT2H, at most 100 years');
  return z.NEVER;
});

/** A file that holds a secret: the secret comes out. */
export const secretFile = (what: string) =>
  z
    .string(what)
    .min(1)
    .transform((file, context) => {
      try {
        const value = readFileSync(file, 'utf8').trim();
        if (value !== '') return new Secret(value);
        context.addIssue(`${what}; ${file} is empty`);
      } catch (error) {
        context.addIssue(`${what}; it cannot be read (${messageOf(error)})`);
      }
      return z.NEVER;
    });
