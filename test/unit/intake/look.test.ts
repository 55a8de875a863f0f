import { expect } from 'chai';
import { createIngest } from '../../../src/intake/ingest.js';
import { createLook } from '../../../src/intake/look.js';
import { RetryableError } from '../../../src/lib/errors.js';
import type { Master } from '../../../src/odoo/master.js';
import type { Rows } from '../../../src/odoo/rows.js';
import { batch, bought, CUSTOMER, deferred, keptLog, only, PLAN, POLICY } from '../reconcile/support.js';
import { newInstance, type TestStore, testStore } from '../store/support.js';

describe('a fresh look', () => {
  let test: TestStore;
  let asked: [string, string[]][];

  beforeEach(() => {
    test = testStore();
    asked = [];
    test.store.instances.create(newInstance('sol:1'), () => 'acme');
    test.store.purchases.save([
      bought({ instanceKey: 'sol:1' }),
      bought({ key: 'sol:2', customer: { ...CUSTOMER, id: 5 } }),
    ]);
  });
  afterEach(() => test.remove());

  const ROWS: Rows = { plans: [PLAN], purchases: [], instances: [], commands: [], rejected: [] };
  function start(answer: (ingest: ReturnType<typeof createIngest>) => Rows) {
    const log = keptLog();
    const ingest = createIngest({
      store: test.store,
      policy: POLICY,
      firstToExpire: false,
      clock: () => test.now,
      log,
    });
    const master = only<Master>({
      async look(key, known) {
        asked.push([key, known]);
        return answer(ingest);
      },
    });
    return createLook({ master, store: test.store, ingest });
  }
  const failure = (look: Promise<void>) =>
    look.then(
      () => 'none',
      (error: unknown) => (error instanceof RetryableError ? `${error.code}: ${error.message}` : error),
    );

  it('asks for one instance with what is known of it, and takes in what there is', async () => {
    const renewal = bought({ key: 'sol:3', instanceKey: 'sol:1' });
    await start(() => ({ ...ROWS, purchases: [renewal] }))('sol:1');
    expect(asked).deep.equal([['sol:1', ['sol:1']]]);
    expect(test.store.purchases.byInstance('sol:1').map(({ key }) => key)).deep.equal(['sol:1', 'sol:3']);
  });

  it('takes in what its customer bought that is for no instance yet', async () => {
    await start(() => ({ ...ROWS, purchases: [bought({ key: 'sol:3' })] }))('sol:1');
    expect(test.store.purchases.get('sol:3')?.instanceKey).equal('sol:1');
  });

  it('is no look where the master cannot be read, nor where a row of it makes no sense', async () => {
    const away = start(() => {
      throw new RetryableError('odoo.unreachable', 'no answer', 'Start it.');
    });
    const before = 'poll.not_afresh: the master could not be read before a deletion: ';
    expect(await failure(away('sol:1'))).equal(`${before}no answer`);
    const rejected = [{ kind: 'purchase' as const, key: 'sol:3', id: null, problem: 'no period' }];
    expect(await failure(start(() => ({ ...ROWS, rejected }))('sol:1'))).equal(`${before}no period`);
  });

  it('is one of two at once: the others wait, and leave the master to polls and writes', async () => {
    const gate = deferred();
    let now = 0;
    let most = 0;
    const look = createLook({
      master: only<Master>({
        async look() {
          most = Math.max(most, ++now);
          await gate.promise;
          now--;
          return ROWS;
        },
      }),
      store: test.store,
      ingest: { page: () => ({ needsFullPoll: false }), pages: () => 0 },
    });
    const looks = Promise.all(Array.from({ length: 20 }, () => look('sol:1')));
    await new Promise((resolve) => setImmediate(resolve));
    gate.resolve();
    await looks;
    expect(most).equal(2);
  });

  it('is made again where a poll was taken in meanwhile, which may know better', async () => {
    let polls = 0;
    const old = bought({ key: 'sol:3', instanceKey: 'sol:1', state: 'cancelled' });
    const look = start((ingest) => {
      if (polls++ === 0) ingest.page(batch({ purchases: [{ ...old, state: 'open' }] }), false);
      return polls === 1 ? { ...ROWS, purchases: [old] } : ROWS;
    });
    await look('sol:1');
    expect(asked).length(2);
    expect(test.store.purchases.get('sol:3')?.state).equal('open');
  });

  it('has an end where polls never stop coming in between', async () => {
    const look = start((ingest) => {
      ingest.page(batch(), false);
      return ROWS;
    });
    expect(await failure(look('sol:1'))).match(/polls came in between/);
  });
});
