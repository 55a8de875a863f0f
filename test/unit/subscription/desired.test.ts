import { expect } from 'chai';
import type { Desired, Hold } from '../../../src/instance/types.js';
import { desiredState } from '../../../src/subscription/desired.js';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import type { Entitlement } from '../../../src/subscription/types.js';
import { entitlement, POLICY, utc } from './support.js';

describe('desiredState', () => {
  const month = entitlement();
  const cases: [string, Entitlement[], Hold, string, Desired['state'], RegExp][] = [
    ['paid', [month], 'none', '2026-01-15T12:00:00', 'running', /paid until 2026-02-15 12:00 UTC/],
    ['paid, held', [month], 'stopped', '2026-01-15T12:00:00', 'stopped', /Staff stopped/],
    ['paid, suspended by staff', [month], 'suspended', '2026-01-15T12:00:00', 'suspended', /Staff suspended/],
    ['in grace', [month], 'none', '2026-02-15T22:59:59', 'running', /suspended at 2026-02-15 23:00 UTC/],
    ['after it', [month], 'none', '2026-02-15T23:00:00', 'suspended', /ended at 2026-02-15 23:00/],
    ['nothing bought', [], 'none', '2026-01-15T12:00:00', 'suspended', /Nothing has been paid/],
    [
      'refunded',
      [{ ...month, state: 'cancelled' }],
      'none',
      '2026-01-16T12:00:00',
      'suspended',
      /cancelled or refunded/,
    ],
    ['unpaid', [{ ...month, paidOn: null }], 'none', '2026-01-20T11:59:59', 'running', /paid until/],
    [
      'unpaid for too long',
      [{ ...month, paidOn: null }],
      'none',
      '2026-01-20T12:00:00',
      'suspended',
      /unpaid for too long/,
    ],
  ];
  for (const [name, entitlements, hold, now, state, reason] of cases) {
    it(name, () => {
      const status = subscriptionStatus(entitlements, () => 0, POLICY, utc(now));
      const desired = desiredState(status, hold, utc(now));
      expect(desired.state).to.equal(state);
      expect(desired.reason).to.match(reason);
    });
  }
});
