/** How values look on the wire. XML-RPC has no null: an empty value is `false` there and null here. */
import { z } from 'zod';
import { fromOdooTime, ODOO_TIME } from './time.js';

const emptyAsNull = (value: unknown) => (value === false || value === '' || value === undefined ? null : value);
export const orNull = <T extends z.ZodType>(schema: T) => z.preprocess(emptyAsNull, schema.nullable());
export const text = z.preprocess((value) => (value === false || value === undefined ? '' : value), z.string());
export const id = z.int().positive();

/** Odoo's naive UTC text (`2026-11-22 12:00:00`) as a Date. */
export const datetime = z
  .string()
  .regex(ODOO_TIME, 'not an Odoo datetime')
  .transform((value, context) => {
    const date = fromOdooTime(value);
    if (date) return date;
    context.addIssue({ code: 'custom', message: 'no day of the calendar' });
    return z.NEVER;
  });

/** A date that is pushed: Odoo's naive UTC text. */
export const moment = z.string().regex(ODOO_TIME);
