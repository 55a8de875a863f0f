/** A master that was restored from a backup gives ids out again: an id is no identity alone. */
import { expect } from 'chai';
import { createIngest, type Ingest } from '../../../src/intake/ingest.js';
import type { InstanceRecord } from '../../../src/odoo/rows.js';
import { batch, bought, CUSTOMER, keptLog, PLAN, POLICY, SELLER } from '../reconcile/support.js';
import { NOW, type TestStore, testStore } from '../store/support.js';

const [FIRST, SECOND] = [new Date('2026-01-15T08:00:00Z'), new Date('2026-01-15T20:00:00Z')];
const BETA = { ...CUSTOMER, id: 77, name: 'Zapatos Beta', contactId: 78, email: 'bea@beta.example' };
const FORMER = `sol:8.${FIRST.getTime() / 1000}`;
const NEW = `sol:8.${SECOND.getTime() / 1000}`;

describe('an id that was given again', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let ingest: Ingest;

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    ingest = createIngest({ store: test.store, policy: POLICY, firstToExpire: false, clock: () => test.now, log });
    ingest.page(batch({ plans: [PLAN] }), true);
  });
  afterEach(() => test.remove());

  const buy = (createdOn: Date | null, changes: Parameters<typeof bought>[0] = {}) =>
    ingest.page(batch({ purchases: [bought({ key: 'sol:8', ...(createdOn && { createdOn }), ...changes })] }), true);
  const instances = () => test.store.instances.all().map(({ key, customer }) => [key, customer.id]);
  const record = (changes: Partial<InstanceRecord> = {}): InstanceRecord => ({
    ...{ id: 3, key: 'sol:8', name: 'acme', customer: CUSTOMER, seller: SELLER, planId: 1, phase: 'running' },
    ...{ hold: 'none', startedAt: NOW, paidUntil: null, suspendedAt: null, storageOverSince: null, requested: true },
    ...changes,
  });

  it('of a line makes another instance for its buyer, and the former line goes on paying for its own', () => {
    buy(FIRST);
    test.store.instances.update('sol:8', { phase: 'running', startedAt: NOW });
    buy(SECOND, { customer: BETA, document: 'S00008' });
    expect(instances()).deep.members([
      ['sol:8', CUSTOMER.id],
      [NEW, BETA.id],
    ]);
    expect(test.store.purchases.byInstance('sol:8').map(({ key }) => key)).deep.equal([FORMER]);
    expect(test.store.purchases.byInstance(NEW).map(({ key, customerId }) => [key, customerId])).deep.equal([
      ['sol:8', BETA.id],
    ]);
    expect(log.lines.find(({ event }) => event === 'purchase.reissued')).include({ former: FORMER });
    // The same rows again make nothing.
    buy(SECOND, { customer: BETA, document: 'S00008' });
    expect(instances()).length(2);
  });

  it('of a line of the same customer is a renewal like any other', () => {
    buy(FIRST);
    test.store.instances.update('sol:8', { phase: 'running', startedAt: NOW });
    buy(SECOND);
    expect(instances()).deep.equal([['sol:8', CUSTOMER.id]]);
    expect(test.store.purchases.byInstance('sol:8').map(({ key }) => key)).deep.equal(['sol:8', FORMER]);
  });

  it('is found by the record where the store was lost', () => {
    ingest.page(batch({ instances: [record({ createdOn: FIRST })] }), true);
    buy(SECOND, { customer: BETA });
    expect(instances()).deep.members([
      ['sol:8', CUSTOMER.id],
      [NEW, BETA.id],
    ]);
  });

  it('is none where the line is older than the record that was made of it, whoever has the instance now', () => {
    ingest.page(batch({ instances: [record({ createdOn: SECOND, customer: BETA })] }), true);
    buy(FIRST);
    expect(instances()).deep.equal([['sol:8', BETA.id]]);
  });

  it('is none in a store of a former version, which knows no moments', () => {
    buy(null);
    buy(FIRST);
    expect(instances()).length(1);
    expect(test.store.purchases.all()).length(1);
    expect(test.store.purchases.get('sol:8')?.createdOn).deep.equal(FIRST);
  });

  it('of a command is another command', () => {
    buy(FIRST);
    const ask = (command: 'stop' | 'start', createdOn: Date) =>
      ingest.page(
        batch({ commands: [{ id: 5, createdOn, instanceKey: 'sol:8', command, requestedBy: 'Ann', planId: null }] }),
        false,
      );
    ask('start', FIRST);
    test.store.commands.finish(5);
    ask('start', FIRST);
    expect(test.store.commands.pending()).empty;
    ask('stop', SECOND);
    expect(test.store.instances.get('sol:8')?.hold).equal('stopped');
    expect(test.store.commands.pending().map(({ command }) => command)).deep.equal(['stop']);
  });

  it('a record that lives again in the master is told again that its instance is deleted, and nothing else is done', () => {
    ingest.page(batch({ instances: [record({ phase: 'deleted' })] }), true);
    ingest.page(batch({ instances: [record({ phase: 'deleted' })] }), true);
    expect(test.store.outbox.due(NOW, 10)).empty;
    ingest.page(batch({ instances: [record({ phase: 'running' })] }), true);
    const [told] = test.store.outbox.due(NOW, 10);
    expect(told?.operation).nested.include({ op: 'instance', 'values.state': 'deleted' });
    expect(test.store.jobs.all()).empty;
  });
});
