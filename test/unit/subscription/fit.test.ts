import { expect } from 'chai';
import type { Plan, Usage } from '../../../src/instance/types.js';
import { type Misfit, misfitOf } from '../../../src/subscription/fit.js';

const GB = 1024 ** 3;

function plan(name: string, maxUsers: number, storageGb: number): Plan {
  const rest = { modules: [], graceDays: 0, retentionDays: 30, trial: false };
  return { id: 1, code: name, name, cpu: 1, memoryMb: 1024, maxUsers, storageGb, ...rest };
}

function usage(users: number, gb: number): Usage {
  return { users, databaseBytes: (gb * GB) / 2, filestoreBytes: (gb * GB) / 2, modules: [] };
}

describe('misfitOf', () => {
  const big = plan('Big', 20, 50);
  const small = plan('Small', 5, 10);
  const endless = plan('Endless', 0, 0);
  const users = { used: 6, limit: 5 };
  const storageGb = { used: 10.5, limit: 10 };
  const cases: [string, Usage, Plan, Plan, Partial<Misfit> | null][] = [
    ['to the brim', usage(5, 10), big, small, null],
    ['a user too many', usage(6, 10), big, small, { users, storageGb: null }],
    ['too much storage', usage(5, 10.5), big, small, { users: null, storageGb }],
    ['both', usage(6, 10.5), big, small, { users, storageGb }],
    ['from no limit', usage(6, 10), endless, small, { users, storageGb: null }],
    ['to no limit', usage(600, 999), big, endless, null],
    ['over the limit already, up', usage(30, 70), small, big, null],
    ['over the limit already, the same limits', usage(30, 70), small, plan('Other', 5, 10), null],
  ];
  for (const [name, used, present, wanted, expected] of cases) {
    it(name, () => expect(misfitOf(used, present, wanted)).to.deep.equal(expected && { plan: 'Small', ...expected }));
  }
});
