import { expect } from 'chai';
import { createGuard, type Guard } from '../../../src/intake/guard.js';
import { keptLog } from '../reconcile/support.js';
import { NOW } from '../store/support.js';

const MINUTE = 60_000;

describe('guard', () => {
  let log: ReturnType<typeof keptLog>;
  let ours: number;
  let monotonic: number;
  let enqueued: string[];
  let guard: Guard;
  let refusal: string | null;

  function begin(clockOffsetMs = 0): void {
    log = keptLog();
    ours = NOW.getTime() + clockOffsetMs;
    monotonic = 1000;
    enqueued = [];
    refusal = null;
    guard = createGuard({
      jobs: { enqueue: (key) => void enqueued.push(key) },
      clock: () => new Date(ours),
      clockOffsetMs,
      log,
      refusal: () => refusal,
      monotonic: () => monotonic,
    });
  }
  function pass(ms: number): void {
    ours += ms;
    monotonic += ms;
  }
  beforeEach(() => begin());

  it('objects before the master was read', () => {
    expect(guard.objection()).match(/has not been read/);
    expect(guard.mayAct('sol:1')).equal(false);
  });

  it('objects while the master refuses the daemon', () => {
    guard.heard(NOW);
    refusal = 'the master has gone back in time';
    expect(guard.objection()).equal('The master has gone back in time.');
    expect(guard.mayAct('sol:1')).equal(false);
  });

  for (const [what, ms, expected] of [
    ['just under a quarter of an hour', 15 * MINUTE - 1, null],
    ['a quarter of an hour', 15 * MINUTE, /last read 15 minutes ago/],
  ] as const) {
    it(`takes what was read ${what} ago ${expected === null ? 'as' : 'no longer as'} the present`, () => {
      guard.heard(NOW);
      pass(ms);
      if (expected === null) expect(guard.objection()).equal(null);
      else expect(guard.objection()).match(expected);
    });
  }

  for (const [what, ms, expected] of [
    ['4:59 ahead', 5 * MINUTE - 1000, null],
    ['five minutes ahead', 5 * MINUTE, /5 minutes ahead of/],
    ['an hour behind', -60 * MINUTE, /60 minutes behind/],
    ['a day ahead', 24 * 60 * MINUTE, /1440 minutes ahead of/],
  ] as const) {
    it(`${expected === null ? 'bears' : 'objects to'} a clock that is ${what}`, () => {
      ours += ms;
      guard.heard(NOW);
      if (expected === null) expect(guard.objection()).equal(null);
      else expect(guard.objection()).match(expected);
    });
  }

  it('finds a clock that jumps between two polls, and a host that was asleep', () => {
    guard.heard(NOW);
    ours += 24 * 60 * MINUTE;
    expect(guard.objection()).match(/ahead of/);
    guard.heard(new Date(ours));
    expect(guard.objection()).equal(null);
  });

  it('knows a clock that is moved on purpose', () => {
    begin(90 * 24 * 60 * MINUTE);
    guard.heard(NOW);
    expect(guard.objection()).equal(null);
    ours += 6 * MINUTE;
    expect(guard.objection()).match(/ahead of/);
  });

  it('logs once that instances wait, and runs them again as soon as they may be acted against', () => {
    guard.mayAct('sol:1');
    guard.mayAct('sol:2');
    guard.mayAct('sol:1');
    expect(log.events()).deep.equal(['calendar.waits']);
    expect(guard.waiting()).equal(2);
    guard.heard(new Date(NOW.getTime() - 60 * MINUTE));
    expect(enqueued).empty;
    guard.heard(NOW);
    expect(enqueued).deep.equal(['sol:1', 'sol:2']);
    expect(guard.mayAct('sol:1')).equal(true);
    guard.heard(NOW);
    expect(enqueued).length(2);
    expect(log.events()).deep.equal(['calendar.waits', 'calendar.resumed']);
    pass(20 * MINUTE);
    guard.mayAct('sol:1');
    expect(log.events()).deep.equal(['calendar.waits', 'calendar.resumed', 'calendar.waits']);
  });
});
