/** What the master is told: writes for the outbox, built from the facts. Pure. */
import { randomUUID } from 'node:crypto';
import { DateTime } from 'luxon';
import type { Facts } from '../facts/facts.js';
import type { Instance } from '../instance/types.js';
import type { InstanceValues, Notice, NoticeDetails, PushOperation } from '../protocol/push.js';
import { toOdooTime } from '../protocol/time.js';
import { storageBytes } from '../subscription/fit.js';

/** Where an instance is reached and what it is made of. */
export interface Endpoint {
  url: string;
  httpPort: number;
  longpollingPort: number;
  odooContainer: string;
  dbContainer: string;
}

/** A sentence for people, in both languages. */
export interface Message {
  en: string;
  es: string;
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
    purchase_keys: purchases.map((purchase) => purchase.key),
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
  };
  return { op: 'instance', key: `instance:${instance.key}`, instance_key: instance.key, values };
}

/** What it uses, and nothing else. */
export function usageOperation(instance: Instance): PushOperation {
  const { key } = instance;
  return { op: 'instance', key: `instance:${key}`, instance_key: key, values: usageValues(instance) };
}

/** The night in one message to the managers. */
export function summaryOperation(midnight: Date, counts: Record<string, number>, timeZone: string): PushOperation {
  const date = DateTime.fromJSDate(midnight, { zone: timeZone });
  const say = (words: Record<string, string>) =>
    Object.entries(counts)
      .map(([what, number]) => `${words[what] ?? what} ${number}`)
      .join(', ');
  return {
    op: 'summary',
    key: `summary:${date.toISODate()}`,
    message_en: `Night of ${date.setLocale('en').toLocaleString(DateTime.DATE_FULL)}: ${say({})}.`,
    message_es: `Noche del ${date.setLocale('es').toLocaleString(DateTime.DATE_FULL)}: ${say(SPANISH)}.`,
  };
}

const SPANISH: Record<string, string> = {
  suspended: 'suspendidas',
  reminded: 'recordatorios',
  warned: 'avisos de borrado',
  deleted: 'eliminadas',
  failed: 'con error',
};

function usageValues({ usage, measuredAt, storageOverSince }: Instance): InstanceValues {
  if (!usage) return {};
  return {
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
export function problemOperation(
  purchaseKey: string,
  code: string,
  { en, es }: Message,
  keepPlan = false,
): PushOperation {
  return {
    op: 'problem',
    key: `problem:${purchaseKey}:${code}`,
    purchase_key: purchaseKey,
    message_en: en,
    message_es: es,
    ...(keepPlan ? { keep_plan: true } : {}),
  };
}

/** Told to the salesperson when something cannot be done without a person. */
export function failureOperation({ name, startedAt }: Instance, purchaseKey: string, message: string): PushOperation {
  const isNew = startedAt === null;
  return problemOperation(purchaseKey, 'failed', {
    en: isNew
      ? `The instance ${name} could not be made: ${message}`
      : `The instance ${name} needs a person: ${message}`,
    es: isNew
      ? `No se ha podido crear la instancia ${name}: ${message}`
      : `La instancia ${name} necesita a una persona: ${message}`,
  });
}

/** Told to the salesperson when there is nobody to send the password to. */
export function noEmailOperation({ name }: Instance, purchaseKey: string): PushOperation {
  return problemOperation(purchaseKey, 'no-email', {
    en: `${name} is running, but the customer has no e-mail address: give them the address and password shown on the instance.`,
    es: `${name} está en marcha, pero el cliente no tiene correo electrónico: entréguele la dirección y la contraseña que muestra la instancia.`,
  });
}

/** A to-do for a manager; once for each instance and `code`. */
export function alertOperation({ key }: Instance, code: string, { en, es }: Message): PushOperation {
  return { op: 'alert', key: `alert:${key}:${code}`, instance_key: key, message_en: en, message_es: es };
}

export function commandOperation(
  commandId: number,
  result: 'done' | 'refused' | 'failed',
  { en, es }: Message,
): PushOperation {
  return { op: 'command', key: `command:${commandId}`, command_id: commandId, result, message_en: en, message_es: es };
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
