import { expect } from 'chai';
import { differencesOf, type Read } from '../../../src/owed/differences.js';
import { bought, CUSTOMER } from '../reconcile/support.js';

const [FIRST, SECOND] = [new Date('2026-01-15T08:00:00Z'), new Date('2026-01-15T20:00:00Z')];

describe('what daemon and master know differently', () => {
  const acme = { key: 'sol:8', name: 'acme', phase: 'running', customer: CUSTOMER } as const;
  const line = { ...bought({ key: 'sol:8', createdOn: FIRST, document: 'S8', instanceKey: 'sol:8' }) };
  const told = (instances: (typeof acme | { phase: 'deleted' })[], purchases: (typeof line)[], master: Partial<Read>) =>
    differencesOf(
      instances.map((changes) => ({ ...acme, ...changes })),
      purchases,
      { purchases: [], instances: [], ...master },
    ).map(({ what }) => what);

  it('is nothing where both know the same', () => {
    expect(told([acme], [line], { purchases: [line], instances: [acme] })).empty;
  });

  it('is a line that is gone, one whose id was given again, and none that was cancelled', () => {
    expect(told([], [line], {})).deep.equal(['S8 (sol:8) is not in the master any more.']);
    const other = { key: 'sol:8', createdOn: SECOND, document: 'S9' };
    expect(told([], [line], { purchases: [other] })).deep.equal(['sol:8 was S8 and is S9 now.']);
    expect(told([], [{ ...line, state: 'cancelled' }], {})).empty;
  });

  it('is a record that is gone, and one that says something else', () => {
    expect(told([acme], [], {})).deep.equal(['acme (sol:8) has no record in the master any more.']);
    expect(told([{ phase: 'deleted' }], [], {})).empty;
    expect(told([{ phase: 'deleted' }], [], { instances: [acme] })).deep.equal([
      'acme (sol:8) is deleted, and its record says running.',
    ]);
  });
});
