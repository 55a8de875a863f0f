/**
 * What the master's addon and the daemon say to each other, as schemas: the addon's model `saas.bridge` has four
 * methods, `hello`, `poll`, `renewal` and `push`, and everything that comes back is validated here before use.
 * XML-RPC has no null: an empty value is `false` on the wire and null here.
 */
import { z } from 'zod';

export const PROTOCOL = 2;

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
  /** The name in each installed language, by Odoo's code. */
  names: z.record(z.string(), text).default({}),
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
  /** Free, and once for each customer. */
  trial: z.boolean(),
});

/** The person or company that buys. `id` is the commercial partner: all contacts of one company are one customer. */
export const customerRow = z.object({ id, name: text, contact_id: id, contact_name: text, email: text, lang: text });

/**
 * One thing bought: an order line (`sol:7`), an invoice line made without an order (`aml:9`) or a grant by staff
 * (`grant:3`). An invoice line made from an order line is never sent: the order line stands for both.
 */
export const purchaseRow = z.object({
  key: z.string().regex(/^(sol|aml|grant):\d+$/),
  /** `pending`: not confirmed, and a payment of it is on its way. Counts for nothing but holds off the suspension. */
  state: z.enum(['open', 'pending', 'cancelled']),
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
  /** The name and the language (`es_ES`) that the buyer chose for a new instance; empty: none. */
  wanted_name: text,
  wanted_lang: text,
  /** What one unit (one period) was sold for: net of taxes and discounts, in the company's currency. */
  unit_price: z.number(),
  /** What one unit costs without a discount, likewise; as it was when the line was made. */
  list_price: z.number(),
  /** It is of another plan and that change was refused: its value extends the plan that the instance has. */
  keep_plan: z.boolean(),
  /** Since when a payment of it is pending or authorized and has not arrived. */
  pending_since: orNull(datetime),
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
  /** What staff decided: `stopped` keeps it stopped though paid, until resumed; `deleted` is for good. */
  hold: z.enum(['none', 'stopped', 'suspended', 'deleted']),
  started_on: orNull(datetime),
  paid_until: orNull(datetime),
  suspended_on: orNull(datetime),
  /** Since when it has used more storage than its plan has. */
  storage_over_since: orNull(datetime),
  /** A person made the record and wants it provisioned (invoice button), or the daemon made it. */
  requested: z.boolean(),
});

/** `extend` and `change_plan`: the addon grants the time or the plan when the daemon answers `done`. */
export const commandName = z.enum([
  'start',
  'stop',
  'restart',
  'suspend',
  'resume',
  'extend',
  'change_plan',
  'rebuild',
  'delete',
  'retry',
]);

export const commandRow = z.object({
  id,
  instance_key: z.string().min(1),
  command: commandName,
  requested_by: text,
  /** For `change_plan`. */
  plan_id: orNull(id),
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
export type CommandName = z.infer<typeof commandName>;
export type CommandRow = z.infer<typeof commandRow>;
export type PollReply = z.infer<typeof pollReply>;
export type RenewalReply = z.infer<typeof renewalReply>;
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
  hold?: 'none' | 'stopped' | 'suspended' | 'deleted';
  url?: string | null;
  http_port?: number | null;
  longpolling_port?: number | null;
  started_on?: string | null;
  paid_until?: string | null;
  suspended_on?: string | null;
  last_payment_on?: string | null;
  /** When it will be deleted if nobody pays; null while it is not to be. */
  delete_on?: string | null;
  /** Active internal users. */
  users_used?: number;
  /** Database and files. */
  storage_used_mb?: number;
  /** Technical names of the installed modules, comma separated. */
  modules_installed?: string;
  measured_on?: string | null;
  storage_over_since?: string | null;
  odoo_container?: string | null;
  db_container?: string | null;
  error_message?: string | null;
  admin_login?: string | null;
  /** Temporary password of the instance's administrator. */
  admin_password?: string | null;
}

/** The e-mails a customer gets. */
export const NOTICES = [
  'welcome',
  'reminder',
  'renewed',
  'plan_changed',
  'plan_refused',
  'suspended',
  'reactivated',
  'storage_over',
  'rebuilt',
  'deletion_warning',
  'deleted',
] as const;
export type Notice = (typeof NOTICES)[number];

/** What the text of a mail is made of, as it was when the mail was owed. Dates are ISO text. */
export interface NoticeDetails {
  /** Its plan is a free trial. */
  trial: boolean;
  planName: string;
  paidUntil: string | null;
  /** When the data goes: for a suspended instance, a warning, a deletion done. */
  deleteOn: string | null;
  suspendReason?: 'unpaid' | 'taken_back' | 'storage' | 'staff';
  previousPlanName?: string;
  wantedPlanName?: string;
  /** Why a plan was refused. */
  refusal?: { en: string; es: string };
  storageUsedBytes?: number;
  storageLimitBytes?: number;
  graceUntil?: string;
  exportKeptUntil?: string | null;
}

/** One write owed to the master. `key` makes it idempotent: the addon gives one effect for one key. */
export type PushOperation = { key: string } & (
  | { op: 'instance'; instance_key: string; values: InstanceValues }
  | { op: 'log'; instance_key: string; lines: string[] }
  | {
      op: 'notice';
      instance_key: string;
      notice: Notice;
      to: string;
      contact_id: number;
      lang: string;
      subject: string;
      html: string;
      text: string;
      /** Kept in the outbox only: never sent. */
      details?: NoticeDetails;
    }
  /** For the salesperson of a purchase; `keep_plan` marks its line: see purchaseRow. */
  | { op: 'problem'; purchase_key: string; message_en: string; message_es: string; keep_plan?: true }
  /** A to-do for a manager on an instance. */
  | { op: 'alert'; instance_key: string; message_en: string; message_es: string }
  /** A message to all managers. */
  | { op: 'summary'; message_en: string; message_es: string }
  | {
      op: 'command';
      command_id: number;
      result: 'done' | 'refused' | 'failed';
      message_en: string;
      message_es: string;
    }
);
