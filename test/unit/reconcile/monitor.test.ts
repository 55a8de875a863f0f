import { expect } from 'chai';
import type { Engine } from '../../../src/docker/client.js';
import type { Instances } from '../../../src/docker/instances.js';
import type { ObservedInstance } from '../../../src/docker/observe.js';
import type { Phase } from '../../../src/instance/types.js';
import { type Monitor, startMonitor } from '../../../src/reconcile/monitor.js';
import { NOW, newInstance, type TestStore, testStore } from '../store/support.js';
import { keptLog, only, until } from './support.js';

describe('monitor', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let monitor: Monitor | null = null;

  beforeEach(() => {
    test = testStore();
    log = keptLog();
  });
  afterEach(async () => {
    await monitor?.stop();
    test.remove();
  });

  const container = (running: boolean) => ({ id: 'x', name: 'x', running, specHash: 'h', exitCode: null });
  const add = (name: string, phase: Phase) => {
    test.store.instances.create({ ...newInstance(`sol:${name}`), phase }, () => name);
  };
  const found = (name: string, db: boolean, odoo: boolean): [string, ObservedInstance] => [
    name,
    {
      ...{ name, key: `sol:${name}`, slot: 1, network: true, volumes: true },
      ...{ db: container(db), odoo: container(odoo) },
    },
  ];
  function start(observed: Map<string, ObservedInstance>, ping = async () => undefined) {
    let drifts = 0;
    monitor = startMonitor({
      engine: only<Engine>({ ping } as Partial<Engine>),
      instances: only<Instances>({ observeAll: async () => observed }),
      store: test.store,
      log,
      onDrift: () => {
        drifts++;
      },
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
});
