import { expect } from 'chai';
import { startNightly } from '../../../src/keepers/nightly.js';
import type { Loop } from '../../../src/lib/loop.js';
import { keptLog, until } from '../reconcile/support.js';
import { newInstance, type TestStore, testStore } from '../store/support.js';
import { utc } from '../subscription/support.js';

describe('the night', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let chores: number;
  let timeZone: string;
  let night: Loop | null;
  let events: number;

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    chores = 0;
    events = 0;
    timeZone = 'Europe/Madrid';
    night = null;
  });
  afterEach(async () => {
    await night?.stop();
    test.remove();
  });

  function start(how: Partial<Parameters<typeof startNightly>[0]> = {}): void {
    night = startNightly({
      store: test.store,
      clock: () => test.now,
      log,
      timeZone,
      chores: async () => {
        chores++;
      },
      ...how,
    });
  }
  const told = () => log.lines.filter(({ event }) => event === 'nightly.summary');
  /** At that moment the loop looks; resolves when it has had its chance. */
  async function at(moment: string): Promise<void> {
    test.now = utc(moment);
    night?.wake();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  /** Begins in the afternoon of 15 Jan. */
  async function started(): Promise<void> {
    start();
    await until(() => test.store.meta.get('nightly') !== null);
  }
  const happened = (kind: string) => test.store.events.record(`event ${++events}`, kind);
  const summaries = () =>
    test.store.outbox
      .due(new Date(), 100)
      .map(({ operation }) => operation)
      .filter((operation) => operation.op === 'summary');

  it('is none before the first start of all', async () => {
    happened('suspension');
    await started();
    await at('2026-01-15T12:10');
    expect([told().length, chores]).deep.equal([0, 0]);
  });

  it('is told of once, at midnight in the configured zone, with all that was done', async () => {
    await started();
    test.now = utc('2026-01-15T22:00');
    for (const kind of ['reminder', 'reminder', 'suspended', 'suspension', 'provision']) happened(kind);
    test.store.instances.create({ ...newInstance('sol:1'), phase: 'error' }, () => 'acme');
    for (const [key, changes] of [
      ['sol:1', { madeAt: test.now }],
      ['sol:2', { failingSince: test.now }],
      ['sol:3', { proofError: 'rows', removeAt: test.now }],
    ] as const) {
      test.store.backups.exists(key, test.now);
      test.store.backups.update(key, changes);
    }
    await at('2026-01-15T22:59:59');
    expect(told()).empty;
    await at('2026-01-15T23:00');
    for (const moment of ['2026-01-15T23:00', '2026-01-16T05:00', '2026-01-16T22:59:59']) await at(moment);
    expect(told()).length(1);
    expect(told()[0]).include({ suspended: 1, reminded: 2, warned: 0, deleted: 0, failed: 1 });
    expect(told()[0]?.message).equal(
      'suspended 1, reminded 2, warned 0, deleted 0, failed 1, backed_up 1, not_backed_up 1, not_whole 0.',
    );
    expect(summaries()).deep.equal([
      {
        op: 'summary',
        key: 'summary:2026-01-16',
        message: {
          code: 'night_with_backups',
          params: {
            ...{ day: '2026-01-16', suspended: 1, reminded: 2, warned: 0, deleted: 0, failed: 1 },
            ...{ backed_up: 1, not_backed_up: 1, not_whole: 0 },
          },
        },
      },
    ]);
    expect(chores).equal(1);
  });

  it('is told of once whatever the restarts', async () => {
    await started();
    await at('2026-01-15T23:00');
    for (let times = 0; times < 3; times++) {
      await night?.stop();
      test.reopen();
      start();
      await at('2026-01-16T08:00');
    }
    expect(told()).length(1);
  });

  it('without news is a line for the admin and no message', async () => {
    await started();
    await at('2026-01-15T23:00');
    expect(told()).length(1);
    expect(summaries()).empty;
  });

  it('that was slept through is made up for, several as one, with nothing counted twice or left out', async () => {
    await started();
    test.now = utc('2026-01-15T20:00');
    happened('deletion_warning');
    await at('2026-01-15T23:00');
    expect(told().at(-1)).include({ warned: 1 });
    test.now = utc('2026-01-15T23:10');
    happened('suspension');
    await night?.stop();
    test.now = utc('2026-01-19T09:00');
    happened('deletion');
    start();
    await at('2026-01-19T09:05');
    expect(told()).length(2);
    expect(told().at(-1)).include({ warned: 0, suspended: 1, deleted: 1 });
    expect(summaries().map(({ key }) => key)).deep.equal(['summary:2026-01-16', 'summary:2026-01-19']);
  });

  describe('that is not done yet', () => {
    beforeEach(started);

    it('is waited for: a job of midnight, and one in the hands of a worker', async () => {
      const midnight = utc('2026-01-15T23:00');
      test.store.jobs.enqueue('sol:1', { runAt: midnight, reason: 'the night' });
      test.store.jobs.enqueue('sol:2', { runAt: utc('2026-01-16T10:00'), reason: 'later' });
      await at('2026-01-15T23:00');
      expect(told()).empty;
      const [job] = test.store.jobs.claim(test.now, 'test', 1);
      await at('2026-01-15T23:01');
      expect(told()).empty;
      happened('suspension');
      test.store.jobs.complete('sol:1', job?.token ?? '', null);
      await at('2026-01-15T23:02');
      expect(told()).length(1);
      expect(told()[0]).include({ suspended: 1 }).not.property('advice');
    });

    it('is not waited for where a job has failed and waits for its next try', async () => {
      test.store.jobs.enqueue('sol:1', { runAt: utc('2026-01-15T23:00'), reason: 'the night' });
      test.now = utc('2026-01-15T23:00');
      const [job] = test.store.jobs.claim(test.now, 'test', 1);
      test.store.jobs.fail('sol:1', job?.token ?? '', utc('2026-01-15T23:00'));
      await at('2026-01-15T23:00');
      expect(told()).length(1);
    });

    it('is told of all the same after half an hour, and says so', async () => {
      test.store.jobs.enqueue('sol:1', { runAt: utc('2026-01-15T23:00'), reason: 'the night' });
      await at('2026-01-15T23:00');
      const { now } = performance;
      try {
        performance.now = () => now.call(performance) + 31 * 60_000;
        await at('2026-01-15T23:31');
      } finally {
        performance.now = now;
      }
      expect(told()).length(1);
      expect(told()[0]?.advice).contain('not done yet');
      await at('2026-01-15T23:40');
      expect(told()).length(1);
    });
  });

  const zones: [string, string, string, string[], string[]][] = [
    // The night in which the clocks go back has 25 hours, the other one 23.
    ['Europe/Madrid', '2026-10-24T12:00', '2026-10-24T22:00', ['2026-10-25T22:59'], ['2026-10-25T23:00']],
    ['Europe/Madrid', '2026-03-28T12:00', '2026-03-28T23:00', ['2026-03-29T21:59'], ['2026-03-29T22:00']],
    // There the hour after midnight is skipped.
    ['Africa/Cairo', '2026-04-23T12:00', '2026-04-23T22:00', ['2026-04-23T22:30'], ['2026-04-24T21:00']],
  ];
  for (const [zone, begin, first, same, next] of zones) {
    it(`is one night each when the clocks change in ${zone}: ${first}`, async () => {
      timeZone = zone;
      test.now = utc(begin);
      await started();
      await at(first);
      expect(told()).length(1);
      for (const moment of same) await at(moment);
      expect(told()).length(1);
      for (const moment of next) await at(moment);
      expect(told()).length(2);
    });
  }

  it('that cannot be told of is tried again, and nothing is lost', async () => {
    await started();
    happened('suspension');
    let broken = true;
    await night?.stop();
    start({
      chores: async () => {
        if (broken) throw new Error('disk full');
      },
    });
    await at('2026-01-15T23:00');
    await until(() => log.events().includes('nightly.failed'));
    expect(told()).empty;
    broken = false;
    await at('2026-01-15T23:05');
    expect(told()[0]).include({ suspended: 1 });
  });

  it('forgets what was done more than a year ago', async () => {
    happened('suspension');
    test.now = utc('2027-01-15T12:00');
    happened('deletion');
    test.now = utc('2027-02-19T13:00');
    await started();
    await at('2027-02-19T23:00');
    expect(test.store.events.has('event 1')).equal(false);
    expect(test.store.events.has('event 2')).equal(true);
  });
});
