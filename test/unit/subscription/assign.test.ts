import { expect } from 'chai';
import { type AssignableInstance, type AssignRules, assignPurchases } from '../../../src/subscription/assign.js';
import { type Bought, purchase, utc } from './support.js';

function instance(key: string, changes: Partial<AssignableInstance> = {}): AssignableInstance {
  return { key, customerId: 10, sellerId: 1, planId: 1, alive: true, trial: false, ...changes };
}

/** Plan 9 is the trial. */
const RULES: AssignRules = { isTrial: (planId) => planId === 9, firstToExpire: false, paidUntil: () => null };

const sold = (changes: Bought) => ({ ...purchase(changes), sellerId: 1 });

function decide(purchases: Bought[], instances: AssignableInstance[] = [], rules = RULES) {
  return assignPurchases(purchases.map(sold), instances, rules).map(({ purchase: { key }, to }) => ({
    key,
    ...to,
  }));
}

const TRIAL = instance('sol:1', { planId: 9, trial: true });
const EXISTING = { key: 'sol:1', kind: 'existing', instanceKey: 'sol:1' } as const;

describe('assignPurchases', () => {
  const cases: [string, Bought[], AssignableInstance[], ReturnType<typeof decide>][] = [
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
    [
      'of one document in the order of its lines',
      [{ key: 'sol:10' }, { key: 'sol:9' }],
      [],
      [
        { key: 'sol:9', kind: 'new', instanceKey: 'sol:9' },
        { key: 'sol:10', kind: 'existing', instanceKey: 'sol:9' },
      ],
    ],
    ['a payment on its way makes nothing', [{ key: 'sol:1', state: 'pending', paidOn: null }], [], []],
    [
      'a payment on its way is of the instance it will renew',
      [{ key: 'sol:2', state: 'pending', paidOn: null }],
      [instance('sol:1')],
      [{ key: 'sol:2', kind: 'existing', instanceKey: 'sol:1' }],
    ],
    [
      'a payment on its way asks nobody which',
      [{ key: 'sol:3', state: 'pending', paidOn: null }],
      [instance('sol:1'), instance('sol:2')],
      [],
    ],
    [
      'a payment on its way, linked to an instance nobody knows',
      [{ key: 'sol:3', state: 'pending', paidOn: null, instanceKey: 'sol:2' }],
      [],
      [],
    ],
    ['a first trial', [{ key: 'sol:1', planId: 9 }], [], [{ key: 'sol:1', kind: 'new', instanceKey: 'sol:1' }]],
    ['the same trial again', [{ key: 'sol:1', planId: 9 }], [TRIAL], [EXISTING]],
    ['a second trial', [{ key: 'sol:2', planId: 9 }], [TRIAL], [{ key: 'sol:2', kind: 'trial-used' }]],
    [
      'a second trial in the same batch',
      [
        { key: 'sol:1', planId: 9 },
        { key: 'sol:2', planId: 9, additional: true },
      ],
      [],
      [
        { key: 'sol:1', kind: 'new', instanceKey: 'sol:1' },
        { key: 'sol:2', kind: 'trial-used' },
      ],
    ],
    [
      'a trial after one that is deleted',
      [{ key: 'sol:2', planId: 9 }],
      [{ ...TRIAL, alive: false }],
      [{ key: 'sol:2', kind: 'trial-used' }],
    ],
    [
      'a trial beside a paid instance',
      [{ key: 'sol:2', planId: 9 }],
      [instance('sol:1')],
      [{ key: 'sol:2', kind: 'trial-used' }],
    ],
    [
      'the trial of another customer',
      [{ key: 'sol:2', planId: 9, customerId: 11 }],
      [TRIAL],
      [{ key: 'sol:2', kind: 'new', instanceKey: 'sol:2' }],
    ],
    // It would be confirmed with the rest of its order, already given to the first trial.
    ['a second trial whose order is being paid', [{ key: 'sol:2', planId: 9, state: 'pending' }], [TRIAL], []],
    [
      'a trial that its customer goes on with',
      [{ key: 'sol:2', planId: 3 }],
      [TRIAL],
      [{ key: 'sol:2', kind: 'existing', instanceKey: 'sol:1' }],
    ],
    [
      'a trial in the same batch that its customer goes on with',
      [
        { key: 'sol:1', planId: 9 },
        { key: 'sol:2', planId: 3 },
      ],
      [],
      [
        { key: 'sol:1', kind: 'new', instanceKey: 'sol:1' },
        { key: 'sol:2', kind: 'existing', instanceKey: 'sol:1' },
      ],
    ],
    [
      'an instance of the plan goes before the trial',
      [{ key: 'sol:3', planId: 3 }],
      [TRIAL, instance('sol:2', { planId: 3 })],
      [{ key: 'sol:3', kind: 'existing', instanceKey: 'sol:2' }],
    ],
    [
      'one more beside the trial, explicitly',
      [{ key: 'sol:2', planId: 3, additional: true }],
      [TRIAL],
      [{ key: 'sol:2', kind: 'new', instanceKey: 'sol:2' }],
    ],
    [
      'a deleted trial is not taken over',
      [{ key: 'sol:2', planId: 3 }],
      [{ ...TRIAL, alive: false }],
      [{ key: 'sol:2', kind: 'new', instanceKey: 'sol:2' }],
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
      sold({ key: 'sol:1' }),
      sold({ key: 'sol:2', additional: true }),
      sold({ key: 'sol:3', planId: 2 }),
    ];
    const first = assignPurchases(bought, [], RULES);
    const kept = first.map(({ purchase: line, to }) => ({
      ...line,
      sellerId: 1,
      instanceKey: 'instanceKey' in to ? to.instanceKey : null,
    }));
    const instances = kept.map(({ key, customerId, planId }) => ({
      key,
      customerId,
      sellerId: 1,
      planId,
      alive: true,
      trial: false,
    }));
    const again = assignPurchases(kept, instances, RULES).map(({ to }) => to);
    expect(again).to.deep.equal(kept.map(({ key }) => ({ kind: 'existing', instanceKey: key })));
  });

  it('renews what the same company sold, and nothing of another one', () => {
    const second = [{ ...sold({ key: 'sol:20' }), sellerId: 2 }];
    const to = (instances: AssignableInstance[]) => assignPurchases(second, instances, RULES)[0]?.to;
    expect(to([instance('sol:1')])).to.deep.equal({ kind: 'new', instanceKey: 'sol:20' });
    const own = instance('sol:2', { sellerId: 2 });
    expect(to([instance('sol:1'), own])).to.deep.equal({ kind: 'existing', instanceKey: 'sol:2' });
    expect(to([instance('sol:3', { sellerId: null })])).to.deep.equal({ kind: 'existing', instanceKey: 'sol:3' });
    // Who has had an Odoo here is not new, whichever company sold it.
    const trial = [{ ...sold({ key: 'sol:21', planId: 9 }), sellerId: 2 }];
    expect(assignPurchases(trial, [instance('sol:1')], RULES)[0]?.to).to.deep.equal({ kind: 'trial-used' });
  });

  it('gives a renewal to the one that expires first, where that is the rule', () => {
    const ends: Record<string, string> = { 'sol:1': '2026-03-02T00:00:00', 'sol:2': '2026-03-01T00:00:00' };
    const rules: AssignRules = {
      ...RULES,
      firstToExpire: true,
      paidUntil: (key) => (key in ends ? utc(ends[key] ?? '') : null),
    };
    const of = (instances: AssignableInstance[]) => decide([{ key: 'sol:20' }], instances, rules);
    const both = [instance('sol:1'), instance('sol:2')];
    expect(of(both)).to.deep.equal([{ key: 'sol:20', kind: 'existing', instanceKey: 'sol:2' }]);
    expect(of(both.toReversed())).to.deep.equal([{ key: 'sol:20', kind: 'existing', instanceKey: 'sol:2' }]);
    // Never paid: at once. Equal ones by their number.
    const unpaid = [instance('sol:10'), instance('sol:9')];
    expect(of([...both, ...unpaid])).to.deep.equal([{ key: 'sol:20', kind: 'existing', instanceKey: 'sol:9' }]);
    expect(of([instance('sol:2', { alive: false }), instance('sol:1')])[0]).to.include({ instanceKey: 'sol:1' });
    expect(of([instance('sol:2', { planId: 2 }), instance('sol:1')])[0]).to.include({ instanceKey: 'sol:1' });
  });
});
