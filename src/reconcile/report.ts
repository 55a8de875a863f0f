/** What the master is told: writes for the outbox, built from the facts. Pure. */
import { randomUUID } from 'node:crypto';
import type { Instance } from '../instance/types.js';
import type { InstanceValues, PushOperation } from '../odoo/protocol.js';
import { toOdooTime } from '../odoo/time.js';
import type { Purchase, SubscriptionStatus } from '../subscription/types.js';

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
  status: SubscriptionStatus,
  purchases: Purchase[],
  endpoint: Endpoint | null,
): PushOperation {
  const open = purchases.filter((purchase) => purchase.state === 'open');
  const values: InstanceValues = {
    name: instance.name,
    customer_id: instance.customer.id,
    contact_id: instance.customer.contactId,
    plan_id: status.planId ?? instance.planId,
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
    error_message: instance.errorMessage,
  };
  return { op: 'instance', key: `instance:${instance.key}`, instance_key: instance.key, values };
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
export function problemOperation(purchaseKey: string, code: string, en: string, es: string): PushOperation {
  return {
    op: 'problem',
    key: `problem:${purchaseKey}:${code}`,
    purchase_key: purchaseKey,
    message_en: en,
    message_es: es,
  };
}

/** Told to the salesperson when an instance cannot be made without a person. */
export function failureOperation({ name }: Instance, purchaseKey: string, message: string): PushOperation {
  return problemOperation(
    purchaseKey,
    'failed',
    `The instance ${name} could not be made: ${message}`,
    `No se ha podido crear la instancia ${name}: ${message}`,
  );
}

/** Told to the salesperson when there is nobody to send the password to. */
export function noEmailOperation({ name }: Instance, purchaseKey: string): PushOperation {
  return problemOperation(
    purchaseKey,
    'no-email',
    `${name} is running, but the customer has no e-mail address: give them the address and password shown on the instance.`,
    `${name} está en marcha, pero el cliente no tiene correo electrónico: entréguele la dirección y la contraseña que muestra la instancia.`,
  );
}

export function commandOperation(
  commandId: number,
  result: 'done' | 'refused' | 'failed',
  message: string,
): PushOperation {
  return { op: 'command', key: `command:${commandId}`, command_id: commandId, result, message };
}

function orNull(date: Date | null): string | null {
  return date ? toOdooTime(date) : null;
}

/** A mail to the customer, once for each kind and paid period; its text is made when it is sent. */
export function noticeOperation(
  { key, customer }: Instance,
  notice: 'welcome' | 'suspended' | 'reactivated',
  paidUntil: Date | null,
  purchases: Purchase[],
): PushOperation {
  // Without paid time (all was taken back) the newest purchase stands for the period.
  const newest = purchases.toSorted((a, b) => a.startsOn.getTime() - b.startsOn.getTime()).at(-1);
  const period = paidUntil?.toISOString() ?? newest?.key ?? '-';
  return {
    op: 'notice',
    key: notice === 'welcome' ? `notice:welcome:${key}` : `notice:${notice}:${key}:${period}`,
    instance_key: key,
    notice,
    to: customer.email,
    contact_id: customer.contactId,
    lang: customer.lang,
    subject: '',
    html: '',
    text: '',
  };
}
