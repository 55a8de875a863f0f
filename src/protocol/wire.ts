/** How values look on the wire. XML-RPC has no null: an empty value is `false` there and null here. */
import { z } from 'zod';

const emptyAsNull = (value: unknown) => (value === false || value === '' || value === undefined ? null : value);
export const orNull = <T extends z.ZodType>(schema: T) => z.preprocess(emptyAsNull, schema.nullable());
export const text = z.preprocess((value) => (value === false || value === undefined ? '' : value), z.string());
export const id = z.int().positive();

/** Odoo's naive UTC text (`2026-11-22 12:00:00`) as a Date. */
export const datetime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/, 'not an Odoo datetime')
  .transform((value) => new Date(`${value.replace(' ', 'T')}Z`));
