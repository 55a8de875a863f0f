/** Takes in the instance records of the master: whose an instance is today, and what staff made. */
import { isValidName, suggestName } from '../instance/naming.js';
import { PHASE } from '../instance/phase.js';
import { UNTOUCHED } from '../instance/untouched.js';
import type { Clock } from '../lib/clock.js';
import type { Log } from '../lib/logger.js';
import type { InstanceRecord } from '../odoo/rows.js';
import { goneOperation } from '../owed/operations.js';
import type { Store } from '../store/store.js';

export interface RecordParts {
  store: Store;
  clock: Clock;
  log: Log;
}

/** @returns what takes one record; `full` in a pass over everything. */
export function recordTaker({ store, clock, log }: RecordParts) {
  return function takeRecord(record: InstanceRecord, full: boolean): void {
    take(record, full);
    const instance = store.instances.get(record.key);
    if (instance && record.domains) store.domains.want(record.key, PHASE[instance.phase].gone ? [] : record.domains);
  };

  /** A record the store does not know is one that staff made, or one from before the store was lost. */
  function take(record: InstanceRecord, full: boolean): void {
    const known = store.instances.get(record.key);
    if (known) {
      // While it is being made its administrator's login is the e-mail it was begun with.
      const settled = known.startedAt !== null || known.placement === null;
      const customer = settled ? record.customer : { ...known.customer, id: record.customer.id };
      if (known.bornAt === null && record.createdOn) store.instances.update(record.key, { bornAt: record.createdOn });
      const told = { customer, seller: record.seller };
      if (JSON.stringify({ customer: known.customer, seller: known.seller }) !== JSON.stringify(told)) {
        store.instances.update(record.key, told);
        // Its Odoo sends its administrator there.
        if (known.seller && known.seller.shopUrl !== record.seller?.shopUrl) {
          store.jobs.enqueue(record.key, { reason: 'the shop has another address' });
        }
      }
      if (!full || record.phase === known.phase) return;
      if (PHASE[known.phase].gone) store.outbox.put(goneOperation(known), known.key);
      else store.jobs.enqueue(record.key, { reason: 'the record differs' });
      return;
    }
    if (!record.requested || record.planId === null) return;
    const instance = {
      ...UNTOUCHED,
      key: record.key,
      customer: record.customer,
      seller: record.seller,
      planId: record.planId,
      document: record.name,
      orderId: null,
      hold: record.hold,
      phase: record.phase,
      createdAt: clock(),
      bornAt: record.createdOn ?? null,
      startedAt: record.startedAt,
      suspendedAt: record.suspendedAt,
      storageOverSince: record.storageOverSince,
      toldPaidUntil: record.paidUntil,
      toldDeleteAt: record.deleteAt ?? null,
    };
    if (PHASE[record.phase].gone) {
      // Its purchases must find it, lest they make it anew.
      const name = isValidName(record.name) ? record.name : suggestName(record.name, () => false);
      store.instances.upsert({ ...instance, name, placement: null });
      return;
    }
    const made = store.instances.create(instance, (attempt) =>
      attempt === 1 && isValidName(record.name)
        ? record.name
        : suggestName(record.name, (name) => store.instances.isTaken(name)),
    );
    store.jobs.enqueue(record.key, { reason: 'a record of the master' });
    log.info('instance.adopted', `${made.name} was read from the master's records.`, { instance: made.name });
  }
}
