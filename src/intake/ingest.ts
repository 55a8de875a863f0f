/** Takes in what a poll of the master brought: facts into the store, new instances, work into the queue. */

import type { Command } from '../instance/command.js';
import { OPERATIONS } from '../instance/operations/operations.js';
import { PHASE } from '../instance/phase.js';
import type { Instance } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import type { Log } from '../lib/logger.js';
import type { MasterPurchase, Page, Rejected } from '../odoo/rows.js';
import { COMMANDS } from '../owed/commands.js';
import { commandOperation, logOperation } from '../owed/operations.js';
import { isStoreTrouble } from '../store/database.js';
import type { Store } from '../store/store.js';
import { fullKeyOf, isAnother } from '../subscription/identity.js';
import { isTakenBack } from '../subscription/parts.js';
import type { Policy, Purchase } from '../subscription/types.js';
import { createAssigner } from './assigner.js';
import { createProblems } from './problems.js';
import { recordTaker } from './records.js';

export interface IngestParts {
  store: Store;
  policy: Policy;
  /** Where a purchase may be for several instances: the one that expires first, instead of asking a person. */
  firstToExpire: boolean;
  clock: Clock;
  log: Log;
}

export interface Ingested {
  /** A plan became usable that purchases without an instance may wait for: read everything again. */
  needsFullPoll: boolean;
}

export type Ingest = ReturnType<typeof createIngest>;

export function createIngest({ store, policy, firstToExpire, clock, log }: IngestParts) {
  /** Purchases of the pages so far that are for no known instance; decided when the last page is in. */
  const undecided = new Map<string, MasterPurchase>();
  let pages = 0;
  const problems = createProblems(store, log);
  const assigner = createAssigner({ store, policy, firstToExpire, clock, log, problems });
  const takeRecord = recordTaker({ store, clock, log });

  /**
   * One page of a poll, in one commit.
   * @param full a page of a pass over everything.
   */
  function page(batch: Page, full: boolean): Ingested {
    pages++;
    try {
      const ingested = store.transaction(() => take(batch, full));
      if (full && !batch.more) problems.passEnded();
      return ingested;
    } catch (error) {
      problems.rolledBack();
      throw error;
    }
  }

  function take(batch: Page, full: boolean): Ingested {
    const newPlans = store.plans.save(batch.plans);
    for (const record of batch.instances) alone('instance', record.key, () => takeRecord(record, full));
    for (const purchase of batch.purchases) alone('purchase', purchase.key, () => takePurchase(purchase));
    if (!batch.more) {
      decide();
      // Every page lists them all; only now every instance is known.
      for (const command of batch.commands) alone('command', String(command.id), () => takeCommand(command));
    }
    for (const rejected of batch.rejected) problems.rejected(rejected);
    for (const id of newPlans) recheckPlan(id);
    return {
      needsFullPoll: !full && newPlans.length > 0 && store.purchases.unassigned().length > 0,
    };
  }

  function takePurchase(purchase: MasterPurchase): void {
    const known = store.purchases.get(purchase.key);
    const before = known && isAnother(known, purchase) ? null : known;
    if (known && !before) tellReissued(known, purchase);
    const { changedKeys, instanceKeys } = store.purchases.save([purchase]);
    for (const key of instanceKeys) {
      if (store.instances.get(key)) store.jobs.enqueue(key, { reason: 'a purchase changed' });
    }
    const instanceKey = store.purchases.get(purchase.key)?.instanceKey ?? null;
    const instance = instanceKey === null ? null : store.instances.get(instanceKey);
    if (!instance) undecided.set(purchase.key, purchase);
    else if (changedKeys.length === 0) return;
    else if (PHASE[instance.phase].gone) tellDeleted(purchase, instance);
    else if (isTakenBack(before, purchase)) {
      const line = `${purchase.document} was cancelled, given back or its payment taken back.`;
      store.outbox.put(logOperation(instance.key, clock(), [line]), instance.key);
      log.info('purchase.taken_back', line, { instance: instance.name, purchase: purchase.key });
    }
  }

  /** The master was restored from a backup, and gives the id to somebody else. */
  function tellReissued(former: Purchase, { key, document }: MasterPurchase): void {
    log.warn('purchase.reissued', `${document} has the id that ${former.document} had: both count, each for its own.`, {
      purchase: key,
      former: fullKeyOf(former),
    });
  }

  /** Gives the undecided purchases to instances, new ones where there is none. */
  function decide(): void {
    const byCustomer = new Map<number, MasterPurchase[]>();
    for (const purchase of undecided.values()) {
      byCustomer.set(purchase.customerId, [...(byCustomer.get(purchase.customerId) ?? []), purchase]);
    }
    undecided.clear();
    for (const purchases of byCustomer.values()) {
      const keys = purchases.map(({ key }) => key);
      alone('purchase', keys.join(', '), () => assigner.assign(purchases));
    }
  }

  /**
   * What cannot be taken in, for whatever reason, spoils nothing else: it is told, and taken in anew by the next full
   * pass. A store that cannot be written is no fault of it.
   */
  function alone(kind: Rejected['kind'], key: string, work: () => void): void {
    try {
      store.transaction(work);
    } catch (error) {
      if (isStoreTrouble(error)) throw error;
      problems.notTaken(kind, key, error);
    }
  }

  function takeCommand(command: Command): void {
    if (store.commands.add([command]).length === 0) return;
    const instance = store.instances.get(command.instanceKey);
    if (!instance || PHASE[instance.phase].gone) {
      store.commands.finish(command.id);
      store.outbox.put(
        commandOperation(command.id, 'refused', { code: 'instance_gone', params: {} }),
        command.instanceKey,
      );
      return;
    }
    const { changes, operation, isChosen, isBackup } = COMMANDS[command.command];
    store.instances.update(instance.key, changes(clock()));
    if (isBackup) {
      store.backups.exists(instance.key, clock());
      store.backups.lookAt(instance.key, clock());
    }
    if (operation) {
      store.operations.begin(instance.key, operation, 'command');
      const { chosen } = OPERATIONS[operation];
      if (isChosen && chosen) store.operations.advance({ instanceKey: instance.key, kind: operation }, chosen);
    }
    store.jobs.enqueue(instance.key, { reason: `${command.requestedBy} asked to ${command.command}` });
    log.info('command.received', `${command.requestedBy} asked to ${command.command} ${instance.name}.`, {
      instance: instance.name,
      command: command.id,
    });
  }

  /** Instances of a plan that changed are made as it says now. */
  function recheckPlan(planId: number): void {
    for (const key of store.instances.keysOfPlan(planId)) store.jobs.enqueue(key, { reason: 'the plan changed' });
  }

  /** News about a purchase of an instance that is gone: it matters where it would still run. */
  function tellDeleted({ key, document }: Purchase, instance: Instance): void {
    const { paidUntil } = assigner.statusOf(instance.key);
    if (paidUntil === null || paidUntil <= clock() || instance.hold === 'deleted') return;
    problems.deletedInstance(key, document, instance.name);
  }

  return {
    page,
    /** How many there were so far. */
    pages: () => pages,
  };
}
