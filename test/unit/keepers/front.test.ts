import { expect } from 'chai';
import { startFrontKeeper } from '../../../src/keepers/front.js';
import { newInstance, places, type TestStore, testStore } from '../store/support.js';

describe('front keeper', () => {
  let test: TestStore;
  let done: string[];
  let routed: string[];

  beforeEach(() => {
    test = testStore();
    done = [];
    routed = [];
    test.store.instances.create({ ...newInstance('sol:1'), phase: 'suspended' }, () => 'acme');
    test.store.placements.allocate('sol:1', places());
    test.store.instances.create({ ...newInstance('sol:2'), phase: 'running' }, () => 'beta');
  });
  afterEach(() => test.remove());

  const front = {
    show: async (key: string) => void done.push(`show ${key}`),
    hide: async (key: string) => void done.push(`hide ${key}`),
    route: (key: string) => void routed.push(key),
    sweep: () => void routed.push('sweep'),
  };
  const told = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return done.splice(0);
  };

  it('shows at the start what must be, and follows each change', async () => {
    const keeper = await startFrontKeeper({ store: test.store, front });
    expect(await told()).deep.equal(['show sol:1', 'hide sol:2']);
    test.store.instances.update('sol:1', { phase: 'running' });
    expect(await told()).deep.equal(['hide sol:1']);
    test.store.instances.update('sol:1', { phase: 'stopped' });
    expect(await told()).deep.equal(['show sol:1']);
    test.store.placements.release('sol:1');
    expect(await told()).deep.equal(['hide sol:1']);
    keeper.stop();
    test.store.instances.update('sol:1', { phase: 'running' });
    expect(await told()).empty;
  });

  it('keeps out of the way of a worker that starts it, and looks again afterwards', async () => {
    const keeper = await startFrontKeeper({ store: test.store, front });
    await told();
    test.store.jobs.enqueue('sol:1', { reason: 'paid' });
    const [job] = test.store.jobs.claim(test.now, 'worker', 1);
    test.store.instances.update('sol:1', { errorMessage: null });
    expect(await told()).empty;
    expect(routed, 'its address leads to it all the same').deep.equal(['sol:1', 'sol:2', 'sweep', 'sol:1']);
    test.store.instances.update('sol:1', { phase: 'running' });
    test.store.jobs.complete('sol:1', job?.token ?? '', null);
    expect(await told()).deep.equal(['hide sol:1']);
    keeper.stop();
  });
});
