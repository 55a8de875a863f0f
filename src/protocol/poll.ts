/**
 * What the master's addon and the daemon say to each other, as schemas: the addon's model `saas.bridge` has the
 * methods `hello`, `poll`, `look`, `renewal` and `push`, and everything that comes back is validated here before use.
 * XML-RPC has no null: an empty value is `false` on the wire and null here.
 */
import { z } from 'zod';
import { COMMAND_NAMES } from '../instance/command.js';
import { DEFAULT_EGRESS, EGRESS } from '../instance/egress.js';
import { DEFAULT_KEEP } from '../instance/keep-rule.js';
import { INSTANCE_KEY } from '../instance/naming.js';
import { PHASES } from '../instance/phase.js';
import { HOLDS } from '../instance/types.js';
import { PERIOD_UNITS, SUBSCRIPTION_STATES } from '../subscription/types.js';
import { REFUSALS } from './bond.js';
import { domainRow } from './domains.js';
import { datetime, id, orNull, text } from './wire.js';

/** Raised when one side would misunderstand the other. */
export const PROTOCOL = 3;

export const periodUnit = z.enum(PERIOD_UNITS);

/** It becomes labels on the engine and the name of a file. */
const instanceKey = z.string().regex(INSTANCE_KEY, 'no key of an instance');

/** How many backups stay, where nothing else is said. */
const kept = (usual: number) => z.int().default(usual);

/** A product.template with `saas_plan` set. */
export const planRow = z.object({
  id,
  code: text,
  name: text,
  /** The name in each installed language, by Odoo's code. */
  names: z.record(z.string(), text).default({}),
  active: z.boolean(),
  period_count: z.int(),
  period_unit: orNull(periodUnit),
  cpu: z.number(),
  memory_mb: z.int(),
  storage_gb: z.int(),
  max_users: z.int(),
  /** How many names of their own its instances may have. */
  domains: z.int().default(0),
  /** What the customer's Odoo may reach. */
  egress: z.enum(EGRESS).default(DEFAULT_EGRESS),
  /** Hours without a visitor after which it sleeps; 0: never. */
  sleep_after_hours: z.number().min(0).max(8760).default(0),
  /** It is woken each hour for its scheduled actions. */
  sleep_wakes_hourly: z.boolean().default(false),
  /** Technical names, comma separated. */
  modules: text,
  grace_days: z.int(),
  retention_days: z.int(),
  /** So many days, weeks and months the last backup is kept of. */
  keep_daily: kept(DEFAULT_KEEP.daily),
  keep_weekly: kept(DEFAULT_KEEP.weekly),
  keep_monthly: kept(DEFAULT_KEEP.monthly),
  /** Free, and once for each customer. */
  trial: z.boolean(),
});

/** When a record was made. A master that was restored from a backup gives ids out again: this tells two apart. */
const madeOn = orNull(datetime).optional();

/** The person or company that buys. `id` is the commercial partner: all contacts of one company are one customer. */
export const customerRow = z.object({
  id,
  /** When the customer's record was made: an id may be given again. */
  created_on: madeOn,
  name: text,
  contact_id: id,
  contact_name: text,
  email: text,
  lang: text,
});

/** The company that sells, as its customers know it; `shop_url` is that of the website it was sold on. */
export const sellerRow = z.object({ id, name: text, shop_url: text, lang: text });

/** A part of a line: what one payment covers, or what was ordered at one time and is not paid. */
export const purchasePart = z.object({
  /** Within its line, for ever: `inv:9` (invoice line), `tx:5`, `down:3`, `card:8`, `free:7`, `grant:3`, `ordered:1`. */
  key: z.string().min(1).max(60),
  /** Periods, in the plan's own unit. */
  quantity: z.number().nonnegative(),
  /** When it was ordered: the trust in its payment begins here. */
  starts_on: datetime,
  /** When it was paid for the first time. */
  paid_on: orNull(datetime),
  /** Since when its money is gone without a refund: a reconciliation undone, an invoice reset to draft. */
  vanished_on: orNull(datetime),
});

/**
 * One thing bought: an order line (`sol:7`), an invoice line made without an order (`aml:9`) or a grant by staff
 * (`grant:3`). An invoice line made from an order line is never sent: the order line stands for both.
 */
export const purchaseRow = z.object({
  key: z.string().regex(/^(sol|aml|grant):\d+$/),
  created_on: madeOn,
  /** `pending`: not confirmed, and a payment of it is on its way. Counts for nothing but holds off the suspension. */
  state: z.enum(['open', 'pending', 'cancelled']),
  /** What a person calls the document: S00042, INV/2026/00007. */
  document: text,
  order_id: orNull(id),
  invoice_ids: z.array(id),
  customer: customerRow,
  seller: sellerRow,
  plan_id: id,
  period_count: z.int(),
  period_unit: orNull(periodUnit),
  /** The instance this line is for, where the line says so. */
  instance_key: orNull(instanceKey),
  /** The customer asked for one more instance, not for a renewal. */
  additional: z.boolean(),
  /** The name and the language (`es_ES`) that the buyer chose for a new instance; empty: none. */
  wanted_name: text,
  wanted_lang: text,
  /** What one period was sold for: net of taxes and of all discounts, those on the whole document too, in the company's currency. */
  unit_price: z.number(),
  /** What one unit costs without a discount, likewise; as it was when the line was made. */
  list_price: z.number(),
  /** It is of another plan and that change was refused: its value extends the plan that the instance has. */
  keep_plan: z.boolean(),
  /** Since when a payment of it is pending or authorized and has not arrived. */
  pending_since: orNull(datetime),
  /** Confirmation of the order, payment of the invoice, date of the grant. */
  starts_on: datetime,
  /** What the line is made of: all of it, in the order of time. Empty where nothing of it counts any more. */
  parts: z.array(purchasePart),
});

export const instanceState = z.enum(PHASES);
export const subscriptionState = z.enum(SUBSCRIPTION_STATES);

/** A `saas.instance` record as the master has it. */
export const instanceRow = z.object({
  id,
  created_on: madeOn,
  key: instanceKey,
  name: text,
  customer: customerRow,
  seller: sellerRow,
  plan_id: orNull(id),
  state: instanceState,
  /** What staff decided: `stopped` keeps it stopped though paid, until resumed; `deleted` is for good. */
  hold: z.enum(HOLDS),
  started_on: orNull(datetime),
  paid_until: orNull(datetime),
  suspended_on: orNull(datetime),
  /** When it is to be deleted, as its customer was told. */
  delete_on: orNull(datetime).optional(),
  /** Since when it has used more storage than its plan has. */
  storage_over_since: orNull(datetime),
  /** A person made the record and wants it provisioned (invoice button), or the daemon made it. */
  requested: z.boolean(),
  /** In the order in which they were asked for: what is in no list any more is given up. Absent: nothing is known. */
  domains: z.array(domainRow).max(100).optional(),
});

export const commandName = z.enum(COMMAND_NAMES);

export const commandRow = z.object({
  id,
  created_on: madeOn,
  instance_key: instanceKey,
  command: commandName,
  requested_by: text,
  /** For `change_plan`. */
  plan_id: orNull(id),
  /** For `restore`: the last state at or before it is wanted back. */
  moment: orNull(datetime).optional(),
});

/** In place of a row that the addon could not make: why, for the admin. */
export const untoldRow = z.strictObject({
  key: z.string().min(1).optional(),
  id: id.optional(),
  problem: z.string(),
});

/** Which database answers, and the highest generation of a push that it has. */
const identity = z.object({ database_uuid: text, generation: z.int() });

/** In place of a reply: why the caller is told nothing, and nothing taken from it. */
export const refusalReply = identity.extend({
  protocol: z.literal(PROTOCOL),
  refused: z.enum(REFUSALS),
  /** Of the daemon that serves this master, for `leased` and `copied`. */
  host: text,
  heard_on: orNull(datetime),
});

/** One instance, all that there is of it. */
export const lookReply = z.object({
  protocol: z.literal(PROTOCOL),
  plans: z.array(z.unknown()),
  purchases: z.array(z.unknown()),
  instances: z.array(z.unknown()),
  commands: z.array(z.unknown()),
});

export const pollReply = lookReply.extend({
  ...identity.shape,
  /** The master's clock. */
  server_time: datetime,
  /** Opaque: pass it to the next poll. */
  cursor: z.string().min(1),
  /** More rows wait: poll again at once with the new cursor. */
  more: z.boolean(),
});

/** The quotation that renews an instance: made by the first who asks, the same one until it is paid or cancelled. */
export const renewalReply = z.object({
  protocol: z.literal(PROTOCOL),
  /** Where the customer pays with one click; null where the plan cannot be sold any more. */
  url: orNull(z.url({ protocol: /^https?$/ })),
  /** With taxes and currency, as the customer reads it: `14,52 €`. */
  amount: text,
});

export const helloReply = z.object({
  protocol: z.int(),
  addon_version: z.string(),
  odoo_version: z.string(),
  server_time: datetime,
  ...identity.shape,
  company: text,
  base_url: text,
  /** What would keep the bridge from working, in words for the admin: no outgoing mail server, no plan, … */
  warnings: z.array(z.string()),
});

/** What `resume` gives: daemon and master go on together. */
export const identityReply = identity.extend({ protocol: z.literal(PROTOCOL) });

export type Refusal = z.infer<typeof refusalReply>;
export type PlanRow = z.infer<typeof planRow>;
export type PurchaseRow = z.infer<typeof purchaseRow>;
export type InstanceRow = z.infer<typeof instanceRow>;
export type CommandRow = z.infer<typeof commandRow>;
export type PollReply = z.infer<typeof pollReply>;
export type LookReply = z.infer<typeof lookReply>;
export type RenewalReply = z.infer<typeof renewalReply>;
export type HelloReply = z.infer<typeof helloReply>;
