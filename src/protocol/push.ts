/** What the daemon writes to the master: the operations of `push`, and how the addon answers them. */
import { z } from 'zod';
import type { Phase } from '../instance/phase.js';
import type { Hold } from '../instance/types.js';
import type { SubscriptionState } from '../subscription/types.js';
import { text } from './wire.js';

export const pushResult = z.object({
  key: z.string(),
  /** `duplicate`: this key had its effect before. `refused`: will never be accepted as it is; see message. */
  status: z.enum(['done', 'duplicate', 'refused']),
  message: text,
});

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
  state?: Phase;
  subscription_state?: SubscriptionState;
  hold?: Hold;
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
