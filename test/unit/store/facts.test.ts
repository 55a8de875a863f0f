import { expect } from 'chai';
import type { Command } from '../../../src/instance/command.js';
import type { Plan } from '../../../src/instance/types.js';
import type { Purchase } from '../../../src/subscription/types.js';
import { type Bought, purchase as line } from '../subscription/support.js';
import { type TestStore, testStore } from './support.js';

const purchase = (changes: Bought): Purchase =>
  line({ unitPrice: 12.5, keepPlan: false, pendingSince: null, ...changes });

describe('store.purchases, store.plans and store.commands', () => {
  let test: TestStore;
  beforeEach(() => {
    test = testStore();
  });
  afterEach(() => test.remove());

  it('reports only purchases that changed', () => {
    const { purchases } = test.store;
    const one = purchase({ key: 'sol:1', invoiceIds: [3, 1] });
    const two = purchase({ key: 'sol:2' });
    expect(purchases.save([one, two]).changedKeys).to.deep.equal(['sol:1', 'sol:2']);
    expect(purchases.save([one, { ...one, invoiceIds: [1, 3] }, two])).to.deep.equal({
      changedKeys: [],
      instanceKeys: [],
    });
    expect(purchases.save([{ ...two, state: 'cancelled' }]).changedKeys).to.deep.equal(['sol:2']);
    const vanished = purchase({ key: 'sol:1', invoiceIds: [3, 1], vanishedOn: new Date('2026-02-01T00:00:00Z') });
    expect(purchases.save([vanished]).changedKeys).to.deep.equal(['sol:1']);
    expect(test.reopen().purchases.get('sol:1')).to.deep.equal({ ...vanished, invoiceIds: [1, 3] });
  });

  it('keeps the instance it was given when the master does not know it yet', () => {
    const { purchases } = test.store;
    const bought = purchase({ key: 'sol:1' });
    purchases.save([bought, purchase({ key: 'sol:2' })]);
    purchases.assign('sol:1', 'sol:1');
    expect(purchases.save([bought]).changedKeys).to.deep.equal([]);
    expect(purchases.byInstance('sol:1')).to.deep.equal([{ ...bought, instanceKey: 'sol:1' }]);
    expect(purchases.unassigned().map(({ key }) => key)).to.deep.equal(['sol:2']);
    const { instanceKeys } = purchases.save([purchase({ key: 'sol:1', quantity: 2 })]);
    expect(instanceKeys).to.deep.equal(['sol:1']);
  });

  it('names both instances when staff move a purchase', () => {
    const { purchases } = test.store;
    const bought = purchase({ key: 'sol:1', instanceKey: 'sol:1' });
    purchases.save([bought]);
    expect(purchases.save([{ ...bought, instanceKey: 'rec:2' }])).to.deep.equal({
      changedKeys: ['sol:1'],
      instanceKeys: ['sol:1', 'rec:2'],
    });
    expect(purchases.all().map(({ instanceKey }) => instanceKey)).to.deep.equal(['rec:2']);
  });

  it('knows which change of plan was refused until the master says otherwise', () => {
    const { purchases } = test.store;
    const one = purchase({ key: 'sol:1', instanceKey: 'rec:1', pendingSince: new Date('2026-01-14T12:00:00Z') });
    purchases.save([one, purchase({ key: 'sol:2' })]);
    purchases.keepPlan('sol:1');
    expect(test.reopen().purchases.get('sol:1')).to.deep.equal({ ...one, keepPlan: true });
    expect(test.store.purchases.get('sol:2')?.keepPlan).to.equal(false);
    expect(test.store.purchases.save([{ ...one, keepPlan: true }]).changedKeys, 'as the master tells it').to.deep.equal(
      [],
    );
    expect(test.store.purchases.save([one]).changedKeys).to.deep.equal(['sol:1']);
  });

  it('reports only plans that changed', () => {
    const { plans } = test.store;
    const plan: Plan = {
      id: 1,
      code: 'basic',
      name: 'Basic',
      cpu: 1,
      memoryMb: 512,
      storageGb: 5,
      maxUsers: 3,
      modules: ['crm', 'sale'],
      graceDays: 0,
      retentionDays: 30,
      trial: false,
    };
    const other = { ...plan, id: 2 };
    expect(plans.save([plan, other])).to.deep.equal([1, 2]);
    expect(plans.save([plan, { ...other, maxUsers: 4 }])).to.deep.equal([2]);
    expect(plans.get(1)).to.deep.equal(plan);
    expect(plans.get(3)).to.equal(null);
    expect(plans.all()).to.deep.equal([plan, { ...other, maxUsers: 4 }]);
    expect(plans.save([{ ...plan, egress: 'closed' }])).to.deep.equal([1]);
    expect(plans.get(1)).to.deep.equal({ ...plan, egress: 'closed' });
    const keep = { daily: 3, weekly: 0, monthly: 0 };
    expect(plans.save([{ ...plan, egress: 'closed', keep }])).to.deep.equal([1]);
    expect(plans.get(1)?.keep).to.deep.equal(keep);
  });

  it('gives one command one effect', () => {
    const { commands } = test.store;
    const start: Command = { id: 4, instanceKey: 'sol:1', command: 'start', requestedBy: 'Ann', planId: null };
    const stop: Command = { ...start, id: 5, instanceKey: 'sol:2', command: 'change_plan', planId: 3 };
    expect(commands.add([stop, start])).to.deep.equal([stop, start]);
    expect(commands.add([start])).to.deep.equal([]);
    expect(commands.pending()).to.deep.equal([start, stop]);
    expect(commands.pending('sol:2')).to.deep.equal([stop]);
    expect(commands.finish(4)).to.equal(true);
    expect(commands.finish(4)).to.equal(false);
    expect(commands.add([start])).to.deep.equal([]);
    expect(test.reopen().commands.pending()).to.deep.equal([stop]);
  });
});
