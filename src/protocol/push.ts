/** What the daemon writes to the master: the operations of `push`, and how the addon answers them. */
import { z } from 'zod';
import { PHASES } from '../instance/phase.js';
import { HOLDS } from '../instance/types.js';
import { SUBSCRIPTION_STATES } from '../subscription/types.js';
import { domainReport } from './domains.js';
import { sentence } from './sentences.js';
import { id, moment, text } from './wire.js';

export const pushResult = z.object({
  key: z.string(),
  /** `duplicate`: this key had its effect before. `refused`: will never be accepted as it is; see message. */
  status: z.enum(['done', 'duplicate', 'refused']),
  message: text,
});

export type PushResult = z.infer<typeof pushResult>;

/** Values of a `saas.instance` that the daemon owns. Null clears; absent leaves. */
const instanceValues = z
  .strictObject({
    name: z.string(),
    customer_id: id,
    /** When the customer's record was made: a new instance is given to no other. */
    customer_created_on: moment,
    contact_id: id,
    plan_id: id.nullable(),
    order_id: id.nullable(),
    invoice_ids: z.array(id),
    /**
     * Purchases served by this instance: the addon sets the link on their lines. `sol:7.1768478400` is the line 7 that was
     * made then, and no other.
     */
    purchase_keys: z.array(z.string()),
    state: z.enum(PHASES),
    subscription_state: z.enum(SUBSCRIPTION_STATES),
    hold: z.enum(HOLDS),
    url: z.string().nullable(),
    http_port: z.int().nullable(),
    longpolling_port: z.int().nullable(),
    started_on: moment.nullable(),
    paid_until: moment.nullable(),
    suspended_on: moment.nullable(),
    last_payment_on: moment.nullable(),
    /** When it will be deleted if nobody pays; null while it is not to be. */
    delete_on: moment.nullable(),
    /** Active internal users. */
    users_used: z.int(),
    /** Database and files. */
    storage_used_mb: z.number(),
    /** Technical names of the installed modules, comma separated. */
    modules_installed: z.string(),
    /** Since when it is down until somebody visits it; its state is `running`. */
    asleep_since: moment.nullable(),
    measured_on: moment.nullable(),
    storage_over_since: moment.nullable(),
    /** The host that a CNAME of theirs leads to, and the addresses for an A or AAAA record. */
    domain_target: z.string(),
    domain_addresses: z.string(),
    /** How the names are doing that the master has told of. */
    domains: z.array(domainReport),
    odoo_container: z.string().nullable(),
    db_container: z.string().nullable(),
    error_message: z.string().nullable(),
    /** When the last backup was made, of how much, and why the last try has failed. */
    backup_on: moment.nullable(),
    backup_mb: z.number(),
    backup_error: z.string().nullable(),
    /** Of all backups that there are, the newest first, comma separated. */
    backup_moments: z.string(),
    /** When one was last restored on trial and found whole, and why the last trial has failed. */
    backup_proven_on: moment.nullable(),
    backup_proof_error: z.string().nullable(),
    admin_login: z.string().nullable(),
    /** Temporary password of the instance's administrator. */
    admin_password: z.string().nullable(),
    /** When the customer was first seen to have logged in: the password is no longer needed. */
    first_login_on: moment.nullable(),
  })
  .partial();
export type InstanceValues = z.infer<typeof instanceValues>;

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
  /** It counts as over its storage because it could not be measured. */
  storageUnread?: true;
  storageUsedBytes?: number;
  storageLimitBytes?: number;
  graceUntil?: string;
  exportKeptUntil?: string | null;
}

const key = z.string().min(1);
const instance_key = z.string().min(1);

const instanceOperation = z.strictObject({ op: z.literal('instance'), key, instance_key, values: instanceValues });
/** Lines for the record's log, in English. */
const logOperation = z.strictObject({ op: z.literal('log'), key, instance_key, lines: z.array(z.string()) });
const noticeOperation = z.strictObject({
  op: z.literal('notice'),
  key,
  instance_key,
  notice: z.enum(NOTICES),
  to: z.string(),
  contact_id: id,
  lang: z.string(),
  subject: z.string(),
  html: z.string(),
  text: z.string(),
});
/**
 * What a person has to see to: the salesperson of the purchase, or a manager where it is about an instance; one of the
 * two keys is there. `keep_plan` marks the line of the purchase: see purchaseRow.
 */
const todoOperation = z.strictObject({
  op: z.literal('todo'),
  key,
  purchase_key: z.string().optional(),
  instance_key: instance_key.optional(),
  message: sentence,
  keep_plan: z.literal(true).optional(),
});
/** A message to all managers. */
const summaryOperation = z.strictObject({ op: z.literal('summary'), key, message: sentence });
const commandOperation = z.strictObject({
  op: z.literal('command'),
  key,
  command_id: id,
  result: z.enum(['done', 'refused', 'failed']),
  message: sentence,
});

export const pushOperation = z.discriminatedUnion('op', [
  instanceOperation,
  logOperation,
  noticeOperation,
  todoOperation,
  summaryOperation,
  commandOperation,
]);
type Sent = z.infer<typeof pushOperation>;

/** One write owed to the master. `key` makes it idempotent: the addon gives one effect for one key. */
export type PushOperation =
  | Exclude<Sent, { op: 'notice' }>
  /** The details are kept in the outbox only: never sent. */
  | (Extract<Sent, { op: 'notice' }> & { details?: NoticeDetails });
