import { expect } from 'chai';
import type { Runtime } from '../../../src/instance/ports.js';
import type { ObservedInstance } from '../../../src/instance/types.js';
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

  const on = (runtime: Partial<Runtime>) =>
    createPlaces({
      store: test.store,
      runtime: only<Runtime>({ ...places(), isFree: async () => true, ...runtime }),
    });
  const found = (key: string, changes: Partial<ObservedInstance> = {}): ObservedInstance => ({
    ...{ name: 'acme', key, slot: 2, network: true, volumes: true, db: null, odoo: null },
    ...changes,
  });
  const engine = (...observed: ObservedInstance[]) => ({
    observeAll: async () => new Map(observed.map((one) => [one.key, one])),
  });
  const placeOf = (key: string) => test.store.instances.get(key)?.placement;

  it('are those that the instances have on the engine: the store may have been lost', async () => {
    const { find, allocate } = on(engine(found('sol:1')));
    expect(await find('sol:1')).deep.equal(placementAt(2));
    expect(placeOf('sol:1')).deep.equal(placementAt(2));
    expect(await allocate('sol:1')).deep.equal(placementAt(2));
  });

  it('are else the lowest that nobody has, in the store or on the engine', async () => {
    const { find, allocate } = on(engine(found('sol:9', { slot: 0 })));
    expect(await find('sol:1')).equal(null);
    expect(placeOf('sol:1')).equal(null);
    expect((await allocate('sol:1')).slot).equal(1);
    expect((await allocate('sol:2')).slot).equal(2);
  });

  it("are not taken from another instance's objects, nor from volumes that outlived a place", async () => {
    const left = found('sol:2', { slot: 0, network: false });
    const { find, allocate } = on(engine(found('sol:7', { name: 'acme-1' }), left));
    expect(await find('sol:1')).equal(null);
    expect(await find('sol:2')).equal(null);
    expect((await allocate('sol:2')).slot).equal(1);
  });

  it('are tried before they are given: another program costs nobody a run', async () => {
    const tried: number[] = [];
    const isFree: Runtime['isFree'] = async ({ slot }) => {
      tried.push(slot);
      return slot === 2;
    };
    const { allocate } = on({ ...engine(), isFree });
    expect((await allocate('sol:1')).slot).equal(2);
    expect(tried).deep.equal([0, 1, 2]);
    expect(placeOf('sol:1')).deep.equal(placementAt(2));
  });

  it('come to an end where other programs have all ports', async () => {
    const { allocate } = on({ ...engine(), isFree: async () => false });
    const error = await allocate('sol:1').catch((thrown: unknown) => thrown);
    expect(error).instanceOf(RetryableError).property('code', 'instance.no_place');
    expect(placeOf('sol:1')).equal(null);
  });

  it('lose nothing that changed while the engine was looked at', async () => {
    const { allocate } = on({
      async observeAll() {
        test.store.instances.update('sol:1', { hold: 'stopped' });
        return new Map([['sol:1', found('sol:1')]]);
      },
    });
    await allocate('sol:1');
    expect(test.store.instances.get('sol:1')).deep.include({ placement: placementAt(2), hold: 'stopped' });
  });

  it('are left where somebody else takes the port, and not taken again at once', async () => {
    const removed: string[] = [];
    const { at, allocate } = on({
      removeContainers: async ({ key }) => void removed.push(`containers of ${key}`),
      removeNetwork: async ({ key }) => void removed.push(`network of ${key}`),
      ...engine(),
    });
    await allocate('sol:1');
    const error = await at({ key: 'sol:1', name: 'acme-1' }, async () => {
      throw new PlaceTakenError('docker.port_taken', 'port 20000 is taken', 'Another slot.');
    }).catch((thrown: unknown) => thrown);
    expect(error).instanceOf(RetryableError).property('code', 'instance.slot_taken');
    expect(removed).deep.equal(['containers of sol:1', 'network of sol:1']);
    expect(placeOf('sol:1')).equal(null);
    expect((await allocate('sol:1')).slot).equal(1);
  });
});
