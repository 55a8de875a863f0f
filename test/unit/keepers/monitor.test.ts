import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Phase } from '../../../src/instance/phase.js';
import type { ContainerChange, Runtime } from '../../../src/instance/ports.js';
import type { Observed } from '../../../src/instance/types.js';
import { type Monitor, startMonitor } from '../../../src/keepers/monitor.js';
import { deferred, keptLog, only, until } from '../reconcile/support.js';
import { NOW, newInstance, type TestStore, testStore } from '../store/support.js';

const MINUTE = 60_000;

describe('monitor', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let monitor: Monitor | null = null;
  /** What the engine has, by key; nothing of the others. */
  let engine: Map<string, Observed>;
  /** Keys, in the order in which the engine was asked for them. */
  let asked: string[];
  let tell: (change: ContainerChange) => void;
  let connections: { resolve(): void }[];
  let pings: number;
  let open: string[];

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    engine = new Map();
    asked = [];
    connections = [];
    pings = 0;
    open = [];
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
  const NOTHING: Observed = { network: false, volumes: false, db: null, odoo: null };
  function add(name: string, phase: Phase, db?: boolean, odoo?: boolean): void {
    test.store.instances.create({ ...newInstance(`sol:${name}`), phase }, () => name);
    if (db !== undefined && odoo !== undefined) set(name, db, odoo);
  }
  function set(name: string, db: boolean, odoo: boolean): void {
    engine.set(`sol:${name}`, { network: true, volumes: true, db: container(db), odoo: container(odoo) });
  }
  function start(ping: () => Promise<void> = async () => undefined, settleMs = 1): void {
    monitor = startMonitor({
      runtime: only<Runtime>({
        async ping() {
          pings++;
          await ping();
        },
        async observe({ key }) {
          asked.push(key);
          return { ...(engine.get(key) ?? NOTHING), slot: 1 };
        },
        async watch(onChange) {
          tell = onChange;
          const { promise, resolve } = deferred();
          connections.push({ resolve });
          return { ended: promise, close: resolve };
        },
      }),
      store: test.store,
      isOpen: (key) => open.includes(key),
      clock: () => test.now,
      log,
      intervalMs: 30_000,
      settleMs,
    });
  }
  const jobs = () => test.store.jobs.all().map(({ instanceKey }) => instanceKey);
  /** Another look, and its end. */
  async function look(): Promise<void> {
    for (let looks = 0; looks < 2; looks++) {
      const before = pings;
      monitor?.wake();
      await until(() => pings > before);
    }
    await sleep(2);
  }
  async function started(ping?: () => Promise<void>): Promise<void> {
    start(ping);
    await look();
  }
  function work(): void {
    for (const { instanceKey, token } of test.store.jobs.claim(test.now, 'test', 9)) {
      test.store.jobs.complete(instanceKey, token, null);
    }
  }
  const later = (ms: number) => {
    test.now = new Date(test.now.getTime() + ms);
  };
  const isRebuilt = () => test.store.operations.of('sol:acme').some(({ kind }) => kind === 'rebuild');
  const times = (event: string) => log.events().filter((one) => one === event).length;

  it('puts right what should run and does not, and what should not and does', async () => {
    add('fine', 'running', true, true);
    add('down', 'running', false, false);
    add('half', 'running', true, false);
    add('gone', 'running');
    add('quiet', 'suspended', false, false);
    add('loud', 'suspended', true, false);
    add('failed', 'error', false, false);
    add('noisy', 'stopped', false, true);
    await started();
    expect(jobs()).members(['sol:down', 'sol:half', 'sol:gone', 'sol:loud', 'sol:noisy']);
    expect(monitor?.engineCheck()).deep.equal({ ok: true, detail: 'the Docker engine answers' });
  });

  it('lets the database of one that is down run for whoever reads it, and looks after one that is to run all the same', async () => {
    add('read', 'suspended', true, false);
    add('asleep', 'running', true, false);
    test.store.instances.update('sol:asleep', { asleepSince: test.now });
    add('awake', 'running', true, false);
    open = ['sol:read', 'sol:asleep', 'sol:awake'];
    await started();
    expect(jobs()).deep.equal(['sol:awake']);
    open = [];
    await look();
    expect(jobs()).members(['sol:awake', 'sol:read', 'sol:asleep']);
  });

  it('leaves alone what a worker has in hand, and what waits for its next try', async () => {
    for (const name of ['busy', 'waiting', 'due']) add(name, 'running');
    for (const name of ['busy', 'waiting']) test.store.jobs.enqueue(`sol:${name}`, { reason: 'test' });
    const claims = test.store.jobs.claim(NOW, 'test', 2);
    const retryAt = new Date(NOW.getTime() + 60_000);
    for (const { instanceKey, token } of claims.slice(1)) test.store.jobs.fail(instanceKey, token, retryAt);
    await started();
    expect([...new Set(asked)]).deep.equal(['sol:due']);
    expect(test.store.jobs.nextDueAt()).deep.equal(new Date(0));
    expect(test.store.jobs.claim(NOW, 'test', 9).map(({ instanceKey }) => instanceKey)).deep.equal(['sol:due']);
    expect(test.store.jobs.nextDueAt()).deep.equal(retryAt);
  });

  it('leaves alone what a worker took while the engine was asked', async () => {
    add('acme', 'running');
    const real = test.store.jobs.isInHand;
    let calls = 0;
    test.store.jobs.isInHand = (key) => ++calls > 1 || real(key);
    await started();
    expect(jobs()).empty;
  });

  it('an engine that does not answer is a reason for /ready, and no drift', async () => {
    add('acme', 'running');
    start(async () => {
      throw new Error('connect ENOENT');
    });
    await until(() => monitor?.engineCheck().detail.includes('ENOENT') === true);
    expect(monitor?.engineCheck().ok).equal(false);
    expect(jobs()).empty;
  });

  it('tells the managers of an engine that is away for a quarter of an hour, once', async () => {
    await started(async () => {
      throw new Error('connect ENOENT');
    });
    const told = () => test.store.outbox.due(test.now, 9).map(({ operation }) => operation);
    expect(told()).empty;
    for (let minutes = 0; minutes < 60; minutes += 5) {
      later(5 * MINUTE);
      await look();
    }
    expect(told()).deep.equal([
      {
        ...{ op: 'summary', key: 'engine:2026-01-15T12:00:00.000Z' },
        message: { code: 'engine_away', params: { since: '2026-01-15 12:00:00', reason: 'connect ENOENT' } },
      },
    ]);
  });

  it('looks at a few each time, however many there are, round all of them', async () => {
    const names = Array.from({ length: 50 }, (_, index) => String(index).padStart(3, '0'));
    for (const name of names) add(name, 'running', true, true);
    await started();
    // The first round is quick: nobody knows what happened before.
    await until(() => asked.length >= 50);
    expect(asked.slice(0, 50)).deep.equal(names.map((name) => `sol:${name}`));
    await until(() => monitor?.engineCheck().ok === true);
    await sleep(150);
    asked.length = 0;
    const before = pings;
    monitor?.wake();
    await until(() => pings > before && asked.length > 0);
    await sleep(5);
    expect(asked.length).equal(20);
  });

  it('looks at once where the engine tells of something', async () => {
    for (const name of ['acme', 'beta']) add(name, 'running', true, true);
    await started();
    set('acme', true, false);
    asked.length = 0;
    tell({ key: 'sol:acme', died: true });
    await until(() => jobs().length === 1);
    expect(asked[0]).equal('sol:acme');
    expect(log.lines.find(({ event }) => event === 'instance.found_stopped')).include({ instance: 'acme' });
  });

  describe('one that dies again and again', () => {
    beforeEach(async () => {
      add('acme', 'running', true, true);
      await started();
    });
    /** It ended by itself, and the engine has started it again. */
    async function die(): Promise<void> {
      tell({ key: 'sol:acme', died: true });
      await look();
    }

    it('is made anew after three deaths that the engine put right by itself', async () => {
      for (let deaths = 1; deaths <= 3; deaths++) {
        expect(isRebuilt(), `after ${deaths - 1}`).equal(false);
        await die();
      }
      expect(isRebuilt()).equal(true);
      expect(jobs()).deep.equal(['sol:acme']);
      expect(times('instance.keeps_dying')).equal(1);
    });

    it('is made anew when it is found stopped three times', async () => {
      set('acme', true, false);
      for (let looks = 0; looks < 3; looks++) {
        await look();
        if (!isRebuilt()) work();
      }
      expect(isRebuilt()).equal(true);
    });

    it('is made anew when the engine starts it in vain', async () => {
      engine.set('sol:acme', {
        ...{ network: true, volumes: true, db: container(true) },
        odoo: { ...container(true), restarting: true },
      });
      for (let looks = 0; looks < 3; looks++) await look();
      expect(isRebuilt()).equal(true);
    });

    it('is not made anew again within the hour, and counted anew after it', async () => {
      for (let deaths = 0; deaths < 3; deaths++) await die();
      work();
      test.store.operations.forget('sol:acme', 'rebuild');
      for (let deaths = 0; deaths < 9; deaths++) {
        later(5 * MINUTE);
        await die();
      }
      expect(isRebuilt()).equal(false);
      for (let deaths = 0; deaths < 4; deaths++) {
        later(5 * MINUTE);
        await die();
      }
      expect(isRebuilt()).equal(true);
    });

    it('is not one that waits to be put right: that counts once', async () => {
      set('acme', false, false);
      for (let looks = 0; looks < 5; looks++) await die();
      expect(isRebuilt()).equal(false);
      expect(times('instance.found_stopped')).equal(1);
    });

    it('counts once, though its turn in the round comes before the engine’s word has settled', async () => {
      await monitor?.stop();
      start(undefined, 60);
      await look();
      for (let deaths = 1; deaths <= 2; deaths++) {
        set('acme', true, false);
        tell({ key: 'sol:acme', died: true });
        await look();
        expect(jobs(), 'not yet').empty;
        await until(() => jobs().length === 1);
        set('acme', true, true);
        work();
      }
      expect(isRebuilt()).equal(false);
    });

    it('is told from one that a worker stopped', async () => {
      for (let restarts = 0; restarts < 4; restarts++) {
        test.store.jobs.enqueue('sol:acme', { reason: 'test' });
        const [job] = test.store.jobs.claim(test.now, 'test', 1);
        tell({ key: 'sol:acme', died: true });
        test.store.jobs.complete('sol:acme', job?.token ?? '', null);
        await look();
      }
      expect(isRebuilt()).equal(false);
      expect(jobs()).empty;
    });

    it('forgets deaths after a quarter of an hour', async () => {
      for (let deaths = 0; deaths < 4; deaths++) {
        later(8 * MINUTE);
        await die();
      }
      expect(isRebuilt()).equal(false);
    });

    it('is not one that is suspended', async () => {
      test.store.instances.update('sol:acme', { phase: 'suspended' });
      for (let deaths = 0; deaths < 4; deaths++) {
        await die();
        work();
      }
      expect(isRebuilt()).equal(false);
    });
  });

  describe('the engine’s own restart', () => {
    /** All containers end and with them the connection; then the engine starts them, or does not. */
    async function restart(): Promise<void> {
      tell({ key: 'sol:acme', died: true });
      connections.at(-1)?.resolve();
      const before = connections.length;
      await until(() => connections.length > before);
      await look();
    }

    it('is no death of any instance, however often', async () => {
      add('acme', 'running', true, true);
      await started();
      for (let restarts = 0; restarts < 5; restarts++) await restart();
      expect(isRebuilt()).equal(false);
      expect(jobs()).empty;
    });

    it('that leaves them down is put right, and is no death either', async () => {
      add('acme', 'running', true, true);
      await started();
      for (let restarts = 0; restarts < 5; restarts++) {
        const puttingRight = times('instance.found_stopped');
        set('acme', false, false);
        connections.at(-1)?.resolve();
        await until(() => times('instance.found_stopped') > puttingRight);
        set('acme', true, true);
        work();
      }
      expect(isRebuilt()).equal(false);
    });

    it('is followed by a quick round over all: what happened meanwhile was not told', async () => {
      for (let index = 0; index < 45; index++) add(`n${index + 100}`, 'running', true, true);
      await started();
      await until(() => asked.length >= 45);
      await sleep(150);
      asked.length = 0;
      await restart();
      await until(() => new Set(asked).size >= 45);
    });
  });

  it('tells the record what was put right, and ever more seldom', async () => {
    add('acme', 'running');
    await started();
    const [first] = test.store.outbox.due(test.now, 9).map(({ operation }) => operation);
    expect(first).deep.include({
      op: 'log',
      lines: ['2026-01-15 12:00:00 It should run and does not: it is put right.'],
    });
    for (let looks = 0; looks < 20; looks++) {
      work();
      await look();
    }
    expect(test.store.outbox.backlog(test.now).count).within(2, 8);
    expect(times('instance.found_stopped')).greaterThan(18);
  });
});
