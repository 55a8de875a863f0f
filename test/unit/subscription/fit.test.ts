import { expect } from 'chai';
import type { Plan, Usage } from '../../../src/instance/types.js';
import { misfitOf } from '../../../src/subscription/fit.js';

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
  const users = 'it has 6 active users and Small includes 5';
  const storage = 'it uses 10.5 GB and Small includes 10 GB';
  const cases: [string, Usage, Plan, Plan, string | null][] = [
    ['to the brim', usage(5, 10), big, small, null],
    ['a user too many', usage(6, 10), big, small, users],
    ['too much storage', usage(5, 10.5), big, small, storage],
    ['both', usage(6, 10.5), big, small, `${users}, and ${storage}`],
    ['from no limit', usage(6, 10), endless, small, users],
    ['to no limit', usage(600, 999), big, endless, null],
    ['over the limit already, up', usage(30, 70), small, big, null],
    ['over the limit already, the same limits', usage(30, 70), small, plan('Other', 5, 10), null],
  ];
  for (const [name, used, present, wanted, expected] of cases) {
    it(name, () => expect(misfitOf(used, present, wanted)?.en ?? null).to.equal(expected));
  }

  it('says it in Spanish, with its comma', () => {
    expect(misfitOf(usage(6, 10.5), big, small)?.es).to.equal(
      'tiene 6 usuarios activos y Small incluye 5; además, ocupa 10,5 GB y Small incluye 10 GB',
    );
  });
});
