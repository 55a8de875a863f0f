import { expect } from 'chai';
import { startClockKeeper } from '../../../src/keepers/clock.js';
import type { Loop } from '../../../src/lib/loop.js';
import { keptLog } from '../reconcile/support.js';
import { NOW, newInstance, type TestStore, testStore } from '../store/support.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe('the keeper of the clock', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let keeper: Loop | undefined;

  beforeEach(() => {
    test = testStore();
    log = keptLog();
  });
  afterEach(async () => {
    await keeper?.stop();
    test.remove();
  });

  async function start(): Promise<void> {
    await keeper?.stop();
    keeper = startClockKeeper({ store: test.store, clock: () => test.now, log });
  }
  const moved = (ms: number) => new Date(NOW.getTime() + ms);

  it('lets nothing wait for a time that a clock showed that ran ahead, also while the daemon was stopped', async () => {
    await start();
    test.now = moved(DAY);
    await start();
    const { jobs, outbox, instances, meta, events } = test.store;
    instances.create({ ...newInstance('sol:1'), measuredAt: test.now }, () => 'acme');
    jobs.enqueue('sol:1', { reason: 'x' });
    const [job] = jobs.claim(test.now, 'worker', 1);
    jobs.fail('sol:1', job?.token ?? '', moved(DAY + 5 * MINUTE));
    outbox.put({ op: 'log', key: 'log:1', instance_key: 'sol:1', lines: [] }, 'sol:1');
    const [entry] = outbox.due(test.now, 1);
    outbox.retry(entry?.id ?? 0, moved(DAY + 15 * MINUTE), 'no answer');
    meta.set('nightly', moved(DAY).toISOString());
    events.record('reminder:1', 'reminder');
    test.now = moved(MINUTE);
    expect([jobs.countDue(test.now), outbox.due(test.now, 1).length]).deep.equal([0, 0]);

    await start();
    expect(log.events()).deep.equal(['clock.went_back']);
    expect(jobs.countDue(test.now)).equal(1);
    expect(outbox.due(test.now, 1)).length(1);
    expect(instances.get('sol:1')?.measuredAt).equal(null);
    expect(meta.get('nightly')).equal(null);
    expect(events.countSince(test.now)).deep.equal({ reminder: 1 });
  });

  it('leaves all waits alone while the clock goes on, and where it is only corrected', async () => {
    test.store.jobs.enqueue('sol:1', { runAt: moved(DAY), reason: 'x' });
    await start();
    test.now = moved(MINUTE);
    await start();
    test.now = moved(1000);
    await start();
    expect(test.store.jobs.countDue(test.now)).equal(0);
    expect(log.lines).empty;
  });
});
