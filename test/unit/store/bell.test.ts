import { expect } from 'chai';
import { newInstance, type TestStore, testStore } from './support.js';

describe('store.bell', () => {
  let test: TestStore;
  let rung: string[];

  beforeEach(() => {
    test = testStore();
    rung = [];
    test.store.bell.on('jobs', () => rung.push('jobs'));
    test.store.bell.on('outbox', () => rung.push('outbox'));
    test.store.bell.on('instances', ({ instances }) => rung.push(...[...instances].sort()));
  });
  afterEach(() => test.remove());

  const told = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return rung.splice(0);
  };
  const LOG = { op: 'log', key: 'l', instance_key: 'sol:1', lines: [] } as const;

  it('tells what a commit has changed, once, and not inside of it', async () => {
    const { store } = test;
    store.transaction(() => {
      store.instances.create(newInstance('sol:1'), () => 'acme');
      store.instances.update('sol:1', { phase: 'running' });
      store.jobs.enqueue('sol:1', { reason: 'test' });
      store.transaction(() => store.outbox.put({ ...LOG, lines: [] }, 'sol:1'));
      expect(rung).empty;
    });
    expect(rung).empty;
    expect(await told()).deep.equal(['jobs', 'outbox', 'sol:1']);
    expect(await told()).empty;
  });

  it('tells of single writes too', async () => {
    test.store.jobs.enqueue('sol:1', { reason: 'test' });
    expect(await told()).deep.equal(['jobs']);
    test.store.instances.create(newInstance('sol:2'), () => 'acme');
    expect(await told()).deep.equal(['sol:2']);
  });

  it('says nothing of what was rolled back', async () => {
    const { store } = test;
    expect(() =>
      store.transaction(() => {
        store.jobs.enqueue('sol:1', { reason: 'test' });
        throw new Error('no');
      }),
    ).throw('no');
    expect(await told()).empty;
    store.outbox.put({ ...LOG, lines: [] }, 'sol:1');
    expect(await told()).deep.equal(['outbox']);
  });

  it('tells that a worker has done with an instance', async () => {
    const { store } = test;
    store.jobs.enqueue('sol:1', { reason: 'test' });
    const [job] = store.jobs.claim(test.now, 'worker', 1);
    expect(store.jobs.isClaimed('sol:1')).equal(true);
    await told();
    store.jobs.complete('sol:1', job?.token ?? '', null);
    expect(await told()).deep.equal(['sol:1']);
    expect(store.jobs.isClaimed('sol:1')).equal(false);
  });

  it('can be left', async () => {
    const leave = test.store.bell.on('jobs', () => rung.push('again'));
    leave();
    test.store.jobs.enqueue('sol:1', { reason: 'test' });
    expect(await told()).deep.equal(['jobs']);
  });
});
