import { expect } from 'chai';
import type { Runtime } from '../../../src/instance/ports.js';
import type { Instance, ObservedInstance } from '../../../src/instance/types.js';
import { PlaceTakenError, RetryableError } from '../../../src/lib/errors.js';
import { createPlaces } from '../../../src/reconcile/places.js';
import { newInstance, placementAt, places, type TestStore, testStore } from '../store/support.js';
import { only } from './support.js';

describe('places', () => {
  let test: TestStore;

  beforeEach(() => {
    test = testStore();
    for (const key of ['sol:1', 'sol:2']) {
      test.store.instances.create(newInstance(key), () => key.replace('sol:', 'acme-'));
    }
  });
  afterEach(() => test.remove());

  const ref = (key: string) => ({ key, name: key.replace('sol:', 'acme-') });
  const on = (runtime: Partial<Runtime>) =>
    createPlaces({
      store: test.store,
      runtime: only<Runtime>({ ...places(), freePlaces: async () => async () => true, ...runtime }),
    });
  const found = (key: string, changes: Partial<ObservedInstance> = {}): ObservedInstance => ({
    ...{ name: 'acme', key, slot: 2, network: true, volumes: true, db: null, odoo: null },
    ...changes,
  });
  const NOTHING = { network: false, volumes: false, db: null, odoo: null, slot: null };
  const engine = (...observed: ObservedInstance[]): Partial<Runtime> => ({
    observe: async ({ key }) => observed.find((one) => one.key === key) ?? NOTHING,
    freePlaces: async () => async (placement) =>
      !observed.some(({ network, slot }) => network && slot === placement.slot),
  });
  const placeOf = (key: string) => test.store.instances.get(key)?.placement;

  it('are those that the instances have on the engine: the store may have been lost', async () => {
    const { find, allocate } = on(engine(found('sol:1')));
    expect(await find(ref('sol:1'))).deep.equal(placementAt(2));
    expect(placeOf('sol:1')).deep.equal(placementAt(2));
    expect(await allocate(ref('sol:1'))).deep.equal(placementAt(2));
  });

  it('are else the lowest that nobody has, in the store or on the engine', async () => {
    const { find, allocate } = on(engine(found('sol:9', { slot: 0 })));
    expect(await find(ref('sol:1'))).equal(null);
    expect(placeOf('sol:1')).equal(null);
    expect((await allocate(ref('sol:1'))).slot).equal(1);
    expect((await allocate(ref('sol:2'))).slot).equal(2);
  });

  it("are not taken from another instance's objects, nor from volumes that outlived a place", async () => {
    const left = found('sol:2', { slot: 0, network: false });
    const { find, allocate } = on(engine(found('sol:7', { name: 'acme-1' }), left));
    expect(await find(ref('sol:1'))).equal(null);
    expect(await find(ref('sol:2'))).equal(null);
    expect((await allocate(ref('sol:2'))).slot).equal(0);
  });

  it('are tried before they are given: another program costs nobody a run', async () => {
    const tried: number[] = [];
    const freePlaces: Runtime['freePlaces'] = async () => async (placement) => {
      tried.push(placement.slot);
      return placement.slot === 2;
    };
    const { allocate } = on({ ...engine(), freePlaces });
    expect((await allocate(ref('sol:1'))).slot).equal(2);
    expect(tried).deep.equal([0, 1, 2]);
    expect(placeOf('sol:1')).deep.equal(placementAt(2));
  });

  it('come to an end where other programs have all ports', async () => {
    const { allocate } = on({ ...engine(), freePlaces: async () => async () => false });
    const error = await allocate(ref('sol:1')).catch((thrown: unknown) => thrown);
    expect(error).instanceOf(RetryableError).property('code', 'instance.no_place');
    expect(placeOf('sol:1')).equal(null);
  });

  it('lose nothing that changed while the engine was looked at', async () => {
    const { allocate } = on({
      async observe() {
        test.store.instances.update('sol:1', { hold: 'stopped' });
        return found('sol:1');
      },
    });
    await allocate(ref('sol:1'));
    expect(test.store.instances.get('sol:1')).deep.include({ placement: placementAt(2), hold: 'stopped' });
  });

  describe('that turn out to be taken', () => {
    const removed: string[] = [];
    const ours = {
      removeContainers: async ({ key }: { key: string }) => void removed.push(`containers of ${key}`),
      removeNetwork: async ({ key }: { key: string }) => void removed.push(`network of ${key}`),
      ...engine(),
    };
    const instance = () => test.store.instances.get('sol:1') ?? expect.fail('no instance');
    /** Other programs have the ports of the first places, which only the engine notices. */
    const startBeyond = (others: number, one: Instance, tried: number[]) => async () => {
      tried.push(one.placement?.slot ?? expect.fail('no place'));
      if (tried.at(-1) === others) return 'started';
      throw new PlaceTakenError('docker.port_taken', 'the port is taken', 'Another slot.');
    };

    beforeEach(() => removed.splice(0));

    it('are left, and the next ones tried in the same run', async () => {
      const { at, allocate } = on({ ...ours, ...places(50) });
      await allocate(ref('sol:1'));
      const one = instance();
      const tried: number[] = [];
      expect(await at(one, startBeyond(20, one, tried))).equal('started');
      expect(tried).deep.equal(Array.from({ length: 21 }, (_, slot) => slot));
      expect(removed.slice(0, 2)).deep.equal(['containers of sol:1', 'network of sol:1']);
      expect(placeOf('sol:1')).deep.equal(placementAt(20));
      // Nobody else gets one of them for a while.
      expect((await allocate(ref('sol:2'))).slot).equal(21);
    });

    it('hold up a run for thirty tries; the next run goes on behind them', async () => {
      const { at, allocate } = on({ ...ours, ...places(50) });
      await allocate(ref('sol:1'));
      const one = instance();
      const error = await at(one, startBeyond(40, one, [])).catch((thrown: unknown) => thrown);
      expect(error).instanceOf(RetryableError).property('code', 'instance.slot_taken');
      expect(placeOf('sol:1')).equal(null);
      const next = { ...instance(), placement: await allocate(ref('sol:1')) };
      const tried: number[] = [];
      expect(await at(next, startBeyond(40, next, tried))).equal('started');
      expect(tried[0]).equal(30);
    });
  });
});
