import { expect } from 'chai';
import { type Poller, startPoller } from '../../../src/intake/poller.js';
import { RetryableError } from '../../../src/lib/errors.js';
import { createMetrics } from '../../../src/lib/metrics.js';
import type { Master } from '../../../src/odoo/master.js';
import type { PollBatch } from '../../../src/odoo/rows.js';
import { batch, deferred, keptLog, only, until } from '../reconcile/support.js';
import { type TestStore, testStore } from '../store/support.js';

const HELLO = {
  ...{ protocol: 1, addon_version: '1', odoo_version: '19.0', server_time: new Date(), database_uuid: 'u' },
  ...{ company: 'Shop', base_url: '', warnings: ['no mail server'] },
};

describe('poller', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let poller: Poller | null = null;
  let cursors: (string | null)[];
  let pages: [string, boolean][];

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    cursors = [];
    pages = [];
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
          pages.push([page.cursor, full]);
          const isNewPlan = pages.length === newPlanAt;
          return { needsFullPoll: isNewPlan };
        },
      },
      store: test.store,
      intervalMs: 5,
      fullIntervalMs,
      log,
      metrics: createMetrics(only({})),
    });
    return poller;
  }
  async function stopAfter(calls: number) {
    await until(() => cursors.length === calls);
    await poller?.stop();
  }

  it('reads everything first, page by page, then what changed since', async () => {
    test.store.meta.set('cursor', 'of an earlier life');
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
    expect(test.store.meta.get('seller')).equal('Shop');
    expect(started.lastPolledAt()).within(begunAt, Date.now());
    expect(log.events().slice(0, 2)).deep.equal(['master.reached', 'master.warning']);
  });

  it('reads everything again after a new plan, and when it is time', async () => {
    start([batch({ cursor: 'a' }), batch({ cursor: 'b' }), batch({ cursor: 'c' }), batch({ cursor: 'd' })], 1e9, 2);
    await stopAfter(4);
    expect(pages.map(([, full]) => full)).deep.equal([true, false, true, false]);
    cursors = [];
    start([batch(), batch()], 0);
    await stopAfter(2);
    expect(cursors).deep.equal([null, null]);
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

  it('keeps who sells and where, and no address that is none', async () => {
    start([batch()]);
    await stopAfter(1);
    expect(test.store.meta.get('shop_url')).equal(null);
    HELLO.base_url = 'https://shop.example.com';
    cursors = [];
    start([batch()]);
    await stopAfter(1);
    expect(test.store.meta.get('shop_url')).equal('https://shop.example.com');
    HELLO.base_url = 'javascript:alert(1)';
    cursors = [];
    start([batch()]);
    await stopAfter(1);
    expect(test.store.meta.get('shop_url')).equal(null);
    HELLO.base_url = '';
  });

  describe('a fresh look', () => {
    /** An answer that the test gives when it likes. */
    function late() {
      const { promise, resolve } = deferred();
      return { answer: promise.then(() => batch({ cursor: 'late' })), give: resolve };
    }
    const outcome = (look: Promise<void>) =>
      look.then(
        () => 'read',
        (error: unknown) => (error instanceof RetryableError ? error.code : error),
      );
    /** Answers enough for the polls of the pauses between. */
    const idle = (cursor: string) => Array.from({ length: 100 }, () => batch({ cursor }));

    it('reads everything, all pages, and is there when they were taken in', async () => {
      const started = start([
        batch({ cursor: 'a' }),
        batch({ cursor: 'b', more: true }),
        batch({ cursor: 'c' }),
        ...idle('d'),
      ]);
      await until(() => pages.length === 1);
      await started.readAfresh();
      expect(pages.slice(1, 3)).deep.equal([
        ['b', true],
        ['c', true],
      ]);
    });

    it('does not take a pass that began before it: what it had read may be old', async () => {
      const first = late();
      const second = late();
      const started = start([first.answer, second.answer, ...idle('x')]);
      await until(() => cursors.length === 1);
      let state = 'waits';
      const look = started.readAfresh().then(() => {
        state = 'read';
      });
      first.give();
      await until(() => cursors.length === 2);
      expect([state, cursors[1]]).deep.equal(['waits', null]);
      second.give();
      await look;
      expect(pages.slice(0, 2)).deep.equal([
        ['late', true],
        ['late', true],
      ]);
    });

    it('of several is one pass', async () => {
      const first = late();
      const started = start([first.answer, ...idle('x')]);
      await until(() => cursors.length === 1);
      const looks = Promise.all([started.readAfresh(), started.readAfresh(), started.readAfresh()]);
      first.give();
      await looks;
      await until(() => pages.length >= 4);
      expect(pages.filter(([, full]) => full)).length(2);
    });

    it('fails when the master cannot be read, when it cannot be taken in, and when the daemon stops', async () => {
      const away = new RetryableError('odoo.unreachable', 'no answer', 'Start it.');
      const started = start([batch(), away]);
      await until(() => pages.length === 1);
      expect(await outcome(started.readAfresh())).equal('poll.not_afresh');
      expect(log.events()).include('poll.failed');
      const look = started.readAfresh();
      await started.stop();
      expect(await outcome(look)).equal('poll.not_afresh');
      expect(await outcome(started.readAfresh()), 'after the stop').equal('poll.not_afresh');
    });

    it('fails when a stop ends its pass between two pages', async () => {
      const second = late();
      const started = start([batch({ cursor: 'a' }), second.answer.then((page) => ({ ...page, more: true }))]);
      await until(() => pages.length === 1);
      const result = outcome(started.readAfresh());
      await until(() => cursors.length === 2);
      const stopped = started.stop();
      second.give();
      expect(await result).equal('poll.not_afresh');
      await stopped;
      expect(cursors).length(2);
      expect(test.store.meta.get('cursor'), 'the pass is not done').equal('a');
    });

    it('is tried again by the next who asks', async () => {
      const away = new RetryableError('odoo.unreachable', 'no answer', 'Start it.');
      const started = start([batch(), away, batch({ cursor: 'again' })]);
      await until(() => pages.length === 1);
      expect(await outcome(started.readAfresh())).equal('poll.not_afresh');
      expect(await outcome(started.readAfresh())).equal('read');
      expect(pages.at(1)).deep.equal(['again', true]);
    });
  });
});
