import { expect } from 'chai';
import { RetryableError } from '../../../src/lib/errors.js';
import { enqueueOutdated } from '../../../src/reconcile/outdated.js';
import { placementAt } from '../store/support.js';
import { utc } from '../subscription/support.js';
import { type Harness, harness, KEY } from './harness.js';
import { bought, SELLER } from './support.js';

const NEW = 'applySettings https://acme.moved.example:20000';

describe('what an instance is told of itself', () => {
  let h: Harness;
  beforeEach(async () => {
    h = harness();
    await h.running();
  });
  afterEach(() => h.remove());
  const port = () => h.instance().placement?.httpPort;

  it('is the address that it was made with: nothing is told again', async () => {
    expect(enqueueOutdated(h.test.store, h.specOf)).equal(0);
    await h.run();
    expect(h.engine.taken()).deep.equal([]);
  });

  it('is another public address at the next start, without a restart, and the record has it too', async () => {
    h.moveTo('moved.example');
    expect(enqueueOutdated(h.test.store, h.specOf)).equal(1);
    expect(h.test.store.jobs.all().map(({ instanceKey }) => instanceKey)).deep.equal([KEY]);
    await h.run();
    expect(h.engine.taken()).deep.equal([NEW.replace('20000', String(port()))]);
    expect(h.values()).include({ url: `https://acme.moved.example:${port()}` });
    expect(enqueueOutdated(h.test.store, h.specOf)).equal(0);
    await h.run();
    expect(h.engine.taken()).deep.equal([]);
  });

  it('is the port of another place', async () => {
    const before = port();
    h.test.store.placements.set(KEY, placementAt(3));
    await h.run();
    expect(port()).not.equal(before);
    expect(h.engine.taken()).deep.equal([`applySettings https://acme.example.com:${port()}`]);
  });

  it('is the address of the shop, where its customer changes the plan', async () => {
    h.test.store.instances.update(KEY, { seller: { ...SELLER, shopUrl: 'https://other-shop.example.com' } });
    await h.run();
    expect(h.engine.taken()).deep.equal([`applySettings https://acme.example.com:${port()}`]);
  });

  it('is told when the first try failed', async () => {
    h.moveTo('moved.example');
    h.engine.failAfter(0, new RetryableError('job.failed', 'locked', 'x'));
    await h.run().catch(() => undefined);
    expect(h.engine.taken()).deep.equal([]);
    await h.run();
    expect(h.engine.taken()).length(1);
  });

  it('is told to a suspended one when it is started, after its Odoo', async () => {
    await h.runAt(utc('2026-02-15T23:00'));
    h.engine.taken();
    h.moveTo('moved.example');
    expect(enqueueOutdated(h.test.store, h.specOf)).equal(0);
    h.test.store.purchases.save([bought({ key: 'sol:2', instanceKey: KEY, startsOn: utc('2026-02-20T10:00') })]);
    await h.runAt(utc('2026-02-20T10:00'));
    const told = NEW.replace('20000', String(port()));
    expect(h.engine.taken()).deep.equal(['startDb', 'startOdoo', told, 'awaitReady']);
  });

  it('is told once by a restart that was asked for', async () => {
    h.moveTo('moved.example');
    h.ask('restart');
    await h.run();
    const told = NEW.replace('20000', String(port()));
    expect(h.engine.taken()).deep.equal(['stopOdoo', 'startOdoo', told, 'awaitReady']);
  });

  it('is told anew after the store was lost, which changes nothing', async () => {
    h.test.store.instances.update(KEY, { settings: null });
    await h.run();
    expect(h.engine.taken()).length(1);
    await h.run();
    expect(h.engine.taken()).deep.equal([]);
  });
});
