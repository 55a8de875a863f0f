import { expect } from 'chai';
import { type AssignableInstance, assignPurchases } from '../../../src/subscription/assign.js';
import type { Purchase } from '../../../src/subscription/types.js';
import { purchase, utc } from './support.js';

function instance(key: string, changes: Partial<AssignableInstance> = {}): AssignableInstance {
  return { key, customerId: 10, planId: 1, alive: true, ...changes };
}

function decide(purchases: Partial<Purchase>[], instances: AssignableInstance[] = []) {
  return assignPurchases(purchases.map(purchase), instances).map(({ purchase: { key }, to }) => ({ key, ...to }));
}

describe('assignPurchases', () => {
  const cases: [string, Partial<Purchase>[], AssignableInstance[], ReturnType<typeof decide>][] = [
    ['nothing', [], [instance('sol:9')], []],
    ['a first purchase', [{ key: 'sol:1' }], [], [{ key: 'sol:1', kind: 'new', instanceKey: 'sol:1' }]],
    ['a renewal', [{ key: 'sol:2' }], [instance('sol:1')], [{ key: 'sol:2', kind: 'existing', instanceKey: 'sol:1' }]],
    [
      'the instance of another customer',
      [{ key: 'sol:2' }],
      [instance('sol:1', { customerId: 11 })],
      [{ key: 'sol:2', kind: 'new', instanceKey: 'sol:2' }],
    ],
    [
      'the instance of another plan',
      [{ key: 'sol:2' }],
      [instance('sol:1', { planId: 2 })],
      [{ key: 'sol:2', kind: 'new', instanceKey: 'sol:2' }],
    ],
    [
      'a deleted instance',
      [{ key: 'sol:2' }],
      [instance('sol:1', { alive: false })],
      [{ key: 'sol:2', kind: 'new', instanceKey: 'sol:2' }],
    ],
    [
      'one more, explicitly',
      [{ key: 'sol:2', additional: true }],
      [instance('sol:1')],
      [{ key: 'sol:2', kind: 'new', instanceKey: 'sol:2' }],
    ],
    [
      'an explicit link, before anything else',
      [{ key: 'sol:3', additional: true, instanceKey: 'sol:2' }],
      [instance('sol:1'), instance('sol:2', { planId: 2 })],
      [{ key: 'sol:3', kind: 'existing', instanceKey: 'sol:2' }],
    ],
    [
      'a link to an instance nobody knows',
      [{ key: 'sol:3', instanceKey: 'sol:2' }],
      [instance('sol:1')],
      [{ key: 'sol:3', kind: 'unknown-instance', instanceKey: 'sol:2' }],
    ],
    [
      'a link to the lost instance it was born from, and its renewal',
      [
        { key: 'sol:1', instanceKey: 'sol:1' },
        { key: 'sol:2', instanceKey: 'sol:1', startsOn: utc('2026-02-01T00:00:00') },
      ],
      [],
      [
        { key: 'sol:1', kind: 'new', instanceKey: 'sol:1' },
        { key: 'sol:2', kind: 'existing', instanceKey: 'sol:1' },
      ],
    ],
    [
      'an instance it already made, though the link is not kept yet',
      [{ key: 'sol:1', additional: true }],
      [instance('sol:1')],
      [{ key: 'sol:1', kind: 'existing', instanceKey: 'sol:1' }],
    ],
    [
      'two candidates',
      [{ key: 'sol:3' }],
      [instance('sol:2'), instance('sol:1')],
      [{ key: 'sol:3', kind: 'ambiguous', candidates: ['sol:1', 'sol:2'] }],
    ],
    [
      'a renewal in the same batch, in order of time',
      [
        { key: 'sol:1', startsOn: utc('2026-02-01T00:00:00') },
        { key: 'sol:2', startsOn: utc('2026-01-01T00:00:00') },
      ],
      [],
      [
        { key: 'sol:2', kind: 'new', instanceKey: 'sol:2' },
        { key: 'sol:1', kind: 'existing', instanceKey: 'sol:2' },
      ],
    ],
    [
      'one more in the same batch makes the third ambiguous',
      [{ key: 'sol:1' }, { key: 'sol:2', additional: true }, { key: 'sol:3' }],
      [],
      [
        { key: 'sol:1', kind: 'new', instanceKey: 'sol:1' },
        { key: 'sol:2', kind: 'new', instanceKey: 'sol:2' },
        { key: 'sol:3', kind: 'ambiguous', candidates: ['sol:1', 'sol:2'] },
      ],
    ],
    [
      'the same line twice',
      [{ key: 'sol:1' }, { key: 'sol:1' }],
      [],
      [{ key: 'sol:1', kind: 'new', instanceKey: 'sol:1' }],
    ],
    ['a cancelled line', [{ key: 'sol:1', state: 'cancelled' }], [], []],
    ['a line of quantity 0', [{ key: 'sol:1', quantity: 0 }], [], []],
    [
      'a cancelled line of an instance',
      [{ key: 'sol:1', state: 'cancelled', instanceKey: 'sol:1' }],
      [instance('sol:1')],
      [{ key: 'sol:1', kind: 'existing', instanceKey: 'sol:1' }],
    ],
    ['a cancelled line of a lost instance', [{ key: 'sol:1', state: 'cancelled', instanceKey: 'sol:1' }], [], []],
  ];
  for (const [name, purchases, instances, expected] of cases) {
    it(name, () => {
      expect(decide(purchases, instances)).to.deep.equal(expected);
      expect(decide(purchases.toReversed(), instances.toReversed())).to.deep.equal(expected);
    });
  }

  it('decides the same again once its decisions are kept', () => {
    const bought = [
      purchase({ key: 'sol:1' }),
      purchase({ key: 'sol:2', additional: true }),
      purchase({ key: 'sol:3', planId: 2 }),
    ];
    const first = assignPurchases(bought, []);
    const kept = first.map(({ purchase: line, to }) => ({
      ...line,
      instanceKey: 'instanceKey' in to ? to.instanceKey : null,
    }));
    const instances = kept.map(({ key, customerId, planId }) => ({ key, customerId, planId, alive: true }));
    const again = assignPurchases(kept, instances).map(({ to }) => to);
    expect(again).to.deep.equal(kept.map(({ key }) => ({ kind: 'existing', instanceKey: key })));
  });
});
