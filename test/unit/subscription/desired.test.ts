import { expect } from 'chai';
import type { Cause, Desired } from '../../../src/instance/types.js';
import { type Decision, decide, type Situation } from '../../../src/subscription/desired.js';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import type { Entitlement } from '../../../src/subscription/types.js';
import { entitlement, POLICY, STARTED, text, utc } from './support.js';

const SITUATION: Situation = {
  hold: 'none',
  suspendedAt: null,
  warnedAt: null,
  toldDeleteAt: null,
  toldStorageAt: null,
  isUsed: true,
  storageOverSince: null,
  spaceStoppedAt: null,
  retentionDays: 30,
};

function decideOn(lines: Entitlement[], situation: Partial<Situation>, now: string): Decision {
  const status = subscriptionStatus(lines, STARTED, () => 0, POLICY, utc(now));
  return decide(status, { ...SITUATION, ...situation }, POLICY, utc(now));
}

/** Paid until 15 Feb 12:00Z, suspended at 23:00Z, to be deleted 30 days after. */
const month = entitlement();
const unpaid = entitlement({ paidOn: null });
const refunded = entitlement({ state: 'cancelled' });
const late = entitlement({
  key: 'sol:2',
  state: 'pending',
  paidOn: null,
  startsOn: utc('2026-02-14T12:00:00'),
  pendingSince: utc('2026-02-14T12:00:00'),
});
const lastSecond = utc('2026-02-15T22:59:59');
/** Ordered days before, without trust left, and paid in the last second. */
const paidLast = entitlement({ key: 'sol:2', startsOn: utc('2026-02-10T12:00:00'), paidOn: lastSecond });
const suspendedAt = utc('2026-02-15T23:00:00');
const warnedAt = utc('2026-03-16T23:00:00');
const over = { storageOverSince: utc('2026-01-20T12:00:00') };

describe('decide', () => {
  const cases: [string, Entitlement[], Partial<Situation>, string, Desired['state'], Cause | null, RegExp][] = [
    ['paid', [month], {}, '2026-01-15T12:00:00', 'running', null, /paid until 2026-02-15 12:00 UTC/],
    ['paid, held', [month], { hold: 'stopped' }, '2026-01-15T12:00:00', 'stopped', 'staff', /Staff stopped/],
    [
      'paid, suspended by staff',
      [month],
      { hold: 'suspended' },
      '2026-01-15T12:00:00',
      'suspended',
      'staff',
      /Staff su/,
    ],
    [
      'paid, deleted by staff',
      [month],
      { hold: 'deleted' },
      '2026-01-15T12:00:00',
      'deleted',
      'staff',
      /Staff deleted/,
    ],
    ['in grace', [month], {}, '2026-02-15T22:59:59', 'running', null, /suspended at 2026-02-15 23:00 UTC/],
    ['after it', [month], {}, '2026-02-15T23:00:00', 'suspended', 'unpaid', /ended at 2026-02-15 23:00/],
    [
      'paid a second before it',
      [month, paidLast],
      {},
      '2026-02-15T23:00:00',
      'running',
      null,
      /until 2026-03-15 22:59/,
    ],
    [
      'paid a second before it, the order not confirmed yet',
      [month, { ...late, startsOn: lastSecond, pendingSince: lastSecond }],
      {},
      '2026-02-15T23:00:00',
      'running',
      null,
      /payment is on its way/,
    ],
    [
      'a payment begun a second after it',
      [month, { ...late, startsOn: suspendedAt, pendingSince: utc('2026-02-15T23:00:01') }],
      { suspendedAt },
      '2026-02-15T23:00:02',
      'suspended',
      'unpaid',
      /ended/,
    ],
    ['held off', [month, late], {}, '2026-02-18T22:59:59', 'running', null, /payment is on its way.*2026-02-18 23:00/],
    ['held off no longer', [month, late], {}, '2026-02-18T23:00:00', 'suspended', 'unpaid', /ended/],
    ['nothing bought', [], {}, '2026-01-15T12:00:00', 'suspended', 'unpaid', /Nothing has been paid/],
    ['refunded', [refunded], {}, '2026-01-16T12:00:00', 'suspended', 'taken_back', /cancelled or refunded/],
    ['trusted', [unpaid], {}, '2026-01-20T11:59:59', 'running', null, /not paid yet.*until 2026-01-20 12:00/],
    ['trusted no longer', [unpaid], {}, '2026-01-20T12:00:00', 'suspended', 'unpaid', /unpaid for too long/],

    ['storage, in its days', [month], over, '2026-01-27T22:59:59', 'running', null, /paid/],
    ['storage', [month], over, '2026-01-27T23:00:00', 'suspended', 'storage', /storage.*since 2026-01-20 12:00/],
    ['storage, and unpaid: that goes first', [month], over, '2026-02-15T23:00:00', 'suspended', 'unpaid', /ended/],
    ['storage, and stopped', [month], { ...over, hold: 'stopped' }, '2026-02-01T00:00:00', 'stopped', 'staff', /Staff/],

    ['kept', [month], { suspendedAt, warnedAt }, '2026-03-17T22:59:59', 'suspended', 'unpaid', /ended/],
    [
      'kept no longer',
      [month],
      { suspendedAt, warnedAt },
      '2026-03-17T23:00:00',
      'deleted',
      'unpaid',
      /for 30 days after/,
    ],
    ['kept no longer, not warned', [month], { suspendedAt }, '2027-03-17T23:00:00', 'suspended', 'unpaid', /ended/],
    ['never really suspended', [month], { warnedAt }, '2027-03-17T23:00:00', 'suspended', 'unpaid', /ended/],
    [
      'held by staff',
      [month],
      { hold: 'suspended', suspendedAt, warnedAt },
      '2027-03-17T23:00:00',
      'suspended',
      'staff',
      /Staff/,
    ],
    [
      'stopped by staff',
      [month],
      { hold: 'stopped', suspendedAt, warnedAt },
      '2027-03-17T23:00:00',
      'stopped',
      'staff',
      /Staff/,
    ],
    [
      'refunded, kept no longer',
      [refunded],
      { suspendedAt, warnedAt },
      '2026-03-17T23:00:00',
      'deleted',
      'taken_back',
      /30 days/,
    ],
    ['never paid, never suspended', [], { warnedAt }, '2027-03-17T23:00:00', 'suspended', 'unpaid', /Nothing/],
    [
      'storage never deletes',
      [entitlement({ quantity: 99 })],
      { ...over, suspendedAt, warnedAt },
      '2027-03-17T23:00:00',
      'suspended',
      'storage',
      /storage/,
    ],
    [
      'paid on the last second',
      [month, entitlement({ key: 'sol:2', startsOn: utc('2026-03-17T22:59:59') })],
      { suspendedAt, warnedAt },
      '2026-03-17T23:00:00',
      'running',
      null,
      /paid until 2026-04-17/,
    ],
  ];
  for (const [name, entitlements, situation, now, state, cause, reason] of cases) {
    it(name, () => {
      const { desired } = decideOn(entitlements, situation, now);
      expect([desired.state, desired.cause]).to.deep.equal([state, cause]);
      expect(desired.reason).to.match(reason);
    });
  }

  it('is suspended without any grace where the disk was nearly full, for as long as it is over its limit', () => {
    const at = utc('2026-01-20T12:00:00');
    const month = [entitlement({})];
    const state = (storageOverSince: Date | null) =>
      decideOn(month, { storageOverSince, spaceStoppedAt: at }, '2026-01-20T12:00:01').desired;
    expect(state(at)).deep.include({ state: 'suspended', cause: 'storage' });
    expect(state(null).state).equal('running');
  });

  it('tells when it changes by itself', () => {
    const next = (situation: Partial<Situation>, now: string) => text(decideOn([month], situation, now).nextChangeAt);
    expect(next(over, '2026-01-20T12:00:00')).to.equal('2026-01-27T23:00:00');
    expect(next(over, '2026-01-27T23:00:00')).to.equal('2026-02-07T23:00:00');
    expect(next({}, '2026-02-15T12:00:00')).to.equal('2026-02-15T23:00:00');
    expect(next({ suspendedAt, warnedAt }, '2026-02-15T23:00:00')).to.equal('2026-03-17T23:00:00');
    expect(next({ suspendedAt, warnedAt, hold: 'stopped' }, '2026-02-15T23:00:00')).to.equal(null);
  });

  it('announces no deletion of what is paid, held or going', () => {
    expect(decideOn([month], {}, '2026-02-15T22:59:59').deletion).to.equal(null);
    expect(decideOn([month], { hold: 'suspended', suspendedAt }, '2026-02-16T00:00:00').deletion).to.equal(null);
    expect(decideOn([month], { suspendedAt, warnedAt }, '2026-03-17T23:00:00').deletion).to.equal(null);
    expect(text(decideOn([month], {}, '2026-02-15T23:00:00').deletion?.at ?? null)).to.equal('2026-03-17T23:00:00');
  });
});

describe('the grace of the storage', () => {
  it('never ends before the date that the customer was told, whatever the setting is now', () => {
    const status = subscriptionStatus([entitlement()], STARTED, () => 0, POLICY, utc('2026-02-01T00:00:00'));
    const over = { ...SITUATION, storageOverSince: utc('2026-01-30T12:00:00') };
    const told = { ...over, toldStorageAt: utc('2026-02-06T23:00:00') };
    const policy = { ...POLICY, storageGraceDays: 0 };
    const state = (situation: typeof over | typeof told, now: string) =>
      decide(status, situation, policy, utc(now)).desired.state;
    expect(state(over, '2026-02-01T00:00:00')).to.equal('suspended');
    expect(state(told, '2026-02-06T22:59:59')).to.equal('running');
    expect(state(told, '2026-02-06T23:00:00')).to.equal('suspended');
  });
});
