import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { RetryableError, TerminalError } from '../../../src/lib/errors.js';
import type { Loop } from '../../../src/lib/loop.js';
import { startWorker, type WorkerOptions } from '../../../src/reconcile/worker.js';
import { NOW, type TestStore, testStore } from '../store/support.js';
import { deferred, keptLog, until } from './support.js';

describe('worker', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  const workers: Loop[] = [];

  beforeEach(() => {
    test = testStore();
    log = keptLog();
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
    test.remove();
  });

  function start(reconcile: WorkerOptions['reconcile'], options: Partial<WorkerOptions> = {}): Loop {
    const worker = startWorker({
      jobs: test.store.jobs,
      reconcile,
      onFailure: () => undefined,
      clock: () => test.now,
      log,
      concurrency: 4,
      ...options,
    });
    workers.push(worker);
    return worker;
  }
  const enqueue = (...keys: string[]) => {
    for (const key of keys) test.store.jobs.enqueue(key, { reason: 'test' });
  };
  const row = (key: string) => test.store.jobs.all().find(({ instanceKey }) => instanceKey === key);

  it('one poisoned instance never blocks the others', async () => {
    enqueue('sol:1', 'sol:2', 'sol:3');
    const done: string[] = [];
    start(
      async (key) => {
        if (key === 'sol:1') throw new Error('poison');
        done.push(key);
        return null;
      },
      { concurrency: 1 },
    );
    await until(() => done.length === 2 && row('sol:1')?.attempts === 1);
    expect(done).deep.equal(['sol:2', 'sol:3']);
    expect(test.store.jobs.all().map(({ instanceKey }) => instanceKey)).deep.equal(['sol:1']);
  });

  const failures: { name: string; error: unknown; least: number; most: number }[] = [
    {
      name: 'a retryable error waits for the back-off',
      error: new RetryableError('a.b', 'x', 'y'),
      least: 0,
      most: 2e3,
    },
    { name: 'so does anything unknown', error: 'thrown text', least: 0, most: 2e3 },
    { name: 'a terminal error waits an hour', error: new TerminalError('a.b', 'x', 'y'), least: 36e5, most: 36e5 },
  ];
  for (const { name, error, least, most } of failures) {
    it(name, async () => {
      enqueue('sol:1');
      const told: [string, unknown, Date][] = [];
      start(
        async () => {
          throw error;
        },
        {
          clock: () => (told.length > 0 ? new Date(NOW.getTime() - 1) : NOW),
          onFailure: (job, cause, at) => told.push([job.instanceKey, cause, at]),
        },
      );
      await until(() => row('sol:1')?.attempts === 1);
      const runAt = row('sol:1')?.runAt ?? new Date(0);
      expect(runAt.getTime() - NOW.getTime()).within(least, most);
      expect(told).deep.equal([['sol:1', error, runAt]]);
    });
  }

  it('runs no more at once than it may', async () => {
    const gate = deferred();
    let now = 0;
    let most = 0;
    enqueue(...Array.from({ length: 9 }, (_, index) => `sol:${index}`));
    start(
      async () => {
        most = Math.max(most, ++now);
        await gate.promise;
        now--;
        return null;
      },
      { concurrency: 3 },
    );
    await until(() => now === 3);
    await sleep(15);
    expect(most).equal(3);
    gate.resolve();
    await until(() => test.store.jobs.all().length === 0);
    expect(most).equal(3);
  });

  it('keeps the next date of an instance, and what was asked for meanwhile', async () => {
    enqueue('sol:1', 'sol:2');
    const next = new Date('2026-02-15T23:00:00Z');
    const runs: string[] = [];
    start(async (key) => {
      runs.push(key);
      if (key === 'sol:2' && runs.length < 3) enqueue('sol:2');
      return next;
    });
    await until(() => runs.length === 3 && test.store.jobs.all().every(({ claimedBy }) => claimedBy === null));
    expect(runs).deep.equal(['sol:1', 'sol:2', 'sol:2']);
    expect(test.store.jobs.all().map(({ runAt }) => runAt)).deep.equal([next, next]);
  });

  it('wakes for new work', async () => {
    const done: string[] = [];
    const worker = start(async (key) => {
      done.push(key);
      return null;
    });
    await sleep(10);
    enqueue('sol:1');
    worker.wake();
    await until(() => done.length === 1);
  });

  it('stop waits for what runs and takes nothing new', async () => {
    const gate = deferred();
    const seen: string[] = [];
    enqueue('sol:1', 'sol:2');
    const worker = start(
      async (key) => {
        seen.push(key);
        await gate.promise;
        return null;
      },
      { concurrency: 1 },
    );
    await until(() => seen.length === 1);
    let stopped = false;
    const stopping = worker.stop().then(() => {
      stopped = true;
    });
    await sleep(15);
    expect(stopped).equal(false);
    gate.resolve();
    await stopping;
    expect(seen).deep.equal(['sol:1']);
    expect(test.store.jobs.all()).length(1).and.have.nested.property('[0].claimedBy', null);
  });

  it('a failure that cannot be told loses no job', async () => {
    enqueue('sol:1');
    start(
      async () => {
        throw new Error('first');
      },
      {
        onFailure() {
          throw new Error('second');
        },
      },
    );
    await until(() => row('sol:1')?.attempts === 1);
    expect(row('sol:1')?.claimedBy).equal(null);
    expect(log.lines.find(({ event }) => event === 'worker.report_failed')?.error).equal('second');
  });

  it('a queue that cannot be written ends nothing: the job is given back later, at the latest by the next start', async () => {
    enqueue('sol:1');
    const full = () => {
      throw new Error('disk full');
    };
    const worker = start(async () => null, { jobs: { ...test.store.jobs, complete: full, fail: full } });
    await until(() => log.events().includes('worker.store_failed'));
    await worker.stop();
    expect(row('sol:1')?.claimedBy).equal('worker');
    expect(test.store.jobs.releaseAll()).equal(1);
  });

  describe('a run that must wait', () => {
    it('lends its turn: the others work meanwhile, however many wait', async () => {
      const gate = deferred();
      const waiting: string[] = [];
      const done: string[] = [];
      enqueue('bad:1', 'bad:2', 'bad:3', 'good:1', 'good:2');
      start(
        async (key, outside) => {
          if (key.startsWith('bad')) {
            waiting.push(key);
            await outside(() => gate.promise);
          }
          done.push(key);
          return null;
        },
        { concurrency: 1 },
      );
      await until(() => done.length === 2);
      expect(waiting).deep.equal(['bad:1', 'bad:2', 'bad:3']);
      expect(done).deep.equal(['good:1', 'good:2']);
      expect(row('bad:1')?.claimedBy, 'it is still its own').equal('worker');
      gate.resolve();
      await until(() => done.length === 5);
    });

    it('goes on before anything new, and never more work than there are turns', async () => {
      const gate = deferred();
      const first = deferred();
      const done: string[] = [];
      let working = 0;
      let most = 0;
      const work = async (key: string, wait: Promise<void>) => {
        most = Math.max(most, ++working);
        await wait;
        await sleep(1);
        working--;
        done.push(key);
      };
      enqueue('bad:1', 'good:1', 'good:2');
      start(
        async (key, outside) => {
          if (key === 'bad:1') await outside(() => gate.promise);
          await work(key, key === 'good:1' ? first.promise : Promise.resolve());
          return null;
        },
        { concurrency: 1 },
      );
      await until(() => working === 1);
      gate.resolve();
      await sleep(5);
      first.resolve();
      await until(() => done.length === 3);
      expect([done, most]).deep.equal([['good:1', 'bad:1', 'good:2'], 1]);
    });

    it('whose wait fails has failed', async () => {
      enqueue('sol:1');
      start(async (_key, outside) => outside(() => Promise.reject(new RetryableError('a.b', 'x', 'y'))));
      await until(() => row('sol:1')?.attempts === 1);
    });

    it('is left by a stop without a failure, and taken up by the next start', async () => {
      enqueue('sol:1', 'sol:2');
      const failed: string[] = [];
      const worker = start((_key, outside) => outside(() => new Promise<never>(() => undefined)), {
        onFailure: ({ instanceKey }) => void failed.push(instanceKey),
      });
      await until(() => test.store.jobs.all().every(({ claimedBy }) => claimedBy !== null));
      await worker.stop();
      expect(failed).empty;
      expect(test.store.jobs.releaseAll()).equal(2);
      expect(row('sol:1')?.attempts).equal(0);
    });
  });
});
