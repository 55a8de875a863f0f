import { expect } from 'chai';
import type { Phase } from '../../../src/instance/phase.js';
import { after, NOW, newInstance, placementAt, places, RELEASE, type TestStore, testStore } from './support.js';

const acme = (attempt: number) => (attempt === 1 ? 'acme' : `acme-${attempt}`);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('store.instances and store.placements', () => {
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
    expect(made).to.deep.equal({ ...newInstance('sol:1'), name: 'acme', placement: null });
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
    const row = { ...newInstance('rec:3'), name: 'beta', placement: placementAt(7), phase: 'running' as const };
    instances.upsert(row);
    instances.upsert({ ...row, phase: 'suspended' });
    instances.create(newInstance('sol:1'), acme);
    expect(instances.countByPhase()).to.deep.equal({ suspended: 1, draft: 1 });
    expect(instances.get('rec:3')?.placement).to.deep.equal(placementAt(7));
    expect(() => instances.upsert({ ...row, key: 'rec:4' })).to.throw('UNIQUE');
  });

  it('gives the lowest free place, once', () => {
    const { instances, placements } = test.store;
    for (const key of ['a', 'b', 'c', 'd']) instances.create(newInstance(key), () => key);
    expect(placements.allocate('a', places())).to.deep.equal(placementAt(0));
    expect(placements.allocate('b', places()).slot).to.equal(1);
    expect(placements.allocate('a', places()).slot).to.equal(0);
    expect(placements.allocate('c', places(), (slot) => slot > 1).slot).to.equal(2);
    expect(() => placements.allocate('d', places())).to.throw('none of the 3 slots');
    placements.release('b');
    expect(placements.allocate('d', places()).slot).to.equal(1);
    expect(instances.get('d')?.placement).to.deep.equal(placementAt(1));
    expect(() => placements.allocate('nobody', places())).to.throw('no instance nobody');
  });

  it('keeps a place as it was made, whatever the ranges are later', () => {
    const { instances, placements } = test.store;
    instances.create(newInstance('a'), () => 'a');
    placements.allocate('a', places());
    const moved = { capacity: 3, placementAt: (slot: number) => ({ ...placementAt(slot), httpPort: 30_000 }) };
    expect(placements.allocate('a', moved)).to.deep.equal(placementAt(0));
    expect(instances.get('a')?.placement).to.deep.equal(placementAt(0));
  });

  it('takes the place that the engine tells, unless another instance has it', () => {
    const { instances, placements } = test.store;
    for (const key of ['a', 'b']) instances.create(newInstance(key), () => key);
    placements.set('a', placementAt(2));
    expect(instances.get('a')?.placement).to.deep.equal(placementAt(2));
    expect(() => placements.set('b', placementAt(2))).to.throw('UNIQUE');
  });

  it('gives a place that was left to nobody for an hour', () => {
    const { instances, placements } = test.store;
    for (const key of ['a', 'b', 'c']) instances.create(newInstance(key), () => key);
    placements.allocate('a', places(9));
    placements.retire('a');
    placements.retire('a');
    expect(instances.get('a')?.placement).to.equal(null);
    expect(placements.allocate('a', places(9)).slot).to.equal(1);
    test.now = after(HOUR_MS - 1);
    expect(placements.allocate('b', places(9)).slot).to.equal(2);
    test.now = after(HOUR_MS);
    expect(placements.allocate('c', places(9)).slot).to.equal(0);
  });

  it('gives a place that somebody was served at to nobody else for a month, unless nothing else is left', () => {
    const { instances, placements } = test.store;
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) instances.create(newInstance(key), () => key);
    for (const key of ['a', 'b', 'c']) placements.allocate(key, places(4));
    for (const key of ['a', 'b']) instances.update(key, { startedAt: NOW });
    placements.release('b');
    test.now = after(1);
    placements.release('a');
    placements.release('c');
    // c was never served: nobody has a link to it.
    expect(placements.allocate('c', places(4)).slot).to.equal(2);
    expect(placements.allocate('d', places(4)).slot).to.equal(3);
    // The one that has rested longest.
    expect(placements.allocate('e', places(4)).slot).to.equal(1);
    test.now = after(1 + 30 * DAY_MS);
    expect(placements.allocate('f', places(4)).slot).to.equal(0);
  });

  it('a deleted one gives its name away and keeps its row', () => {
    const { instances } = test.store;
    instances.create(newInstance('sol:1'), acme);
    expect(instances.isTaken('acme')).to.equal(true);
    for (const phase of ['deleting', 'error', 'suspended'] as const) {
      instances.update('sol:1', { phase });
      expect(instances.isTaken('acme'), phase).to.equal(true);
    }
    instances.update('sol:1', { phase: 'deleted' });
    expect(instances.isTaken('acme')).to.equal(false);
    expect(instances.isTaken('nobody')).to.equal(false);
    expect(instances.create({ ...newInstance('sol:2'), createdAt: after(1) }, acme).name).to.equal('acme');
    expect(instances.isTaken('acme')).to.equal(true);
    expect(instances.byName('acme')?.key, 'the living one').to.equal('sol:2');
    expect(instances.get('sol:1')?.name).to.equal('acme');
    instances.update('sol:2', { phase: 'deleted' });
    expect(instances.byName('acme')?.key, 'the one deleted last').to.equal('sol:2');
    expect(instances.create(newInstance('sol:1'), acme).phase, 'its key is not given away').to.equal('deleted');
  });

  it('keeps everything that is known of one, after a restart too', () => {
    test.store.instances.create(newInstance('sol:1'), acme);
    const changes = {
      usage: { users: 3, databaseBytes: 2 ** 40, filestoreBytes: 5, modules: ['crm', 'sale'] },
      ...{ measuredAt: after(1), storageOverSince: after(2), toldPaidUntil: after(3), warnedAt: after(4) },
      ...{ release: RELEASE, revision: 'abc', limits: '1/1024/5' },
    };
    test.store.instances.update('sol:1', changes);
    expect(test.reopen().instances.get('sol:1')).to.deep.include(changes);
  });

  it('finds the running one that was measured longest ago', () => {
    const { instances } = test.store;
    const add = (key: string, phase: Phase, measuredAt: Date | null) =>
      instances.create({ ...newInstance(key), phase, measuredAt }, () => key);
    add('b', 'running', after(-20));
    add('a', 'running', after(-10));
    add('off', 'suspended', null);
    expect(instances.leastMeasured(after(0))?.key).to.equal('b');
    expect(instances.leastMeasured(after(-20))).to.equal(null);
    add('new', 'running', null);
    expect(instances.leastMeasured(after(-1000))?.key).to.equal('new');
  });
});

describe('store.events', () => {
  let test: TestStore;
  beforeEach(() => {
    test = testStore();
  });
  afterEach(() => test.remove());

  it('are recorded once, whatever kind is said the second time, after a restart too', () => {
    expect(test.store.events.record('a', 'reminder')).to.equal(true);
    expect(test.store.events.record('a', 'reminder')).to.equal(false);
    const { events } = test.reopen();
    expect(events.record('a', 'deletion')).to.equal(false);
    expect([events.has('a'), events.has('b')]).to.deep.equal([true, false]);
    expect(events.countSince(test.now)).to.deep.equal({ reminder: 1 });
  });

  it('go with the transaction they are in', () => {
    expect(() =>
      test.store.transaction(() => {
        test.store.events.record('a', 'reminder');
        throw new Error('power cut');
      }),
    ).to.throw('power cut');
    expect(test.store.events.record('a', 'reminder')).to.equal(true);
  });

  it('are counted from a moment on, and forgotten before one', () => {
    const { events } = test.store;
    for (const [ms, kind] of [
      [0, 'x'],
      [1, 'x'],
      [2, 'y'],
    ] as const) {
      test.now = after(ms);
      events.record(`e${ms}`, kind);
    }
    expect(events.countSince(after(1))).to.deep.equal({ x: 1, y: 1 });
    expect(events.countSince(after(3))).to.deep.equal({});
    events.prune(after(1));
    expect(events.countSince(after(0))).to.deep.equal({ x: 1, y: 1 });
    expect(events.has('e0')).to.equal(false);
  });
});
