import { expect } from 'chai';
import { type Poller, startPoller } from '../../../src/intake/poller.js';
import { RetryableError } from '../../../src/lib/errors.js';
import { createMetrics } from '../../../src/lib/metrics.js';
import type { Master } from '../../../src/odoo/master.js';
import type { PollBatch } from '../../../src/odoo/rows.js';
import { batch, deferred, keptLog, only, until } from '../reconcile/support.js';
import { type TestStore, testStore } from '../store/support.js';

const HELLO = {
  ...{
    protocol: 1,
    addon_version: '1',
    odoo_version: '19.0',
    server_time: new Date(),
    database_uuid: 'u',
    generation: 0,
  },
  ...{ company: 'Shop', base_url: '', warnings: ['no mail server'] },
};

describe('poller', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let poller: Poller | null = null;
  let cursors: (string | null)[];
  let pages: [string, boolean][];
  /** The times of the master, of each time it was read to its end. */
  let read: Date[];

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    cursors = [];
    pages = [];
    read = [];
  });
  afterEach(async () => {
    await poller?.stop();
    test.remove();
  });

  function start(
    answers: (PollBatch | Error | Promise<PollBatch>)[],
    fullIntervalMs = 3_600_000,
    newPlanAt = -1,
  ): Poller {
    poller = startPoller({
      master: only<Master>({
        hello: async () => HELLO,
        async poll(cursor) {
          const answer = answers.shift();
          if (!answer) throw new Error('no more answers');
          cursors.push(cursor);
          if (answer instanceof Error) throw answer;
          return answer;
        },
      }),
      ingest: {
        page(page, full) {
          pages.push([String((page as PollBatch).cursor), full]);
          const isNewPlan = pages.length === newPlanAt;
          return { needsFullPoll: isNewPlan };
        },
      },
      store: test.store,
      intervalMs: 5,
      fullIntervalMs,
      clock: () => test.now,
      log,
      metrics: createMetrics(only({})),
      onRead: (serverTime) => read.push(serverTime),
    });
    return poller;
  }
  async function stopAfter(calls: number) {
    await until(() => cursors.length === calls);
    await poller?.stop();
  }

  it('reads everything first, page by page, then what changed since', async () => {
    const begunAt = Date.now();
    const started = start([batch({ cursor: 'a', more: true }), batch({ cursor: 'b' }), batch({ cursor: 'c' })]);
    expect(started.lastPolledAt()).equal(null);
    await stopAfter(3);
    expect(cursors).deep.equal([null, 'a', 'b']);
    expect(pages).deep.equal([
      ['a', true],
      ['b', true],
      ['c', false],
    ]);
    expect(test.store.meta.get('cursor')).equal('c');
    expect(started.lastPolledAt()).within(begunAt, Date.now());
    expect(log.events().slice(0, 2)).deep.equal(['master.reached', 'master.warning']);
  });

  it('tells the time of the master each time it was read to its end, and only then', async () => {
    const [first, second] = [new Date('2026-01-15T12:00:00Z'), new Date('2026-01-15T12:00:01Z')];
    start([
      batch({ cursor: 'a', more: true }),
      batch({ cursor: 'b', serverTime: first }),
      new RetryableError('odoo.unreachable', 'no answer', 'Start it.'),
      batch({ cursor: 'c', serverTime: second }),
    ]);
    await until(() => read.length === 2);
    expect(read).deep.equal([first, second]);
    await poller?.stop();
  });

  it('reads everything again after a new plan, and when it is time', async () => {
    start([batch({ cursor: 'a' }), batch({ cursor: 'b' }), batch({ cursor: 'c' }), batch({ cursor: 'd' })], 1e9, 2);
    await stopAfter(4);
    expect(pages.map(([, full]) => full)).deep.equal([true, false, true, false]);
    cursors = [];
    start([batch({ cursor: 'e' }), batch(), batch({ cursor: 'f' }), batch()], 0);
    await stopAfter(4);
    expect(cursors).deep.equal(['d', null, 'e', null]);
  });

  it('keeps its place while the master is away, and says why', async () => {
    const started = start([batch({ cursor: 'a' }), new RetryableError('odoo.unreachable', 'no answer', 'Start it.')]);
    await until(() => started.lastError() !== null);
    expect(started.lastError()).equal('no answer');
    expect(test.store.meta.get('cursor')).equal('a');
    expect(log.lines.find(({ event }) => event === 'poll.failed')).include({
      event: 'poll.failed',
      code: 'odoo.unreachable',
      failures: 1,
    });
  });

  it('has looked once the first poll has ended, well or not', async () => {
    const away = start([new RetryableError('odoo.unreachable', 'no answer', 'Start it.')]);
    await away.looked();
    expect(away.lastError()).equal('no answer');
    await away.stop();
    const started = start([batch({ cursor: 'a', more: true }), batch({ cursor: 'b' })]);
    await started.looked();
    expect(pages.map(([cursor]) => cursor)).deep.equal(['a', 'b']);
  });

  it('says so to who waits for the first poll when it is stopped before', async () => {
    const { promise, resolve } = deferred();
    const started = start([promise.then(() => batch())]);
    const waited = started.looked().then(
      () => 'looked',
      (error: unknown) => (error instanceof RetryableError ? error.code : error),
    );
    await until(() => cursors.length === 1);
    const stopping = started.stop();
    resolve();
    await stopping;
    expect(await waited).equal('poll.stopped');
  });

  describe('a full pass', () => {
    const timeout = new RetryableError('odoo.timeout', 'no answer within 20 s', 'Wait.');
    /** A master with pages of a full pass, and news in between. */
    function master(fullPages: number) {
      const state = { cursors: [] as (string | null)[], limits: [] as number[], broken: -1, tooMany: 1e9 };
      const reader = startPoller({
        master: only<Master>({
          hello: async () => HELLO,
          async poll(cursor, limit = 500) {
            state.cursors.push(cursor);
            state.limits.push(limit);
            if (cursor?.startsWith('now') === true) return batch({ cursor: 'now' });
            const page = cursor === null ? 0 : Number(cursor.slice(1));
            if (page === state.broken && limit > state.tooMany) throw timeout;
            return batch({ cursor: page === fullPages - 1 ? 'now' : `p${page + 1}`, more: page < fullPages - 1 });
          },
        }),
        ingest: {
          page(page, full) {
            pages.push([String((page as PollBatch).cursor), full]);
            return { needsFullPoll: false };
          },
        },
        ...{ store: test.store, intervalMs: 1, fullIntervalMs: 3_600_000, clock: () => test.now },
        ...{ log, metrics: createMetrics(only({})) },
        onRead: () => undefined,
      });
      poller = reader;
      return { ...state, state, reader };
    }
    const quick = ({ cursors }: { cursors: (string | null)[] }) => cursors.filter((cursor) => cursor === 'now').length;

    it('goes a page at a time between the quick polls', async () => {
      test.store.meta.set('cursor', 'now');
      const { state } = master(3);
      await until(() => quick(state) >= 5);
      expect(state.cursors.slice(0, 8)).deep.equal(['now', null, 'now', 'p1', 'now', 'p2', 'now', 'now']);
    });

    it('has the first look behind it after the first quick poll', async () => {
      test.store.meta.set('cursor', 'now');
      const { state, reader } = master(1000);
      await reader.looked();
      expect(quick(state)).equal(1);
      expect(reader.lastPolledAt()).not.equal(null);
    });

    it('that meets a page which the master cannot give stops no quick poll', async () => {
      test.store.meta.set('cursor', 'now');
      const { state, reader } = master(3);
      Object.assign(state, { broken: 1, tooMany: 0 });
      await until(() => log.events().includes('poll.page_failed'));
      const before = quick(state);
      await until(() => quick(state) > before + 20);
      expect(
        state.cursors.filter((cursor) => cursor === null),
        'it does not begin anew',
      ).length(1);
      expect(state.cursors.filter((cursor) => cursor === 'p1').length, 'it is tried with pauses').lessThan(3);
      expect(reader.lastError()).equal(null);
    });

    it('asks for fewer rows where a page takes too long, and goes on at its place after a restart', async () => {
      test.store.meta.set('cursor', 'now');
      const { state, reader } = master(3);
      Object.assign(state, { broken: 1, tooMany: 150 });
      await until(() => log.events().includes('poll.page_failed'));
      await reader.stop();
      expect(state.limits[state.cursors.indexOf('p1')]).equal(500);
      expect(log.lines.find(({ event }) => event === 'poll.page_failed')).include({ rows: 125 });
      expect(test.store.meta.get('full_cursor')).equal('p1');
      const again = master(3);
      await until(() => quick(again.state) > 2);
      expect(again.state.cursors.slice(0, 4)).deep.equal(['now', 'p1', 'now', 'p2']);
      expect(test.store.meta.get('full_cursor')).equal(null);
    });

    it('of a new store goes on where it failed, until its end', async () => {
      const { state, reader } = master(4);
      Object.assign(state, { broken: 2, tooMany: 0 });
      await reader.looked();
      expect(reader.lastError()).equal(timeout.message);
      expect(reader.lastPolledAt()).equal(null);
      state.tooMany = 1e9;
      reader.wake();
      await until(() => reader.lastPolledAt() !== null);
      expect(state.cursors.slice(0, 5)).deep.equal([null, 'p1', 'p2', 'p2', 'p3']);
    });
  });
});
