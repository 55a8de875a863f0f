/** What the master is told: writes for the outbox, built from the facts. Pure. */
import { randomUUID } from 'node:crypto';
import { DateTime } from 'luxon';
import type { Facts } from '../facts/facts.js';
import type { Instance } from '../instance/types.js';
import type { InstanceValues, Notice, NoticeDetails, PushOperation } from '../protocol/push.js';
import type { Sentence } from '../protocol/sentences.js';
import { toOdooTime } from '../protocol/time.js';
import { storageBytes } from '../subscription/fit.js';
import { fullKeyOf } from '../subscription/identity.js';

/** Where an instance is reached and what it is made of. */
export interface Endpoint {
  url: string;
  httpPort: number;
  longpollingPort: number;
  odooContainer: string;
  dbContainer: string;
}

/** The record as it should be. All values every time: the addon writes only what differs. */
export function instanceOperation(
  instance: Instance,
  { status, plan, purchases, decision }: Facts,
  endpoint: Endpoint | null,
): PushOperation {
  const open = purchases.filter((purchase) => purchase.state === 'open');
  const values: InstanceValues = {
    name: instance.name,
    customer_id: instance.customer.id,
    contact_id: instance.customer.contactId,
    plan_id: plan.id,
    order_id: instance.orderId,
    invoice_ids: [...new Set(open.flatMap((purchase) => purchase.invoiceIds))],
    purchase_keys: purchases.map(fullKeyOf),
    ...(instance.customer.createdOn && { customer_created_on: toOdooTime(new Date(instance.customer.createdOn)) }),
    state: instance.phase,
    subscription_state: instance.startedAt ? status.state : 'draft',
    hold: instance.hold,
    url: endpoint?.url ?? null,
    http_port: endpoint?.httpPort ?? null,
    longpolling_port: endpoint?.longpollingPort ?? null,
    odoo_container: endpoint?.odooContainer ?? null,
    db_container: endpoint?.dbContainer ?? null,
    started_on: orNull(instance.startedAt),
    paid_until: orNull(status.paidUntil),
    suspended_on: orNull(instance.suspendedAt),
    last_payment_on: orNull(status.lastPaymentOn),
    delete_on: orNull(instance.phase === 'suspended' ? (decision.deletion?.at ?? null) : null),
    ...usageValues(instance),
    error_message: instance.errorMessage,
    asleep_since: orNull(instance.asleepSince),
  };
  return { op: 'instance', key: `instance:${instance.key}`, instance_key: instance.key, values };
}

/** The end of an instance once more, for a record that says something else: the master was restored. */
export function goneOperation({ key, name, customer, phase }: Instance): PushOperation {
  const gone = { url: null, http_port: null, longpolling_port: null, odoo_container: null, db_container: null };
  const values = { name, customer_id: customer.id, contact_id: customer.contactId, state: phase, ...gone };
  return { op: 'instance', key: `instance:${key}`, instance_key: key, values };
}

/** What it uses, and nothing else. */
export function usageOperation(instance: Instance): PushOperation {
  const { key } = instance;
  return { op: 'instance', key: `instance:${key}`, instance_key: key, values: usageValues(instance) };
}

/** What was done in a night. */
export type NightCounts = Record<
  'suspended' | 'reminded' | 'warned' | 'deleted' | 'failed' | 'backed_up' | 'not_backed_up' | 'not_whole',
  number
>;

/** The night in one message to the managers. */
export function summaryOperation(midnight: Date, counts: NightCounts, timeZone: string): PushOperation {
  const day = localDay(midnight, timeZone);
  return { op: 'summary', key: `summary:${day}`, message: { code: 'night_with_backups', params: { day, ...counts } } };
}

/** The day of the calendar of a time zone: `2026-01-16`. */
export function localDay(date: Date, timeZone: string): string {
  return DateTime.fromJSDate(date, { zone: timeZone }).toFormat('yyyy-MM-dd');
}

function usageValues({ usage, measuredAt, storageOverSince, startedAt }: Instance): InstanceValues {
  if (!usage) return {};
  const loggedInAt = usage.loggedInAt === undefined ? null : new Date(usage.loggedInAt);
  // Before that the daemon itself tried the login.
  const isUsed = loggedInAt !== null && startedAt !== null && loggedInAt > startedAt;
  return {
    ...(isUsed && { first_login_on: orNull(loggedInAt) }),
    users_used: usage.users,
    storage_used_mb: Math.round(storageBytes(usage) / 1024 ** 2),
    modules_installed: usage.modules.join(','),
    measured_on: orNull(measuredAt),
    storage_over_since: orNull(storageOverSince),
  };
}

/** Lines for the record's log, each with its UTC time. */
export function logOperation(instanceKey: string, now: Date, lines: string[]): PushOperation {
  const stamp = toOdooTime(now);
  return {
    op: 'log',
    key: `log:${randomUUID()}`,
    instance_key: instanceKey,
    lines: lines.map((line) => `${stamp} ${line}`),
  };
}

/** Something staff must know about a purchase; once for each purchase and kind of problem. */
export function purchaseTodo(purchaseKey: string, kind: string, message: Sentence, keepPlan = false): PushOperation {
  return {
    op: 'todo',
    key: `todo:${purchaseKey}:${kind}`,
    purchase_key: purchaseKey,
    message,
    ...(keepPlan ? { keep_plan: true } : {}),
  };
}

/** Told to the salesperson when something cannot be done without a person; once for each time that it began to fail. */
export function failureOperation(
  { name: instance, startedAt }: Instance,
  purchaseKey: string,
  since: Date,
  reason: string,
): PushOperation {
  const code = startedAt === null ? 'instance_not_made' : 'instance_stuck';
  return purchaseTodo(purchaseKey, `failed:${since.toISOString()}`, { code, params: { instance, reason } });
}

/** Told to the salesperson when there is nobody to send the password to. */
export function noEmailOperation({ name }: Instance, purchaseKey: string): PushOperation {
  return purchaseTodo(purchaseKey, 'no-email', { code: 'customer_without_email', params: { instance: name } });
}

/** A to-do for a manager; once for each instance and `kind`. */
export function instanceTodo({ key }: Instance, kind: string, message: Sentence): PushOperation {
  return { op: 'todo', key: `todo:${key}:${kind}`, instance_key: key, message };
}

export function commandOperation(
  commandId: number,
  result: 'done' | 'refused' | 'failed',
  message: Sentence,
): PushOperation {
  return { op: 'command', key: `command:${commandId}`, command_id: commandId, result, message };
}

/** A mail to the customer, once for each kind and `period`; its text is made when it is sent. */
export function noticeOperation(
  { key, customer }: Instance,
  notice: Notice,
  period: string,
  details: NoticeDetails,
): PushOperation {
  return {
    op: 'notice',
    key: period === '' ? `notice:${notice}:${key}` : `notice:${notice}:${key}:${period}`,
    instance_key: key,
    notice,
    to: customer.email,
    contact_id: customer.contactId,
    lang: customer.lang,
    subject: '',
    html: '',
    text: '',
    details,
  };
}

function orNull(date: Date | null): string | null {
  return date ? toOdooTime(date) : null;
}
