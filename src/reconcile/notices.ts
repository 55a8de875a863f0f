/** Puts into an outbox operation what the outbox does not keep: the first password, and the text of mails. */
import type { Config } from '../config.js';
import type { Instances } from '../docker/instances.js';
import { adminLogin } from '../docker/spec.js';
import { TerminalError } from '../errors.js';
import { renderNotice } from '../odoo/mail.js';
import type { PushOperation } from '../odoo/protocol.js';
import type { Store } from '../store/store.js';
import { SELLER } from './poller.js';
import { readFacts } from './reconciler.js';

export interface NoticeParts {
  store: Store;
  instances: Pick<Instances, 'secrets'>;
  policy: Config['policy'];
  urlOf(name: string, slot: number): string;
}

/** The operation as it is sent. Made anew for every try: passwords are derived, never stored. */
export function completeOperation(operation: PushOperation, parts: NoticeParts): PushOperation {
  if (operation.op === 'instance' && operation.values.admin_login) {
    const password = parts.instances.secrets({ key: operation.instance_key }).adminPassword.reveal();
    return { ...operation, values: { ...operation.values, admin_password: password } };
  }
  return operation.op === 'notice' ? { ...operation, ...mailOf(operation, parts) } : operation;
}

function mailOf(
  { instance_key: key, notice, lang }: Extract<PushOperation, { op: 'notice' }>,
  { store, instances, policy, urlOf }: NoticeParts,
) {
  const facts = readFacts(store, policy, key, new Date());
  if (!facts || facts.instance.slot === null) {
    throw new TerminalError('notice.no_instance', `a mail is owed for ${key}, which is gone`, 'Nothing to do.');
  }
  const { instance, plan, status } = facts;
  return renderNotice(notice, lang, {
    contactName: instance.customer.contactName,
    instanceName: instance.name,
    url: urlOf(instance.name, instance.slot ?? 0),
    login: adminLogin(instance.customer),
    password: notice === 'welcome' ? instances.secrets({ key }).adminPassword.reveal() : null,
    planName: plan.name,
    paidUntil: status.paidUntil,
    timeZone: policy.timeZone,
    companyName: store.meta.get(SELLER) ?? '',
  });
}
