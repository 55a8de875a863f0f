import { expect } from 'chai';
import type { Phase } from '../../../src/instance/phase.js';
import type { Runtime } from '../../../src/instance/ports.js';
import type { ObservedContainer, ObservedInstance } from '../../../src/instance/types.js';
import { type Monitor, startMonitor } from '../../../src/keepers/monitor.js';
import { keptLog, only, until } from '../reconcile/support.js';
import { NOW, newInstance, type TestStore, testStore } from '../store/support.js';

describe('monitor', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let monitor: Monitor | null = null;
  let looks: number;

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    looks = 0;
  });
  afterEach(async () => {
    await monitor?.stop();
    test.remove();
  });

  const container = (running: boolean) => ({
    id: 'x',
    name: 'x',
    image: 'x:1',
    running,
    specHash: 'h',
    exitCode: null,
  });
  const add = (name: string, phase: Phase) => {
    test.store.instances.create({ ...newInstance(`sol:${name}`), phase }, () => name);
  };
  const found = (name: string, db: boolean, odoo: boolean): [string, ObservedInstance] => [
    `sol:${name}`,
    {
      ...{ name, key: `sol:${name}`, slot: 1, network: true, volumes: true },
      ...{ db: container(db), odoo: container(odoo) },
    },
  ];
  const up = (name: string, changes: Partial<ObservedContainer> = {}): [string, ObservedInstance] => {
    const [, instance] = found(name, true, true);
    return [instance.key, { ...instance, odoo: { ...container(true), id: `odoo of ${name}`, ...changes } }];
  };
  function start(observed: Map<string, ObservedInstance>, ping = async () => undefined) {
    let drifts = 0;
    test.store.bell.on('jobs', () => {
      drifts++;
    });
    monitor = startMonitor({
      runtime: only<Runtime>({
        ping,
        async observeAll() {
          looks++;
          return observed;
        },
      }),
      store: test.store,
      clock: () => test.now,
      log,
      intervalMs: 30_000,
    });
    return () => drifts;
  }
  const jobs = () => test.store.jobs.all().map(({ instanceKey }) => instanceKey);

  it('puts right what should run and does not, and what should not and does', async () => {
    for (const name of ['fine', 'down', 'half', 'gone']) add(name, 'running');
    for (const name of ['quiet', 'loud']) add(name, 'suspended');
    add('failed', 'error');
    add('noisy', 'stopped');
    const drifts = start(
      new Map([
        found('fine', true, true),
        found('down', false, false),
        found('half', true, false),
        found('quiet', false, false),
        found('loud', true, false),
        found('failed', false, false),
        found('noisy', false, true),
      ]),
    );
    await until(() => drifts() === 1);
    expect(jobs()).members(['sol:down', 'sol:half', 'sol:gone', 'sol:loud', 'sol:noisy']);
    expect(monitor?.engineCheck()).deep.equal({ ok: true, detail: 'the Docker engine answers and has 7 instances' });
  });

  it('leaves alone what a worker has in hand, and what waits for its next try', async () => {
    add('busy', 'running');
    add('waiting', 'running');
    add('due', 'running');
    for (const name of ['busy', 'waiting']) test.store.jobs.enqueue(`sol:${name}`, { reason: 'test' });
    const claims = test.store.jobs.claim(NOW, 'test', 2);
    const retryAt = new Date(NOW.getTime() + 60_000);
    for (const { instanceKey, token } of claims.slice(1)) test.store.jobs.fail(instanceKey, token, retryAt);
    const drifts = start(new Map());
    await until(() => drifts() === 1);
    expect(test.store.jobs.nextDueAt()).deep.equal(new Date(0));
    expect(test.store.jobs.claim(NOW, 'test', 9).map(({ instanceKey }) => instanceKey)).deep.equal(['sol:due']);
    expect(test.store.jobs.nextDueAt()).deep.equal(retryAt);
  });

  it('an engine that does not answer is a reason for /ready, and no drift', async () => {
    add('acme', 'running');
    start(new Map(), async () => {
      throw new Error('connect ENOENT');
    });
    await until(() => monitor?.engineCheck().detail.includes('ENOENT') === true);
    expect(monitor?.engineCheck().ok).equal(false);
    expect(jobs()).empty;
  });

  describe('one that dies again and again', () => {
    let observed: Map<string, ObservedInstance>;

    const real = { elapsed: performance.now, now: Date.now };
    let passedMs: number;

    beforeEach(async () => {
      passedMs = 0;
      performance.now = () => real.elapsed.call(performance) + passedMs;
      add('acme', 'running');
      observed = new Map([up('acme', { upSeconds: null })]);
      start(observed);
      await until(() => looks === 1);
    });
    afterEach(() => {
      performance.now = real.elapsed;
      Date.now = real.now;
    });
    /** Half a minute later, looks at what is there now. */
    async function look(...instances: [string, ObservedInstance][]): Promise<void> {
      for (const [name, instance] of instances) observed.set(name, instance);
      const before = looks;
      passedMs += 30_000;
      monitor?.wake();
      await until(() => looks > before);
      await new Promise((resolve) => setImmediate(resolve));
    }
    function work(): void {
      for (const { instanceKey, token } of test.store.jobs.claim(test.now, 'test', 9)) {
        test.store.jobs.complete(instanceKey, token, null);
      }
    }
    const isRebuilt = () => test.store.operations.of('sol:acme').some(({ kind }) => kind === 'rebuild');
    const warnings = () => log.events().filter((event) => event === 'instance.keeps_dying').length;

    it('is made anew after three deaths that the engine put right by itself', async () => {
      for (let deaths = 1; deaths <= 3; deaths++) {
        expect(isRebuilt(), `after ${deaths - 1}`).equal(false);
        await look(up('acme', { upSeconds: 4 }));
      }
      expect(isRebuilt()).equal(true);
      expect(jobs()).deep.equal(['sol:acme']);
      expect(warnings()).equal(1);
    });

    it('is made anew when the engine starts it in vain', async () => {
      for (let times = 0; times < 3; times++) await look(up('acme', { restarting: true }));
      expect(isRebuilt()).equal(true);
    });

    it('is made anew when it is found stopped three times', async () => {
      for (let times = 0; times < 3; times++) {
        await look(found('acme', true, false));
        if (times < 2) work();
      }
      expect(isRebuilt()).equal(true);
      expect(log.events().filter((event) => event === 'instance.found_stopped')).length(3);
    });

    it('counts three anew after it was made anew', async () => {
      for (let times = 0; times < 3; times++) await look(up('acme', { restarting: true }));
      work();
      test.store.operations.forget('sol:acme', 'rebuild');
      for (let times = 0; times < 2; times++) await look(up('acme', { restarting: true }));
      expect(isRebuilt()).equal(false);
      await look(up('acme', { restarting: true }));
      expect(isRebuilt()).equal(true);
      expect(warnings()).equal(2);
    });

    it('is told from one that was started on purpose: another container, or one in the hands of a worker', async () => {
      for (let times = 0; times < 4; times++) await look(up('acme', { id: `made ${times}`, upSeconds: 4 }));
      test.store.jobs.enqueue('sol:acme', { reason: 'test' });
      const [job] = test.store.jobs.claim(test.now, 'test', 1);
      for (let times = 0; times < 4; times++) await look(up('acme', { id: 'restarted', upSeconds: 4 }));
      test.store.jobs.complete('sol:acme', job?.token ?? '', null);
      await look(up('acme', { id: 'restarted', upSeconds: 20 }));
      expect(isRebuilt()).equal(false);
      expect(jobs()).empty;
    });

    it('is told from one that is up long enough since the last look', async () => {
      for (const upSeconds of [30, 40, 59, null]) await look(up('acme', { upSeconds }));
      expect(isRebuilt()).equal(false);
    });

    it('forgets deaths after a quarter of an hour', async () => {
      for (let times = 0; times < 4; times++) {
        const later = real.now() + times * 8 * 60_000;
        await look(up('acme', { restarting: true }));
        Date.now = () => later + 8 * 60_000;
      }
      expect(isRebuilt()).equal(false);
    });

    it('is not one that is suspended', async () => {
      test.store.instances.update('sol:acme', { phase: 'suspended' });
      for (let times = 0; times < 4; times++) {
        await look(up('acme', { restarting: true }));
        work();
      }
      expect(isRebuilt()).equal(false);
    });
  });

  it('tells the record what was put right', async () => {
    add('acme', 'running');
    start(new Map());
    await until(() => jobs().length === 1);
    const [log] = test.store.outbox.due(test.now, 9).map(({ operation }) => operation);
    expect(log).deep.include({
      op: 'log',
      lines: ['2026-01-15 12:00:00 It should run and does not: it is put right.'],
    });
  });
});
