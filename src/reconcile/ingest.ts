/** Takes in what a poll of the master brought: facts into the store, new instances, work into the queue. */
import type { Clock } from '../clock.js';
import { isValidName, suggestName } from '../instance/naming.js';
import type { Instance } from '../instance/types.js';
import type { Log } from '../logger.js';
import type { Command, InstanceRecord, MasterPurchase, PollBatch, Rejected } from '../odoo/rows.js';
import type { Store } from '../store/store.js';
import { assignPurchases } from '../subscription/assign.js';
import { commandOperation, problemOperation } from './report.js';

export interface IngestParts {
  store: Store;
  clock: Clock;
  log: Log;
}

export interface Ingested {
  /** Plans are new or say something else. */
  plansChanged: boolean;
  /** A plan became usable that purchases without an instance may wait for: read everything again. */
  needsFullPoll: boolean;
}

export type Ingest = ReturnType<typeof createIngest>;

export function createIngest({ store, clock, log }: IngestParts) {
  /** Purchases of the pages so far that are for no known instance; decided when the last page is in. */
  const undecided = new Map<string, MasterPurchase>();
  /** Problems already told; one that a full pass does not meet is over. The addon tells each only once anyhow. */
  let told = new Set<string>();
  /** Those met since the last full pass ended. */
  let met = new Set<string>();

  /**
   * One page of a poll, in one commit.
   * @param full a page of a pass over everything.
   */
  function page(batch: PollBatch, full: boolean): Ingested {
    try {
      const ingested = store.transaction(() => take(batch, full));
      if (full && !batch.more) forgetOver();
      return ingested;
    } catch (error) {
      // What was to be told is rolled back with the rest.
      told.clear();
      throw error;
    }
  }

  function take(batch: PollBatch, full: boolean): Ingested {
    const newPlans = store.plans.save(batch.plans);
    for (const record of batch.instances) takeRecord(record, full);
    takePurchases(batch.purchases);
    if (!batch.more) {
      decide();
      // Every page lists them all; only now every instance is known.
      for (const command of store.commands.add(batch.commands)) takeCommand(command);
    }
    for (const rejected of batch.rejected) tellRejected(rejected);
    for (const id of newPlans) recheckPlan(id);
    return {
      plansChanged: newPlans.length > 0,
      needsFullPoll: !full && newPlans.length > 0 && store.purchases.unassigned().length > 0,
    };
  }

  function forgetOver(): void {
    told = met;
    met = new Set();
  }

  /** Whether it is news. */
  function isNew(problem: string): boolean {
    met.add(problem);
    if (told.has(problem)) return false;
    told.add(problem);
    return true;
  }

  /** A record the store does not know is one that staff made, or one from before the store was lost. */
  function takeRecord(record: InstanceRecord, full: boolean): void {
    const known = store.instances.get(record.key);
    if (known) {
      // While it is being made its administrator's login is the e-mail it was begun with.
      const settled = known.startedAt !== null || known.slot === null;
      if (settled && JSON.stringify(known.customer) !== JSON.stringify(record.customer)) {
        store.instances.update(record.key, { customer: record.customer });
      }
      if (full && record.phase !== known.phase) store.jobs.enqueue(record.key, { reason: 'the record differs' });
      return;
    }
    const alive = record.requested && record.phase !== 'deleted' && record.planId !== null;
    if (!alive || record.planId === null) return;
    const instance: Omit<Instance, 'name' | 'slot'> = {
      key: record.key,
      customer: record.customer,
      planId: record.planId,
      document: record.name,
      orderId: null,
      hold: record.hold,
      phase: record.phase,
      createdAt: clock(),
      startedAt: record.startedAt,
      suspendedAt: record.suspendedAt,
      errorMessage: null,
    };
    const made = store.instances.create(instance, (attempt) =>
      attempt === 1 && isValidName(record.name)
        ? record.name
        : suggestName(record.name, (name) => store.instances.byName(name) !== null),
    );
    store.jobs.enqueue(record.key, { reason: 'a record of the master' });
    log.info('instance.adopted', `${made.name} was read from the master's records.`, { instance: made.name });
  }

  function takePurchases(purchases: MasterPurchase[]): void {
    const { instanceKeys } = store.purchases.save(purchases);
    for (const key of instanceKeys) {
      if (store.instances.get(key)) store.jobs.enqueue(key, { reason: 'a purchase changed' });
    }
    for (const purchase of purchases) {
      const assigned = store.purchases.get(purchase.key)?.instanceKey ?? null;
      if (assigned === null || !store.instances.get(assigned)) undecided.set(purchase.key, purchase);
    }
  }

  /** Gives the undecided purchases to instances, new ones where there is none. */
  function decide(): void {
    if (undecided.size === 0) return;
    const waiting = [...undecided.values()].map((purchase) => ({
      ...purchase,
      instanceKey: store.purchases.get(purchase.key)?.instanceKey ?? null,
    }));
    undecided.clear();
    const usable = waiting.filter(hasPlan);
    const instances = store.instances.all().map(({ key, customer, planId, phase }) => ({
      key,
      customerId: customer.id,
      planId,
      alive: phase !== 'deleted' && phase !== 'deleting',
    }));
    const customers = new Map(usable.map((purchase) => [purchase.key, purchase]));
    for (const { purchase, to } of assignPurchases(usable, instances)) {
      if (to.kind === 'ambiguous') tellAmbiguous(purchase.key, purchase.document, to.candidates);
      if (to.kind === 'unknown-instance') tellUnknown(purchase.key, purchase.document, to.instanceKey);
      if (to.kind === 'ambiguous' || to.kind === 'unknown-instance') continue;
      const source = customers.get(purchase.key);
      if (to.kind === 'new' && source) create(source, to.instanceKey);
      store.purchases.assign(purchase.key, to.instanceKey);
      store.jobs.enqueue(to.instanceKey, { reason: `${purchase.document} was bought` });
    }
  }

  function hasPlan(purchase: MasterPurchase): boolean {
    if (store.plans.get(purchase.planId) || purchase.state === 'cancelled') return true;
    tell(
      purchase.key,
      'plan',
      `${purchase.document}: the product is no complete SaaS plan, so nothing could be provisioned. Complete the product's SaaS plan page; it goes on by itself then.`,
      `${purchase.document}: el producto no es un plan SaaS completo y no se ha podido crear nada. Complete la página «Plan SaaS» del producto; después sigue solo.`,
    );
    return false;
  }

  function create(purchase: MasterPurchase, key: string): void {
    const instance = store.instances.create(
      {
        key,
        customer: purchase.customer,
        planId: purchase.planId,
        document: purchase.document,
        orderId: purchase.orderId,
        hold: 'none',
        phase: 'draft',
        createdAt: clock(),
        startedAt: null,
        suspendedAt: null,
        errorMessage: null,
      },
      () => suggestName(purchase.customer.name, (name) => store.instances.byName(name) !== null),
    );
    log.info('instance.created', `${purchase.document} is to become ${instance.name}.`, {
      instance: instance.name,
      order: purchase.document,
      customer: purchase.customer.name,
      paid: purchase.paidOn !== null,
    });
  }

  function takeCommand(command: Command): void {
    const instance = store.instances.get(command.instanceKey);
    if (!instance || instance.phase === 'deleted') {
      store.commands.finish(command.id);
      store.outbox.put(
        commandOperation(command.id, 'refused', 'There is no such instance any more.'),
        command.instanceKey,
      );
      return;
    }
    if (command.command === 'stop') store.instances.update(instance.key, { hold: 'stopped' });
    if (command.command === 'start') store.instances.update(instance.key, { hold: 'none' });
    store.jobs.enqueue(instance.key, { reason: `${command.requestedBy} asked to ${command.command}` });
    log.info('command.received', `${command.requestedBy} asked to ${command.command} ${instance.name}.`, {
      instance: instance.name,
      command: command.id,
    });
  }

  /** Instances of a plan that changed are made as it says now. */
  function recheckPlan(planId: number): void {
    for (const { key, planId: id } of store.instances.all()) {
      if (id === planId) store.jobs.enqueue(key, { reason: 'the plan changed' });
    }
  }

  function tellAmbiguous(key: string, document: string, candidates: string[]): void {
    const names = candidates.map((candidate) => store.instances.get(candidate)?.name ?? candidate).join(', ');
    tell(
      key,
      'ambiguous',
      `${document}: the customer has several instances of this plan (${names}); set on the line which one it is for.`,
      `${document}: el cliente tiene varias instancias de este plan (${names}); indique en la línea para cuál es.`,
    );
  }

  function tellUnknown(key: string, document: string, instanceKey: string): void {
    tell(
      key,
      'unknown-instance',
      `${document}: the instance on the line (${instanceKey}) does not exist or was not asked for yet; create it, or set another on the line.`,
      `${document}: la instancia de la línea (${instanceKey}) no existe o aún no se ha solicitado; créela o indique otra en la línea.`,
    );
  }

  function tellRejected({ kind, key, id, problem }: Rejected): void {
    if (kind === 'purchase' && key) {
      tell(
        key,
        'rejected',
        `${problem}. Nothing was provisioned for it.`,
        `${problem}. No se ha creado nada por ella.`,
      );
      return;
    }
    if (!isNew(`${kind}:${id ?? key}:${problem}`)) return;
    log.warn('poll.row_rejected', `The master sent a ${kind} that cannot be used: ${problem}`, {
      kind,
      id: id ?? key,
      advice: 'Correct it in the master; it is read again when it changes.',
    });
  }

  /** Once to the log, and once to the salesperson of the purchase. */
  function tell(purchaseKey: string, code: string, en: string, es: string): void {
    if (!isNew(`${purchaseKey}:${code}`)) return;
    log.warn('purchase.problem', en, { purchase: purchaseKey, problem: code });
    // In a lane of its own: one that the master cannot take holds up no other.
    store.outbox.put(problemOperation(purchaseKey, code, en, es), purchaseKey);
  }

  return { page };
}
