/** What addon and daemon say of customers' own names. */
import { z } from 'zod';
import { DOMAIN_PROBLEMS } from '../domains/finding.js';
import { DOMAIN_STATES } from '../domains/state.js';
import { datetime, moment } from './wire.js';

/** A name of their own that the customer wants for an instance. */
export const domainRow = z.object({
  /** In lower case and in ASCII, with `www.` or without. */
  host: z.string().min(1).max(253),
  /** The text of the TXT record that proves whose it is: the same for one customer and name, whatever the instance. */
  proof: z.string().regex(/^odoo-saas=[0-9a-f]{16,64}$/, 'no proof of a domain'),
  /** When it was asked for, or a look at it. */
  asked_on: datetime,
  /** The daemon said that it is the address, or was. */
  held: z.boolean(),
});

/** What a look at a customer's own name has shown. */
export const domainReport = z.strictObject({
  host: z.string(),
  state: z.enum(DOMAIN_STATES),
  problem: z.enum(DOMAIN_PROBLEMS).nullable(),
  /** What DNS, or the edge, says instead. */
  found: z.string(),
  proven: z.boolean(),
  pointed: z.boolean(),
  /** The other one of `www.` and without leads here too. */
  twin: z.boolean(),
  /** The `asked_on` that this answers. */
  answered_on: moment.nullable(),
});
