import { expect } from 'chai';
import { after, newInstance, type TestStore, testStore } from './support.js';

const acme = (attempt: number) => (attempt === 1 ? 'acme' : `acme-${attempt}`);
const HOUR_MS = 3_600_000;

describe('store.instances and store.slots', () => {
  let test: TestStore;
  beforeEach(() => {
    test = testStore();
  });
  afterEach(() => test.remove());

  it('gives every instance a name of its own, and one key one instance', () => {
    const { instances } = test.store;
    expect(instances.create(newInstance('sol:1'), acme).name).to.equal('acme');
    expect(instances.create(newInstance('sol:2'), acme).name).to.equal('acme-2');
    expect(instances.create(newInstance('sol:3'), acme).name).to.equal('acme-3');
    expect(instances.create(newInstance('sol:2'), () => 'other').name).to.equal('acme-2');
    expect(instances.all().map(({ key }) => key)).to.deep.equal(['sol:1', 'sol:2', 'sol:3']);
    expect(() => instances.create(newInstance('sol:4'), () => 'acme')).to.throw('no free name');
  });

  it('returns what was written, after a restart too', () => {
    const made = test.store.instances.create(newInstance('sol:1'), acme);
    expect(made).to.deep.equal({ ...newInstance('sol:1'), name: 'acme', slot: null });
    const changed = test.store.instances.update('sol:1', { phase: 'running', startedAt: after(5), errorMessage: 'x' });
    expect(changed).to.deep.equal({ ...made, phase: 'running', startedAt: after(5), errorMessage: 'x' });
    const { instances } = test.reopen();
    expect(instances.get('sol:1')).to.deep.equal(changed);
    expect(instances.byName('acme')).to.deep.equal(changed);
    expect(instances.get('sol:2')).to.equal(null);
    expect(() => instances.update('sol:2', { phase: 'running' })).to.throw('no instance sol:2');
  });

  it('rebuilds rows, and counts them by phase', () => {
    const { instances } = test.store;
    const row = { ...newInstance('rec:3'), name: 'beta', slot: 7, phase: 'running' as const };
    instances.upsert(row);
    instances.upsert({ ...row, phase: 'suspended' });
    instances.create(newInstance('sol:1'), acme);
    expect(instances.countByPhase()).to.deep.equal({ suspended: 1, draft: 1 });
    expect(instances.get('rec:3')?.slot).to.equal(7);
    expect(() => instances.upsert({ ...row, key: 'rec:4' })).to.throw('UNIQUE');
  });

  it('allocates the lowest free slot, once', () => {
    const { instances, slots } = test.store;
    for (const key of ['a', 'b', 'c', 'd']) instances.create(newInstance(key), () => key);
    expect(slots.allocate('a', 3)).to.equal(0);
    expect(slots.allocate('b', 3)).to.equal(1);
    expect(slots.allocate('a', 3)).to.equal(0);
    expect(slots.allocate('c', 3, (slot) => slot > 1)).to.equal(2);
    expect(() => slots.allocate('d', 3)).to.throw('none of the 3 slots');
    slots.release('b');
    expect(slots.allocate('d', 3)).to.equal(1);
    expect(instances.get('d')?.slot).to.equal(1);
    expect(() => slots.allocate('nobody', 3)).to.throw('no instance nobody');
  });

  it('gives a retired slot to nobody for an hour', () => {
    const { instances, slots } = test.store;
    for (const key of ['a', 'b', 'c']) instances.create(newInstance(key), () => key);
    slots.allocate('a', 9);
    slots.retire('a');
    slots.retire('a');
    expect(instances.get('a')?.slot).to.equal(null);
    expect(slots.allocate('a', 9)).to.equal(1);
    test.now = after(HOUR_MS - 1);
    expect(slots.allocate('b', 9)).to.equal(2);
    test.now = after(HOUR_MS);
    expect(slots.allocate('c', 9)).to.equal(0);
  });
});
