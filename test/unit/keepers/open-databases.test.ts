import { expect } from 'chai';
import { createOpenDatabases } from '../../../src/keepers/open-databases.js';
import { deferred, only } from '../reconcile/support.js';
import { newInstance, type TestStore, testStore } from '../store/support.js';

const KEY = 'sol:1';

describe('open databases', () => {
  let test: TestStore;
  let runs: boolean;
  let databases: ReturnType<typeof createOpenDatabases>;
  beforeEach(() => {
    test = testStore();
    runs = false;
    const observe = async () => ({ network: true, slot: 0, odoo: null, db: runs ? only({ running: true }) : null });
    databases = createOpenDatabases(test.store, only({ observe }) as never, new AbortController().signal);
  });
  afterEach(() => test.remove());

  const add = (changes: object) => test.store.instances.create({ ...newInstance(KEY), ...changes }, () => 'acme');
  const due = () => test.store.jobs.claim(test.now, 'worker', 10).map(({ instanceKey }) => instanceKey);

  it('of one that is down is started first, and stopped afterwards', async () => {
    add({ phase: 'suspended' });
    const seen: boolean[] = [];
    const work = databases.open(KEY, async () => seen.push(runs));
    expect(databases.isOpen(KEY)).equal(true);
    expect(due()).deep.equal([KEY]);
    expect(seen).empty;
    runs = true;
    await work;
    expect(seen).deep.equal([true]);
    expect(databases.isOpen(KEY)).equal(false);
  });

  it('of one that runs is read at once, and nothing is to do afterwards', async () => {
    add({ phase: 'running' });
    expect(await databases.open(KEY, async () => databases.isOpen(KEY))).equal(true);
    expect(due()).empty;
  });

  it('is held for one that is put to sleep meanwhile, and looked at afterwards', async () => {
    add({ phase: 'running' });
    const { promise, resolve } = deferred();
    const work = databases.open(KEY, () => promise);
    test.store.instances.update(KEY, { asleepSince: test.now });
    expect(databases.isOpen(KEY)).equal(true);
    resolve();
    await work;
    expect(due()).deep.equal([KEY]);
  });

  it('stays open until the last of its readers has ended', async () => {
    add({ phase: 'running' });
    const [first, second] = [deferred(), deferred()];
    const works = [databases.open(KEY, () => first.promise), databases.open(KEY, () => second.promise)];
    first.resolve();
    await works[0];
    expect(databases.isOpen(KEY)).equal(true);
    second.resolve();
    await works[1];
    expect(databases.isOpen(KEY)).equal(false);
  });
});
