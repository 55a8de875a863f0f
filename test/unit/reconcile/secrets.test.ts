import { expect } from 'chai';
import { RetryableError } from '../../../src/lib/errors.js';
import { noticeOperation } from '../../../src/owed/operations.js';
import { enqueueOutdated } from '../../../src/reconcile/outdated.js';
import { writeKnownKey } from '../../../src/store/known-key.js';
import { utc } from '../subscription/support.js';
import { type Harness, harness, KEY } from './harness.js';
import { bought } from './support.js';

const FIRST = { fingerprint: 'first', isReplaced: false };
const SECOND = { fingerprint: 'second', isReplaced: true };
const SET = ['stopOdoo', 'stopDb', 'setSecrets', 'startDb', 'startOdoo', 'awaitReady'];

describe('the passwords after the key was replaced', () => {
  let h: Harness;
  beforeEach(() => {
    h = harness();
    writeKnownKey(h.test.store.meta, FIRST);
  });
  afterEach(() => h.remove());

  /** Its mail has not arrived. */
  function oweWelcome(): void {
    const details = { trial: false, planName: 'Basic', paidUntil: null, deleteOn: null };
    h.test.store.outbox.put(noticeOperation(h.instance(), 'welcome', '', details), KEY);
  }
  function replace(): void {
    writeKnownKey(h.test.store.meta, SECOND);
    // What a container was made from has the password in it.
    h.engine.madeFrom('h2');
  }

  it('of one that runs are set anew while nothing runs on its volumes, once', async () => {
    await h.running();
    replace();
    expect(enqueueOutdated(h.test.store, h.specOf)).equal(1);
    expect(h.test.store.jobs.all().map(({ instanceKey }) => instanceKey)).deep.equal([KEY]);
    await h.run();
    expect(h.engine.taken()).deep.equal(SET);
    expect(enqueueOutdated(h.test.store, h.specOf)).equal(0);
    await h.run();
    expect(h.engine.taken()).deep.equal([]);
  });

  it('are not set again, and nothing is stopped again, by a try after one that failed later', async () => {
    await h.running();
    replace();
    h.engine.failAfter(5, new RetryableError('docker.failed', 'slow', 'x'));
    await h.run().catch(() => undefined);
    expect(h.engine.taken()).deep.equal(SET.slice(0, 5));
    await h.run();
    expect(h.engine.taken()).deep.equal([]);
    expect(h.instance().secrets).equal('second');
  });

  for (const cut of [0, 1, 2, 3, 4]) {
    it(`are set in the end when it is cut off after ${cut} steps`, async () => {
      await h.running();
      replace();
      h.engine.failAfter(cut, new RetryableError('docker.failed', 'cut off', 'x'));
      await h.run().catch(() => undefined);
      await h.run();
      const taken = h.engine.taken();
      expect(taken.filter((step) => step === 'setSecrets')).length(1);
      expect(h.engine.running()).deep.equal([true, true]);
      expect(h.instance().secrets).equal('second');
    });
  }

  it('of a suspended one are set when it is started', async () => {
    await h.running();
    await h.runAt(utc('2026-02-15T23:00'));
    h.engine.taken();
    replace();
    expect(enqueueOutdated(h.test.store, h.specOf)).equal(0);
    await h.run();
    expect(h.engine.taken()).deep.equal([]);
    h.test.store.purchases.save([bought({ key: 'sol:2', instanceKey: KEY, startsOn: utc('2026-02-20T10:00') })]);
    await h.runAt(utc('2026-02-20T10:00'));
    expect(h.engine.taken()).deep.equal(['setSecrets', 'startDb', 'startOdoo', 'awaitReady']);
  });

  it("of one that nobody has used yet are set with its administrator's", async () => {
    h.add();
    h.engine.failAfter(2, new RetryableError('docker.failed', 'cut off', 'x'));
    await h.run().catch(() => undefined);
    h.engine.taken();
    replace();
    await h.run();
    const steps = ['setSecrets+admin', 'seedVolumes', 'startBoth', 'applySettings https://acme.example.com:20000'];
    expect(h.engine.taken()).deep.equal([...steps, 'awaitReady+login']);
  });

  const record = () => h.test.store.outbox.find(`instance:${KEY}`);

  it('of one whose customer never got the first one are set with it, and the record gets it anew', async () => {
    await h.running();
    oweWelcome();
    replace();
    await h.run();
    expect(h.engine.taken()).deep.equal(SET.map((step) => (step === 'setSecrets' ? 'setSecrets+admin' : step)));
    expect(record()).nested.include({ 'values.admin_login': 'ann@acme.example' });
  });

  it('of one whose customer is at work already leave the administrator’s alone', async () => {
    await h.running();
    const loggedInAt = new Date(h.test.now.getTime() + 60_000).toISOString();
    const usage = { users: 1, databaseBytes: 1, filestoreBytes: 1, modules: [], loggedInAt };
    h.test.store.instances.update(KEY, { usage });
    oweWelcome();
    replace();
    await h.run();
    expect(h.engine.taken()).deep.equal(SET);
    expect(record()).not.nested.include({ 'values.admin_login': 'ann@acme.example' });
  });

  it('of a new one are of the new key', async () => {
    replace();
    await h.running();
    expect(h.instance().secrets).equal('second');
    await h.run();
    expect(h.engine.taken()).deep.equal([]);
  });

  it('are left alone when the store is lost and its container was made with the key of today', async () => {
    await h.running();
    writeKnownKey(h.test.store.meta, SECOND);
    h.test.store.instances.update(KEY, { secrets: null });
    await h.run();
    expect(h.engine.taken()).deep.equal([]);
    expect(h.instance().secrets).equal('second');
  });

  it('stay as they are for whoever was made with a key that was never replaced', async () => {
    await h.running();
    h.test.store.instances.update(KEY, { secrets: null });
    expect(enqueueOutdated(h.test.store, h.specOf)).equal(0);
    await h.run();
    expect(h.engine.taken()).deep.equal([]);
  });
});
