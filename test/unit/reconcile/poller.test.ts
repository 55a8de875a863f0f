import { expect } from 'chai';
import { RetryableError } from '../../../src/errors.js';
import { createMetrics } from '../../../src/metrics.js';
import type { Master } from '../../../src/odoo/master.js';
import type { PollBatch } from '../../../src/odoo/rows.js';
import { type Poller, startPoller } from '../../../src/reconcile/poller.js';
import { type TestStore, testStore } from '../store/support.js';
import { batch, keptLog, only, until } from './support.js';

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

  function start(answers: (PollBatch | Error)[], fullIntervalMs = 3_600_000, newPlanAt = -1): Poller {
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
          return { plansChanged: isNewPlan, needsFullPoll: isNewPlan };
        },
      },
      store: test.store,
      intervalMs: 5,
      fullIntervalMs,
      log,
      metrics: createMetrics(only({})),
      onPolled: () => undefined,
    });
    return poller;
  }
  async function stopAfter(calls: number) {
    await until(() => cursors.length === calls);
    await poller?.stop();
  }

  it('reads everything first, page by page, then what changed since', async () => {
    test.store.meta.set('cursor', 'of an earlier life');
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
    expect(Date.now() - (started.lastPolledAt() ?? 0)).below(2000);
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
});
