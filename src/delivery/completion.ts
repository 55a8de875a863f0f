/** Puts into an outbox operation what the outbox does not keep: the first password, and the text of mails. */

import { type AddressOf, publicAddress } from '../facts/address.js';
import { isFirstPasswordKnown } from '../facts/first-password.js';
import { PHASE } from '../instance/phase.js';
import type { InstanceSecrets } from '../instance/secrets.js';
import { adminLogin } from '../instance/spec.js';
import type { Instance } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { RetryableError } from '../lib/errors.js';
import { type NoticeValues, renderNotice } from '../odoo/mail.js';
import { asksToPay, languageOf, WITHOUT_ADDRESS } from '../odoo/mail-values.js';
import type { Master } from '../odoo/master.js';
import type { NoticeDetails, PushOperation } from '../protocol/push.js';
import { areSecretsSet, readKnownKey } from '../store/known-key.js';
import type { Store } from '../store/store.js';
import { GB } from '../subscription/fit.js';
import { daysLeft } from '../subscription/timeline.js';
import type { Policy } from '../subscription/types.js';

export interface NoticeParts {
  store: Store;
  secretsOf(instanceKey: string): InstanceSecrets;
  master: Pick<Master, 'renewal'>;
  policy: Policy;
  clock: Clock;
  addressOf: AddressOf;
}

type NoticeOperation = Extract<PushOperation, { op: 'notice' }>;

/**
 * The operation as it is sent, made anew for every try: passwords are derived, never stored. Null when nobody is to get
 * it any more.
 */
export async function completeOperation(operation: PushOperation, parts: NoticeParts): Promise<PushOperation | null> {
  if (operation.op === 'instance' && operation.values.admin_login) {
    if (!areSecretsToday(operation.instance_key, parts)) {
      // It is owed again when they are set anew.
      const { admin_login: _, ...values } = operation.values;
      return { ...operation, values };
    }
    const password = parts.secretsOf(operation.instance_key).adminPassword.reveal();
    return { ...operation, values: { ...operation.values, admin_password: password } };
  }
  if (operation.op !== 'notice') return operation;
  const { details, ...notice } = operation;
  const values = details && (await valuesOf(notice, details, parts));
  if (!values) return null;
  // The address may have changed since the mail was owed.
  const to = parts.store.instances.get(notice.instance_key)?.customer.email || notice.to;
  return { ...notice, to, ...renderNotice(notice.notice, notice.lang, values) };
}

/** Its passwords derive from the key that the daemon has. */
function areSecretsToday(key: string, { store }: Pick<NoticeParts, 'store'>): boolean {
  const instance = store.instances.get(key);
  return instance === null || areSecretsSet(instance, readKnownKey(store.meta));
}

/** Null where the customer has one that nobody else knows. RetryableError `notice.password_pending` before it is set. */
function passwordFor(
  instance: Instance,
  { store, secretsOf }: Pick<NoticeParts, 'store' | 'secretsOf'>,
): string | null {
  if (!areSecretsToday(instance.key, { store })) {
    const message = `a mail is owed that brings the password of ${instance.name}, which is to be set anew: secret.key was replaced`;
    throw new RetryableError('notice.password_pending', message, 'It is sent when the instance has its new passwords.');
  }
  return isFirstPasswordKnown(store, instance) ? secretsOf(instance.key).adminPassword.reveal() : null;
}

async function valuesOf(
  { instance_key: key, notice, lang }: NoticeOperation,
  details: NoticeDetails,
  { store, secretsOf, master, policy, clock, addressOf }: NoticeParts,
): Promise<NoticeValues | null> {
  const instance = store.instances.get(key);
  if (!instance) return null;
  const url = publicAddress(addressOf, instance);
  if (url === null && !WITHOUT_ADDRESS.has(notice)) {
    if (PHASE[instance.phase].gone) return null;
    const message = `a mail is owed for ${instance.name}, which has no address at the moment`;
    throw new RetryableError('notice.no_address', message, 'It is sent when the instance has one again.');
  }
  const asks = asksToPay(notice, details.suspendReason ?? 'unpaid') && !PHASE[instance.phase].gone;
  const renewal = asks && !details.trial ? await master.renewal(key) : null;
  const end = dateOf(notice === 'deletion_warning' ? details.deleteOn : details.paidUntil);
  const size = (bytes: number | undefined) => (bytes === undefined ? null : gigabytes(bytes, lang));
  return {
    contactName: instance.customer.contactName,
    instanceName: instance.name,
    url,
    login: adminLogin(instance.customer),
    password: notice === 'welcome' ? passwordFor(instance, { store, secretsOf }) : null,
    planName: details.planName,
    trial: details.trial,
    paidUntil: dateOf(details.paidUntil),
    timeZone: policy.timeZone,
    companyName: instance.seller?.name ?? '',
    // A trial is not renewed: its customer chooses a plan.
    payUrl: details.trial ? shopOf(instance) : (renewal?.url ?? null),
    amount: renewal?.amount ?? null,
    daysLeft: end && daysLeft(clock(), end, policy),
    deleteOn: dateOf(details.deleteOn),
    exportKeptUntil: dateOf(details.exportKeptUntil),
    previousPlanName: details.previousPlanName ?? null,
    wantedPlanName: details.wantedPlanName ?? null,
    reason: details.refusal ?? null,
    suspendReason: details.suspendReason ?? null,
    storageUnread: details.storageUnread === true,
    storageUsed: size(details.storageUsedBytes),
    storageLimit: size(details.storageLimitBytes),
    graceUntil: dateOf(details.graceUntil),
    shopUrl: shopOf(instance),
  };
}

function shopOf({ seller }: Instance): string | null {
  const base = seller?.shopUrl ?? null;
  return base && new URL('/shop', base).href;
}

function dateOf(text: string | null | undefined): Date | null {
  return text ? new Date(text) : null;
}

/** `2,4 GB` as the reader writes it. */
function gigabytes(bytes: number, lang: string): string {
  const format = new Intl.NumberFormat(languageOf(lang), { maximumFractionDigits: 1 });
  return `${format.format(bytes / GB)} GB`;
}
