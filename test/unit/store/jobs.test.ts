import { expect } from 'chai';
import type { Job } from '../../../src/store/jobs.js';
import { after, NOW, newInstance, type TestStore, testStore } from './support.js';

describe('store.jobs', () => {
  let test: TestStore;
  beforeEach(() => {
    test = testStore();
  });
  afterEach(() => test.remove());

  function claimOne(now = NOW): Job {
    const [job] = test.store.jobs.claim(now, 'worker', 1);
    if (job === undefined) throw new Error('nothing is due');
    return job;
  }

  it('has one row an instance; the earlier time wins', () => {
    const { jobs } = test.store;
    jobs.enqueue('a', { runAt: after(2_000), reason: 'second' });
    jobs.enqueue('a', { runAt: after(1_000), reason: 'first' });
    jobs.enqueue('a', { runAt: after(3_000), reason: 'third' });
    expect(jobs.all()).to.deep.equal([
      { instanceKey: 'a', runAt: after(1_000), reason: 'first', attempts: 0, claimedBy: null },
    ]);
    expect(jobs.nextDueAt()).to.deep.equal(after(1_000));
    expect(jobs.claim(after(999), 'worker', 10)).to.deep.equal([]);
    expect(jobs.claim(after(1_000), 'worker', 10)).to.have.length(1);
    expect(jobs.nextDueAt()).to.equal(null);
  });

  it('claims the oldest first, what has no date before all, and nothing twice', () => {
    const { jobs } = test.store;
    jobs.enqueue('c', { runAt: after(-1_000), reason: '' });
    jobs.enqueue('b', { runAt: after(-2_000), reason: '' });
    jobs.enqueue('later', { runAt: after(1), reason: '' });
    jobs.enqueue('z', { reason: '' });
    jobs.enqueue('a', { reason: '' });
    const keys = (limit: number) => jobs.claim(NOW, 'worker', limit).map(({ instanceKey }) => instanceKey);
    expect(keys(3)).to.deep.equal(['z', 'a', 'b']);
    expect(keys(3)).to.deep.equal(['c']);
    expect(keys(3)).to.deep.equal([]);
  });

  it('is gone when complete, or waits for the next time', () => {
    const { jobs } = test.store;
    jobs.enqueue('a', { reason: 'x' });
    expect(jobs.complete('a', claimOne().token, after(10))).to.equal(true);
    expect(jobs.nextDueAt()).to.deep.equal(after(10));
    expect(jobs.complete('a', claimOne(after(10)).token, null)).to.equal(true);
    expect(jobs.all()).to.deep.equal([]);
  });

  it('runs again when it was enqueued while claimed', () => {
    const { jobs } = test.store;
    jobs.enqueue('a', { reason: 'first' });
    const job = claimOne();
    jobs.enqueue('a', { runAt: after(500), reason: 'later' });
    jobs.enqueue('a', { reason: 'paid' });
    jobs.enqueue('a', { runAt: after(900), reason: 'latest' });
    expect(jobs.claim(after(1_000), 'worker', 1)).to.deep.equal([]);
    expect(jobs.complete('a', job.token, null)).to.equal(true);
    const again = claimOne();
    expect(again.reason).to.equal('paid');
    expect(jobs.complete('a', again.token, null)).to.equal(true);
    expect(jobs.all()).to.deep.equal([]);
  });

  it('takes the earlier of the next time and what was enqueued meanwhile', () => {
    const { jobs } = test.store;
    for (const [next, enqueued, expected] of [
      [after(10), after(20), after(10)],
      [after(20), after(10), after(10)],
    ] as const) {
      jobs.enqueue('a', { reason: 'x' });
      const job = claimOne();
      jobs.enqueue('a', { runAt: enqueued, reason: 'y' });
      jobs.complete('a', job.token, next);
      expect(jobs.nextDueAt()).to.deep.equal(expected);
      jobs.complete('a', claimOne(expected).token, null);
    }
  });

  it('counts failures in a row', () => {
    const { jobs } = test.store;
    jobs.enqueue('a', { reason: 'x' });
    expect(jobs.fail('a', claimOne().token, after(100))).to.equal(true);
    expect(jobs.claim(after(99), 'worker', 1)).to.deep.equal([]);
    const second = claimOne(after(100));
    expect(second.attempts).to.equal(1);
    jobs.enqueue('a', { reason: 'new facts' });
    jobs.fail('a', second.token, after(200));
    const third = claimOne(after(100));
    expect(third).to.include({ attempts: 2, reason: 'new facts' });
    jobs.complete('a', third.token, after(300));
    expect(claimOne(after(300)).attempts).to.equal(0);
  });

  it('is finished only by the claim that holds it', () => {
    const { jobs } = test.store;
    jobs.enqueue('a', { reason: 'x' });
    const lost = claimOne();
    expect(jobs.releaseAll()).to.equal(1);
    const held = claimOne();
    expect(jobs.complete('a', lost.token, null)).to.equal(false);
    expect(jobs.fail('a', lost.token, after(1))).to.equal(false);
    expect(jobs.complete('a', lost.token, after(1))).to.equal(false);
    expect(jobs.all()).to.have.length(1);
    expect(jobs.complete('a', held.token, null)).to.equal(true);
    expect(jobs.complete('a', held.token, null)).to.equal(false);
  });

  it('keeps the wish to run again over a crash', () => {
    test.store.jobs.enqueue('a', { reason: 'x' });
    claimOne();
    test.store.jobs.enqueue('a', { reason: 'again' });
    const { jobs } = test.reopen();
    expect(jobs.releaseAll()).to.equal(1);
    jobs.complete('a', claimOne().token, null);
    expect(jobs.all()).to.deep.equal([]);
  });

  it('counts what a moment has brought and is not done: waiting or in hand, not what failed before', () => {
    const { jobs } = test.store;
    for (const key of ['a', 'b', 'failed']) jobs.enqueue(key, { runAt: NOW, reason: 'x' });
    jobs.enqueue('at once', { reason: 'x' });
    jobs.enqueue('later', { runAt: after(1), reason: 'x' });
    expect(jobs.countUnfinished(NOW)).to.equal(4);
    const claimed = jobs.claim(NOW, 'worker', 4);
    const token = (key: string) => claimed.find(({ instanceKey }) => instanceKey === key)?.token ?? '';
    expect(jobs.countUnfinished(NOW), 'in hand').to.equal(4);
    jobs.fail('failed', token('failed'), NOW);
    jobs.complete('a', token('a'), null);
    jobs.complete('b', token('b'), after(5));
    expect(jobs.countUnfinished(NOW)).to.equal(1);
    expect(jobs.claim(NOW, 'worker', 9).map(({ instanceKey }) => instanceKey)).to.deep.equal(['failed']);
    expect(jobs.countUnfinished(NOW), 'its second try').to.equal(2);
    expect(jobs.countUnfinished(after(5))).to.equal(4);
  });

  it('knows since when what fails has failed, until it succeeds', () => {
    const { jobs, instances } = test.store;
    instances.create(newInstance('new'), () => 'new');
    instances.create({ ...newInstance('old'), startedAt: NOW }, () => 'old');
    const patience = { unservedMs: 900_000, othersMs: 3_600_000 };
    const failAll = (at: Date) => {
      test.now = at;
      for (const { instanceKey, token } of jobs.claim(at, 'w', 9)) jobs.fail(instanceKey, token, at);
    };
    for (const key of ['new', 'old', 'gone']) jobs.enqueue(key, { reason: 'test' });
    failAll(NOW);
    failAll(after(600_000));
    expect(jobs.failingFor(after(899_999), patience)).to.deep.equal([]);
    expect(jobs.failingFor(after(900_000), patience)).to.deep.equal(['new']);
    expect(jobs.failingFor(after(3_600_000), patience)).to.have.members(['new', 'old', 'gone']);
    const again = jobs.claim(after(4_000_000), 'w', 9);
    expect(again.map(({ failingSince }) => failingSince)).to.deep.equal([NOW, NOW, NOW]);
    for (const { instanceKey, token } of again) jobs.complete(instanceKey, token, NOW);
    expect(jobs.failingFor(after(9_000_000), patience)).to.deep.equal([]);
  });
});
