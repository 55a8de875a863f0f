import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { decideOwnership, fingerprintOf, type Situation } from '../../../src/instance/ownership.js';

const MARKER = { id: 'me', fingerprint: 'f1', isKeyReplaced: false, place: 'host:/var/lib/saas-bridge' };
const SITUATION: Situation = {
  ...{ scope: 'default', marker: MARKER, id: 'me', fingerprint: 'f1', dataDir: '/var/lib/saas-bridge' },
  ...{ hasInstances: true, hasStrangers: false, hasCustomers: true },
};
const OTHER = { ...MARKER, id: 'other' };

const CASES: [what: string, changes: Partial<Situation>, expected: string][] = [
  ['marked as ours, with its key', {}, 'ours'],
  ['marked as ours, and the store was lost', { hasStrangers: true }, 'ours'],
  ['marked as ours, the key is lost', { fingerprint: null }, 'key.missing'],
  ['marked as ours, with another key', { fingerprint: 'f2' }, 'key.other'],
  ['marked as ours, by a folder that this one is a copy of', { dataDir: '/root/copy' }, 'scope.copied'],
  ['marked as ours, with a slash more', { marker: { ...MARKER, place: `${MARKER.place}/` } }, 'ours'],
  ['marked as ours, on a host of another name', { marker: { ...MARKER, place: 'x:/var/lib/saas-bridge' } }, 'ours'],
  ['marked as ours, nobody knows where', { marker: { ...MARKER, place: 'unknown' } }, 'ours'],
  ["another daemon's", { marker: OTHER }, 'scope.foreign'],
  ["another daemon's, and the key is the same: its folder was lost", { id: null }, 'scope.foreign'],
  ["another daemon's, and nothing runs there yet", { marker: OTHER, hasInstances: false }, 'scope.foreign'],
  [
    'the very first start',
    { marker: null, id: null, fingerprint: null, hasInstances: false, hasCustomers: false },
    'free',
  ],
  ['another engine, or one whose disk is not mounted', { marker: null, hasInstances: false }, 'scope.elsewhere'],
  ['another engine, before the first customer', { marker: null, hasInstances: false, hasCustomers: false }, 'free'],
  ['the marker was pruned', { marker: null }, 'free'],
  ['the marker was pruned and the store lost', { marker: null, hasStrangers: true }, 'free'],
  ['instances of a version before markers, which the store knows', { marker: null, id: null }, 'free'],
  [
    'instances of a version before markers, with the key lost',
    { marker: null, id: null, fingerprint: null },
    'key.missing',
  ],
  ['instances that nobody here knows', { marker: null, id: null, hasStrangers: true }, 'scope.unclaimed'],
];

describe('whose a scope is', () => {
  for (const [what, changes, expected] of CASES) {
    it(`${what}: ${expected}`, () => expect(verdict({ ...SITUATION, ...changes })).equal(expected));
  }

  it('says whose it is, and what to do in either case', () => {
    try {
      decideOwnership({ ...SITUATION, marker: OTHER });
      expect.fail('it was not refused');
    } catch (error) {
      expect(error).property('message').contain('host:/var/lib/saas-bridge');
      expect(error).property('advice').contain('SAAS_SCOPE').and.contain('saas-bridge take-over');
    }
  });

  it('the fingerprint is of the key alone', () => {
    const key = randomBytes(32);
    expect(fingerprintOf(key))
      .equal(fingerprintOf(Buffer.from(key)))
      .match(/^[0-9a-f]{16}$/);
    expect(fingerprintOf(randomBytes(32))).not.equal(fingerprintOf(key));
    expect(key.toString('hex')).not.contain(fingerprintOf(key));
  });
});

function verdict(situation: Situation): string {
  try {
    return decideOwnership(situation);
  } catch (error) {
    return (error as { code: string }).code;
  }
}
