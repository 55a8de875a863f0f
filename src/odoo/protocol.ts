/**
 * What the master's addon and the daemon say to each other, as schemas: the addon's model `saas.bridge` has three
 * methods, `hello`, `poll` and `push`, and everything that comes back is validated here before use.
 * XML-RPC has no null: an empty value is `false` on the wire and null here.
 */
import { z } from 'zod';

export const PROTOCOL = 1;

const emptyAsNull = (value: unknown) => (value === false || value === '' || value === undefined ? null : value);
const orNull = <T extends z.ZodType>(schema: T) => z.preprocess(emptyAsNull, schema.nullable());
const text = z.preprocess((value) => (value === false || value === undefined ? '' : value), z.string());
const id = z.int().positive();

/** Odoo's naive UTC text (`2026-11-22 12:00:00`) as a Date. */
const datetime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/, 'not an Odoo datetime')
  .transform((value) => new Date(`${value.replace(' ', 'T')}Z`));

export const periodUnit = z.enum(['hour', 'day', 'month', 'year']);

/** A product.template with `saas_plan` set. */
export const planRow = z.object({
  id,
  code: text,
  name: text,
  active: z.boolean(),
  period_count: z.int(),
  period_unit: orNull(periodUnit),
  cpu: z.number(),
  memory_mb: z.int(),
  storage_gb: z.int(),
  max_users: z.int(),
  /** Technical names, comma separated. */
  modules: text,
  grace_days: z.int(),
  retention_days: z.int(),
});

/** The person or company that buys. `id` is the commercial partner: all contacts of one company are one customer. */
export const customerRow = z.object({ id, name: text, contact_id: id, contact_name: text, email: text, lang: text });

/**
 * One thing bought: an order line (`sol:7`), an invoice line made without an order (`aml:9`) or a grant by staff
 * (`grant:3`). An invoice line made from an order line is never sent: the order line stands for both.
 */
export const purchaseRow = z.object({
  key: z.string().regex(/^(sol|aml|grant):\d+$/),
  state: z.enum(['open', 'cancelled']),
  /** What a person calls the document: S00042, INV/2026/00007. */
  document: text,
  order_id: orNull(id),
  invoice_ids: z.array(id),
  customer: customerRow,
  plan_id: id,
  quantity: z.number(),
  period_count: z.int(),
  period_unit: orNull(periodUnit),
  /** The instance this line is for, where the line says so. */
  instance_key: orNull(z.string()),
  /** The customer asked for one more instance, not for a renewal. */
  additional: z.boolean(),
  /** Confirmation of the order, payment of the invoice, date of the grant. */
  starts_on: datetime,
  paid_on: orNull(datetime),
});

export const instanceState = z.enum([
  'draft',
  'provisioning',
  'running',
  'suspended',
  'stopped',
  'error',
  'deleting',
  'deleted',
]);
export const subscriptionState = z.enum(['draft', 'active', 'expiring_soon', 'expired', 'cancelled']);

/** A `saas.instance` record as the master has it. */
export const instanceRow = z.object({
  id,
  key: z.string().min(1),
  name: text,
  customer: customerRow,
  plan_id: orNull(id),
  state: instanceState,
  /** What staff decided: `stopped` keeps it stopped though paid, until resumed. */
  hold: z.enum(['none', 'stopped', 'suspended']),
  started_on: orNull(datetime),
  paid_until: orNull(datetime),
  suspended_on: orNull(datetime),
  /** A person made the record and wants it provisioned (invoice button), or the daemon made it. */
  requested: z.boolean(),
});

export const commandRow = z.object({
  id,
  instance_key: z.string().min(1),
  command: z.enum(['start', 'stop', 'restart', 'retry']),
  requested_by: text,
});

export const pollReply = z.object({
  protocol: z.literal(PROTOCOL),
  /** Opaque: pass it to the next poll. */
  cursor: z.string().min(1),
  /** More rows wait: poll again at once with the new cursor. */
  more: z.boolean(),
  plans: z.array(z.unknown()),
  purchases: z.array(z.unknown()),
  instances: z.array(z.unknown()),
  commands: z.array(z.unknown()),
});

export const helloReply = z.object({
  protocol: z.int(),
  addon_version: z.string(),
  odoo_version: z.string(),
  server_time: datetime,
  database_uuid: text,
  company: text,
  base_url: text,
  /** What would keep the bridge from working, in words for the admin: no outgoing mail server, no plan, … */
  warnings: z.array(z.string()),
});

export const pushResult = z.object({
  key: z.string(),
  /** `duplicate`: this key had its effect before. `refused`: will never be accepted as it is; see message. */
  status: z.enum(['done', 'duplicate', 'refused']),
  message: text,
});

export type PlanRow = z.infer<typeof planRow>;
export type PurchaseRow = z.infer<typeof purchaseRow>;
export type InstanceRow = z.infer<typeof instanceRow>;
export type CommandRow = z.infer<typeof commandRow>;
export type PollReply = z.infer<typeof pollReply>;
export type HelloReply = z.infer<typeof helloReply>;
export type PushResult = z.infer<typeof pushResult>;

/** Values of a `saas.instance` that the daemon owns. Null clears; absent leaves. Dates are Odoo's naive UTC text. */
export interface InstanceValues {
  name?: string;
  customer_id?: number;
  contact_id?: number;
  plan_id?: number | null;
  order_id?: number | null;
  invoice_ids?: number[];
  /** Purchases served by this instance: the addon sets the link on their lines. */
  purchase_keys?: string[];
  state?: z.infer<typeof instanceState>;
  subscription_state?: z.infer<typeof subscriptionState>;
  hold?: 'none' | 'stopped' | 'suspended';
  url?: string | null;
  http_port?: number | null;
  longpolling_port?: number | null;
  started_on?: string | null;
  paid_until?: string | null;
  suspended_on?: string | null;
  last_payment_on?: string | null;
  odoo_container?: string | null;
  db_container?: string | null;
  error_message?: string | null;
  admin_login?: string | null;
  /** Temporary password of the instance's administrator. */
  admin_password?: string | null;
}

/** One write owed to the master. `key` makes it idempotent: the addon gives one effect for one key. */
export type PushOperation = { key: string } & (
  | { op: 'instance'; instance_key: string; values: InstanceValues }
  | { op: 'log'; instance_key: string; lines: string[] }
  | {
      op: 'notice';
      instance_key: string;
      notice: 'welcome' | 'suspended' | 'reactivated';
      to: string;
      contact_id: number;
      lang: string;
      subject: string;
      html: string;
      text: string;
    }
  | { op: 'problem'; purchase_key: string; message_en: string; message_es: string }
  | { op: 'command'; command_id: number; result: 'done' | 'refused' | 'failed'; message: string }
);
