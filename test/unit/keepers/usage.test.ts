import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { readFacts } from '../../../src/facts/facts.js';
import type { Phase } from '../../../src/instance/phase.js';
import type { InstanceSpec } from '../../../src/instance/spec.js';
import type { Usage } from '../../../src/instance/types.js';
import { UnreadableError } from '../../../src/instance/unreadable.js';
import { pauseMs, startUsage } from '../../../src/keepers/usage.js';
import { RetryableError } from '../../../src/lib/errors.js';
import type { Loop } from '../../../src/lib/loop.js';
import { deferred, keptLog, only, PLAN, POLICY, until } from '../reconcile/support.js';
import { NOW, newInstance, places, type TestStore, testStore } from '../store/support.js';

const HOUR_MS = 3_600_000;
const GB = 1024 ** 3;
const USAGE: Usage = { users: 2, databaseBytes: 2 * GB, filestoreBytes: GB, modules: ['crm', 'sale'] };

describe('measuring', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  /** Names, in the order in which they were measured. */
  let measured: string[];
  let limits: number;
  let isPressing: boolean;
  let loop: Loop | null;

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    measured = [];
    limits = 0;
    isPressing = false;
    loop = null;
    test.store.plans.save([PLAN]);
  });
  afterEach(async () => {
    await loop?.stop();
    test.remove();
  });

  function start(usageOf: (name: string) => Usage | Promise<Usage> = () => USAGE): void {
    loop = startUsage({
      store: test.store,
      async measure({ name }) {
        measured.push(name);
        return usageOf(name);
      },
      specOf: ({ instance }) => only<InstanceSpec>({ name: instance.name }),
      intervalMs: 6 * HOUR_MS,
      isPressing: () => isPressing,
      clock: () => test.now,
      log,
    });
    test.store.bell.on('jobs', () => {
      limits++;
    });
  }
  function add(name: string, phase: Phase = 'running', measuredHoursAgo: number | null = null): void {
    const measuredAt = measuredHoursAgo === null ? null : new Date(test.now.getTime() - measuredHoursAgo * HOUR_MS);
    test.store.instances.create({ ...newInstance(name), phase, measuredAt }, () => name);
    test.store.placements.allocate(name, places(100));
  }
  const later = (hours: number) => {
    test.now = new Date(test.now.getTime() + hours * HOUR_MS);
    loop?.wake();
  };
  const get = (name: string) => test.store.instances.get(name);

  describe('of one that cannot be measured', () => {
    const unreadable = new RetryableError('usage.unreadable', 'no such table', 'x');
    const todos = () => test.store.outbox.owed().filter(({ operation }) => operation.op === 'todo');
    async function fails(error: Error, times: number): Promise<void> {
      add('odd');
      start(() => Promise.reject(error));
      for (let tries = 1; tries <= times; tries++) {
        await until(() => measured.length === tries);
        await until(() => get('odd')?.measuredAt?.getTime() === test.now.getTime());
        if (tries < times) later(7);
      }
    }

    it('is a to-do after a day, once, and counts as over', async () => {
      await fails(unreadable, 4);
      expect(todos()).deep.equal([]);
      const { jobs } = test.store;
      expect(jobs.all()).deep.equal([]);
      for (const tries of [5, 6]) {
        later(7);
        await until(() => measured.length === tries);
        await until(() => get('odd')?.measuredAt?.getTime() === test.now.getTime());
      }
      const since = '2026-01-15 12:00:00';
      expect(todos().map(({ operation }) => operation)).deep.equal([
        {
          ...{ op: 'todo', instance_key: 'odd', key: `todo:odd:unreadable:${NOW.getTime()}` },
          message: { code: 'usage_unreadable', params: { instance: 'odd', since, reason: 'no such table' } },
        },
      ]);
      expect(jobs.all().map(({ reason }) => reason)).deep.equal(['it cannot be measured']);
      expect(readFacts(test.store, POLICY, 'odd', test.now)?.storageOverSince).deep.equal(test.now);
    });

    it('is over all the same by what is on the disk: who hides the users hides no files', async () => {
      const stored = { databaseBytes: 3 * GB, filestoreBytes: 3 * GB };
      await fails(new UnreadableError('usage.unreadable', 'no such table', 'x', stored), 2);
      expect(get('odd')?.usage).deep.equal({ users: 0, modules: [], ...stored });
      expect(test.store.jobs.all().map(({ reason }) => reason)).deep.equal(['its use of storage changed']);
    });

    it('is forgotten with the first measure that succeeds', async () => {
      add('odd');
      start(() => (measured.length < 3 ? Promise.reject(unreadable) : USAGE));
      for (const tries of [1, 2, 3]) {
        await until(() => measured.length === tries);
        await until(() => get('odd')?.measuredAt?.getTime() === test.now.getTime());
        later(7);
      }
      expect(get('odd')).include({ unreadableSince: null });
      expect(get('odd')?.usage).deep.equal(USAGE);
    });

    it('is not its own fault while the engine is away, or slow with everybody', async () => {
      await fails(new RetryableError('docker.unreachable', 'away', 'x'), 6);
      expect(get('odd')).include({ unreadableSince: null });
      expect(todos()).deep.equal([]);
      await loop?.stop();
      measured = [];
      start(() => Promise.reject(new RetryableError('docker.timeout', 'slow', 'x')));
      for (const tries of [1, 2, 3, 4, 5, 6]) {
        later(7);
        await until(() => measured.length === tries);
      }
      expect(todos()).deep.equal([]);
    });
  });

  it('takes those that run, one after the other, the one that waited longest first', async () => {
    add('fresh', 'running', 5);
    add('old', 'running', 7);
    add('older', 'running', 30);
    add('never');
    for (const phase of ['draft', 'provisioning', 'suspended', 'stopped', 'error', 'deleting', 'deleted'] as const) {
      add(phase, phase);
    }
    start();
    await until(() => measured.length === 3);
    await sleep(20);
    expect(measured).deep.equal(['never', 'older', 'old']);
    later(2);
    await until(() => measured.length === 4);
    expect(measured.at(-1)).equal('fresh');
  });

  it('takes all of them at once while the disk is nearly full', async () => {
    for (const name of ['one', 'two', 'three']) add(name, 'running', 1);
    isPressing = true;
    start();
    await until(() => measured.length === 3);
    await sleep(20);
    expect(measured, 'what was measured just now').length(3);
  });

  it('keeps and reports what was measured, and nothing else', async () => {
    add('acme');
    start();
    await until(() => get('acme')?.usage != null);
    expect(get('acme')).deep.include({ usage: USAGE, measuredAt: test.now, phase: 'running' });
    expect(test.store.outbox.due(test.now, 9).map(({ operation }) => operation)).deep.equal([
      {
        op: 'instance',
        key: 'instance:acme',
        instance_key: 'acme',
        values: {
          users_used: 2,
          storage_used_mb: 3072,
          modules_installed: 'crm,sale',
          measured_on: '2026-01-15 12:00:00',
          storage_over_since: null,
        },
      },
    ]);
    expect(test.store.jobs.all(), 'it is within its limits').empty;
    expect(limits).equal(0);
  });

  it('is fair: one that cannot be measured waits for its next turn like all', async () => {
    for (const name of ['a', 'bad', 'c']) add(name);
    start((name) => {
      if (name === 'bad') throw new Error('no such table');
      return USAGE;
    });
    await until(() => measured.length === 3);
    await sleep(20);
    expect(measured).members(['a', 'bad', 'c']);
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).deep.equal([
      'bad could not be measured: no such table',
    ]);
    expect(get('bad')?.usage).equal(null);
    later(7);
    await until(() => measured.length === 6);
    expect(measured.slice(3)).members(['a', 'bad', 'c']);
  });

  it('is bounded: never two at once, and a pause of nine times the time it took', async () => {
    add('a');
    add('b');
    const slow = deferred();
    const at: number[] = [];
    start(async () => {
      at.push(performance.now());
      await slow.promise;
      at.push(performance.now());
      return USAGE;
    });
    await sleep(60);
    expect(measured).length(1);
    slow.resolve();
    await until(() => at.length >= 3);
    const [begun = 0, ended = 0, next = 0] = at;
    expect(next - ended).least(9 * (ended - begun) - 5);
  });

  it('makes shorter pauses the later it is, and none from a quarter of the interval on', () => {
    const pauses = [-5, 0, 0.75, 1.5, 20].map((hours) => pauseMs(1000, hours * HOUR_MS, 6 * HOUR_MS));
    expect(pauses).deep.equal([9000, 9000, 4500, 0, 0]);
    expect(pauseMs(60_000, 0, 6 * HOUR_MS)).equal(30_000);
  });

  it('leaves one alone that was suspended meanwhile', async () => {
    add('acme');
    const slow = deferred();
    start(async () => {
      await slow.promise;
      return USAGE;
    });
    await until(() => measured.length === 1);
    test.store.instances.update('acme', { phase: 'suspended' });
    slow.resolve();
    await sleep(10);
    expect(get('acme')).include({ usage: null, measuredAt: null });
    expect(test.store.outbox.backlog(test.now).count).equal(0);
  });

  it('makes work when the storage is over its limit, once, and when it is within it again', async () => {
    add('acme');
    let used = 5 * GB + 1;
    start(() => ({ ...USAGE, databaseBytes: used, filestoreBytes: 0 }));
    const jobs = () => test.store.jobs.all().length;
    await until(() => limits === 1);
    expect(jobs()).equal(1);
    const [job] = test.store.jobs.claim(test.now, 'test', 1);
    test.store.instances.update('acme', { storageOverSince: test.now });
    test.store.jobs.complete('acme', job?.token ?? '', null);
    later(7);
    await until(() => measured.length === 2);
    await sleep(10);
    expect([limits, jobs()]).deep.equal([1, 0]);
    used = 5 * GB;
    later(7);
    await until(() => limits === 2);
    expect(jobs()).equal(1);
  });

  it('knows no limit where the plan has none', async () => {
    test.store.plans.save([{ ...PLAN, storageGb: 0 }]);
    add('acme');
    start(() => ({ ...USAGE, filestoreBytes: 900 * GB }));
    await until(() => get('acme')?.usage != null);
    await sleep(10);
    expect([limits, test.store.jobs.all().length]).deep.equal([0, 0]);
  });
});
