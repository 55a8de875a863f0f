import { expect } from 'chai';
import type { Usage } from '../../../src/instance/types.js';
import { type SpaceKeeper, startSpace } from '../../../src/keepers/space.js';
import { pushOperation } from '../../../src/protocol/push.js';
import { keptLog, PLAN, until } from '../reconcile/support.js';
import { newInstance, type TestStore, testStore } from '../store/support.js';

const GB = 1024 ** 3;

describe('the disk', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let keeper: SpaceKeeper | null;
  let free: number | Error;
  let freeInodes: number;
  let looks: number;
  let measured: number;

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    keeper = null;
    looks = 0;
    measured = 0;
    freeInodes = 1;
    test.store.plans.save([PLAN, { ...PLAN, id: 2, storageGb: 0 }]);
  });
  afterEach(async () => {
    await keeper?.stop();
    test.remove();
  });

  /** Five GB are in the plan. */
  function add(key: string, usedGb: number, changes: object = {}): void {
    const usage: Usage = { users: 1, databaseBytes: usedGb * GB, filestoreBytes: 0, modules: [] };
    const row = { ...newInstance(key), phase: 'running' as const, usage, measuredAt: test.now, ...changes };
    test.store.instances.create(row, () => key);
  }
  /** Looks so many times at a disk of which this part is free. */
  async function look(part: number | Error, times = 1): Promise<void> {
    free = part;
    const wanted = looks + times;
    if (keeper === null) {
      keeper = startSpace({
        async space() {
          looks++;
          if (free instanceof Error) throw free;
          return { bytes: free, inodes: freeInodes };
        },
        onLow: () => {
          measured++;
        },
        ...{ store: test.store, clock: () => test.now, log, intervalMs: 3_600_000 },
      });
    }
    const settled = keeper;
    while (looks < wanted) {
      settled.wake();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const stopped = () => test.store.instances.all().flatMap(({ key, spaceStoppedAt }) => (spaceStoppedAt ? [key] : []));
  const owed = () =>
    test.store.outbox.due(test.now, 100).map(({ operation }) => {
      pushOperation.parse(operation);
      return operation;
    });

  it('with room enough is no matter, however far anybody is over the plan', async () => {
    add('over', 50);
    await look(0.16);
    expect(keeper?.check()).deep.equal({ ok: true, detail: '16 % of the disk of the engine are free' });
    expect([keeper?.isLow(), measured, log.lines.length, owed().length]).deep.equal([false, 0, 0, 0]);
    expect(stopped()).empty;
  });

  it('with little room has all measured, and is told once', async () => {
    add('over', 50);
    await look(0.149, 3);
    expect(keeper?.check().ok).equal(false);
    expect(keeper?.isLow()).equal(true);
    expect(keeper?.free()).equal(0.149);
    expect(measured).above(2);
    expect(log.events()).deep.equal(['disk.low']);
    expect(owed().map((operation) => 'message' in operation && operation.message)).deep.equal([
      { code: 'disk_low', params: { free_percent: 14 } },
    ]);
    expect(stopped(), 'not yet').empty;
    await look(0.2);
    expect(log.events()).deep.equal(['disk.low', 'disk.recovered']);
    expect(keeper?.isLow()).equal(false);
  });

  it('without room for one more file is as full as one without room for a byte', async () => {
    add('over', 50);
    freeInodes = 0.11;
    await look(0.9);
    await until(() => stopped().length > 0);
    expect(stopped()).deep.equal(['over']);
    expect(keeper?.check()).deep.equal({ ok: false, detail: "11 % of the disk's inodes of the engine are free" });
    expect(keeper?.free()).equal(0.11);
    expect(log.lines.find(({ event }) => event === 'disk.low')?.message).contain("11 % of the disk's inodes");
  });

  it('that is nearly full stops whoever is the furthest over the plan, one at each look, and nobody within the limit', async () => {
    const old = new Date(test.now.getTime() - 6 * 60_000);
    add('within', 5);
    add('a little', 5.4);
    add('more', 7);
    add('most', 9);
    add('unlimited', 90, { planId: 2 });
    add('down', 90, { phase: 'suspended' });
    add('measured long ago', 90, { measuredAt: old });
    await look(0.11);
    await until(() => stopped().length > 0);
    expect(stopped()).deep.equal(['most']);
    const most = test.store.instances.get('most');
    expect(most).deep.include({ spaceStoppedAt: test.now, storageOverSince: test.now });
    expect(test.store.jobs.all().map(({ instanceKey }) => instanceKey)).deep.equal(['most']);
    await look(0.11, 5);
    expect(stopped()).members(['most', 'more']);
    expect(owed().flatMap((operation) => (operation.op === 'todo' ? [operation.message] : []))).deep.equal([
      { code: 'stopped_for_space', params: { instance: 'most', plan: 'Basic' } },
      { code: 'stopped_for_space', params: { instance: 'more', plan: 'Basic' } },
    ]);
  });

  it('that cannot be read is told once, and is not ready', async () => {
    await look(new Error('no such folder'), 3);
    expect(log.events()).deep.equal(['disk.unread']);
    expect(keeper?.check()).deep.equal({
      ok: false,
      detail: 'the free space of the disk is not known: no such folder',
    });
    await look(0.5);
    expect(keeper?.check().ok).equal(true);
  });
});
