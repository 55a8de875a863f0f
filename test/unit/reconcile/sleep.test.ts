import { expect } from 'chai';
import { wakerIn } from '../../../src/keepers/front.js';
import { utc } from '../subscription/support.js';
import { type Harness, harness, KEY } from './harness.js';
import { bought, PLAN } from './support.js';

/** It began to run on 15 January at noon. */
const IDLE = utc('2026-01-15T14:00');
const LATER = utc('2026-01-15T20:00');
const DOWN = ['stopOdoo', 'stopDb'];
const UP = ['startDb', 'startOdoo', 'awaitReady'];

describe('an instance that sleeps', () => {
  let h: Harness;
  beforeEach(() => {
    h = harness();
    h.test.store.plans.save([{ ...PLAN, sleep: { afterHours: 2, hourly: false } }]);
  });
  afterEach(() => h.remove());

  const wake = () => wakerIn(h.test.store, () => h.test.now)(KEY);

  async function asleep(): Promise<void> {
    await h.running();
    await h.runAt(IDLE);
    expect(h.engine.taken()).deep.equal(DOWN);
    h.owed();
  }

  it('is looked at when it may sleep, and is down then, running all the same', async () => {
    h.add();
    expect(await h.run()).deep.equal(IDLE);
    h.engine.taken();
    h.owed();
    await h.runAt(IDLE);
    expect(h.engine.taken()).deep.equal(DOWN);
    expect(h.values()).include({ state: 'running', subscription_state: 'active', asleep_since: '2026-01-15 14:00:00' });
    expect(h.log.events()).include('instance.asleep');
    await h.runAt(LATER);
    expect(h.engine.taken()).empty;
    expect(h.instance().asleepSince).deep.equal(IDLE);
  });

  it('stays awake where its Odoo has had a visitor since', async () => {
    await h.running();
    h.engine.visited(utc('2026-01-15T13:30'));
    expect(await h.runAt(IDLE)).deep.equal(utc('2026-01-15T15:30'));
    expect(h.engine.taken()).empty;
    await h.runAt(utc('2026-01-15T15:30'));
    expect(h.engine.taken()).deep.equal(DOWN);
  });

  it('is not kept awake by a visit that is yet to come', async () => {
    await h.running();
    h.engine.visited(utc('2036-01-15T13:30'));
    await h.runAt(IDLE);
    expect(h.instance().visitedAt).deep.equal(IDLE);
  });

  it('is woken by a visitor, and sleeps again when nobody comes any more', async () => {
    await asleep();
    h.test.now = LATER;
    wake();
    expect(h.test.store.jobs.claim(h.test.now, 'w', 1).map(({ instanceKey }) => instanceKey)).deep.equal([KEY]);
    expect(await h.run()).deep.equal(utc('2026-01-15T22:00'));
    expect(h.engine.taken()).deep.equal(UP);
    expect(h.values()).include({ state: 'running', asleep_since: null });
    expect(h.log.events()).include('instance.awake');
    await h.runAt(utc('2026-01-15T22:00'));
    expect(h.engine.taken()).deep.equal(DOWN);
  });

  it('is woken for its scheduled actions where the plan says so', async () => {
    h.test.store.plans.save([{ ...PLAN, sleep: { afterHours: 2, hourly: true } }]);
    await asleep();
    expect(await h.run()).deep.equal(utc('2026-01-15T15:00'));
    expect(await h.runAt(utc('2026-01-15T15:00'))).deep.equal(utc('2026-01-15T15:05'));
    expect(h.engine.taken()).deep.equal(UP);
    expect(await h.runAt(utc('2026-01-15T15:05'))).deep.equal(utc('2026-01-15T16:05'));
    expect(h.engine.taken()).deep.equal(DOWN);
  });

  it('is awake for what staff ask of it, and after it sleeps again', async () => {
    await asleep();
    h.ask('restart');
    expect(await h.runAt(LATER)).deep.equal(utc('2026-01-15T20:05'));
    expect(h.engine.taken()).deep.equal(['stopOdoo', ...UP]);
    expect(h.answers()).length(1);
    await h.runAt(utc('2026-01-15T20:05'));
    expect(h.engine.taken()).deep.equal(DOWN);
  });

  it('is renewed, reminded and suspended as all others', async () => {
    await asleep();
    h.test.store.purchases.save([bought({ key: 'sol:2', instanceKey: KEY, startsOn: utc('2026-01-20T20:00') })]);
    await h.runAt(utc('2026-01-20T20:00'));
    expect(h.mails()).deep.equal(['renewed:2026-03-15T12:00:00.000Z']);
    await h.runAt(utc('2026-03-07T23:00'));
    expect(h.mails()).length(1);
    expect(h.engine.taken()).empty;
    await h.runAt(utc('2026-03-15T23:00'));
    expect(h.mails()).deep.equal(['suspended:2026-03-15T23:00:00Z']);
    expect(h.instance()).include({ phase: 'suspended', asleepSince: null });
  });

  it('does not sleep any more when its plan does not', async () => {
    await asleep();
    h.test.store.plans.save([PLAN]);
    await h.runAt(LATER);
    expect(h.engine.taken()).deep.equal(UP);
  });

  it('is given the limits that its plan has got meanwhile when it wakes', async () => {
    await asleep();
    h.test.store.plans.save([{ ...PLAN, memoryMb: 2048, sleep: { afterHours: 2, hourly: false } }]);
    await h.runAt(LATER);
    expect(h.engine.taken()).empty;
    wake();
    await h.run();
    expect(h.engine.taken()).deep.equal(['applyLimits', ...UP]);
  });
});
