import { expect } from 'chai';
import { SlotTakenError } from '../../../src/docker/engine/errors.js';
import type { ObservedInstance } from '../../../src/docker/instance/observe.js';
import type { Instances } from '../../../src/docker/instance/runtime.js';
import { instanceSpec } from '../../../src/instance/spec.js';
import { RetryableError } from '../../../src/lib/errors.js';
import { createRuntime } from '../../../src/reconcile/executors.js';
import { newInstance, type TestStore, testStore } from '../store/support.js';
import { keptLog, only, PLAN } from './support.js';

describe('runtime', () => {
  let test: TestStore;
  /** What was done, in order, where the order matters. */
  let done: string[];

  beforeEach(() => {
    test = testStore();
    done = [];
    for (const key of ['sol:1', 'sol:2']) {
      test.store.instances.create(newInstance(key), () => key.replace('sol:', 'acme-'));
    }
  });
  afterEach(() => test.remove());

  const runtime = (instances: Partial<Instances>) =>
    createRuntime({
      ...{ instances: only<Instances>(instances), store: test.store, scope: 'test', portBase: 20_000, maxSlots: 3 },
      releasePort: async (port) => void done.push(`port ${port} is free`),
      log: keptLog(),
    });
  const found = (name: string, key: string, changes: Partial<ObservedInstance> = {}): ObservedInstance => ({
    ...{ name, key, slot: 2, network: true, volumes: true, db: null, odoo: null },
    ...changes,
  });
  const engine = (...observed: ObservedInstance[]) => ({
    observeAll: async () => new Map(observed.map((one) => [one.name, one])),
  });
  const slotOf = (key: string) => test.store.instances.get(key)?.slot;

  it('gives the slot that the instance has on the engine: the store may have been lost', async () => {
    const { findSlot, allocateSlot } = runtime(engine(found('acme-1', 'sol:1')));
    expect(await findSlot('sol:1')).equal(2);
    expect(slotOf('sol:1')).equal(2);
    expect(await allocateSlot('sol:1')).equal(2);
  });

  it('else the lowest that nobody has, in the store or on the engine', async () => {
    const { findSlot, allocateSlot } = runtime(engine(found('other', 'sol:9', { slot: 0 })));
    expect(await findSlot('sol:1')).equal(null);
    expect(slotOf('sol:1')).equal(null);
    expect(await allocateSlot('sol:1')).equal(1);
    expect(await allocateSlot('sol:2')).equal(2);
  });

  it("takes no slot from another instance's objects, nor from volumes that outlived a slot", async () => {
    const left = found('acme-2', 'sol:2', { slot: 0, network: false });
    const { findSlot, allocateSlot } = runtime(engine(found('acme-1', 'sol:7'), left));
    expect(await findSlot('sol:1')).equal(null);
    expect(await findSlot('sol:2')).equal(null);
    expect(await allocateSlot('sol:2')).equal(1);
  });

  it('loses nothing that changed while it looked at the engine', async () => {
    const { allocateSlot } = runtime({
      async observeAll() {
        test.store.instances.update('sol:1', { hold: 'stopped' });
        return new Map([['acme-1', found('acme-1', 'sol:1')]]);
      },
    });
    await allocateSlot('sol:1');
    expect(test.store.instances.get('sol:1')).include({ slot: 2, hold: 'stopped' });
  });

  describe('steps', () => {
    const specOf = (key: string) => {
      test.store.slots.allocate(key, 3);
      const instance = test.store.instances.get(key) ?? expect.fail('no instance');
      return instanceSpec(instance, PLAN, 'http://localhost:1');
    };

    it('leaves a slot whose port somebody else has, and never takes it again at once', async () => {
      const removed: string[] = [];
      const { execute, allocateSlot } = runtime({
        async startOdoo() {
          throw new SlotTakenError('docker.port_taken', 'port 20000 is taken', 'Another slot.');
        },
        removeContainers: async (name) => void removed.push(`containers of ${name}`),
        removeNetwork: async (name) => void removed.push(`network of ${name}`),
        ...engine(found('acme-1', 'sol:1', { slot: 0, network: false })),
      });
      const spec = specOf('sol:1');
      const error = await execute({ action: 'startOdoo' }, { spec, provisioned: false, exportFile: '' }).catch(
        (thrown) => thrown,
      );
      expect(error).instanceOf(RetryableError).property('code', 'instance.slot_taken');
      expect(removed).deep.equal(['containers of acme-1', 'network of acme-1']);
      expect(slotOf('sol:1')).equal(null);
      expect(await allocateSlot('sol:1')).equal(1);
    });

    for (const action of ['startOdoo', 'startBoth', 'removeVolumes'] as const) {
      it(`${action} takes the page from the port first`, async () => {
        const { execute } = runtime({ [action]: async () => void done.push(action) });
        test.store.instances.upsert({ ...newInstance('sol:1'), name: 'acme-1', slot: 2 });
        await execute({ action }, { spec: specOf('sol:1'), provisioned: true, exportFile: '' });
        expect(done).deep.equal(['port 20004 is free', action]);
      });
    }

    it('never replaces the lost data of a customer by an empty database', async () => {
      const asked: boolean[] = [];
      const { execute } = runtime({ seedVolumes: async (_spec, { mustExist }) => void asked.push(mustExist) });
      await execute({ action: 'seedVolumes' }, { spec: specOf('sol:1'), provisioned: true, exportFile: '' });
      await execute({ action: 'seedVolumes' }, { spec: specOf('sol:1'), provisioned: false, exportFile: '' });
      expect(asked).deep.equal([true, false]);
    });

    it('seeds where nobody ever worked', async () => {
      const seeded: string[] = [];
      const { execute } = runtime({ seedVolumes: async ({ name }) => void seeded.push(name) });
      await execute({ action: 'seedVolumes' }, { spec: specOf('sol:1'), provisioned: false, exportFile: '' });
      expect(seeded).deep.equal(['acme-1']);
    });
  });
});
