/** Puts into an outbox operation what the outbox does not keep: the first password, and the text of mails. */

import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { Instances } from '../docker/instances.js';
import { adminLogin } from '../docker/spec.js';
import { RetryableError } from '../errors.js';
import { renderNotice } from '../odoo/mail.js';
import type { PushOperation } from '../odoo/protocol.js';
import type { Store } from '../store/store.js';
import { readFacts } from './facts.js';
import { SELLER } from './poller.js';

export interface NoticeParts {
  store: Store;
  instances: Pick<Instances, 'secrets'>;
  policy: Config['policy'];
  clock: Clock;
  urlOf(name: string, slot: number): string;
}

/**
 * The operation as it is sent, made anew for every try: passwords are derived, never stored. Null when nobody is to get
 * it any more.
 */
export function completeOperation(operation: PushOperation, parts: NoticeParts): PushOperation | null {
  if (operation.op === 'instance' && operation.values.admin_login) {
    const password = parts.instances.secrets({ key: operation.instance_key }).adminPassword.reveal();
    return { ...operation, values: { ...operation.values, admin_password: password } };
  }
  if (operation.op !== 'notice') return operation;
  const mail = mailOf(operation, parts);
  return mail && { ...operation, ...mail };
}

function mailOf(
  { instance_key: key, notice, lang }: Extract<PushOperation, { op: 'notice' }>,
  { store, instances, policy, clock, urlOf }: NoticeParts,
) {
  const facts = readFacts(store, policy, key, clock());
  if (!facts) return null;
  const { instance, plan, status } = facts;
  if (instance.slot === null) {
    const message = `a mail is owed for ${instance.name}, which has no address at the moment`;
    throw new RetryableError('notice.no_address', message, 'It is sent when the instance has one again.');
  }
  return renderNotice(notice, lang, {
    contactName: instance.customer.contactName,
    instanceName: instance.name,
    url: urlOf(instance.name, instance.slot),
    login: adminLogin(instance.customer),
    password: notice === 'welcome' ? instances.secrets({ key }).adminPassword.reveal() : null,
    planName: plan.name,
    paidUntil: status.paidUntil,
    timeZone: policy.timeZone,
    companyName: store.meta.get(SELLER) ?? '',
  });
}
