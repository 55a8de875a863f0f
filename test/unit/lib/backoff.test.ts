import { expect } from 'chai';
import { backoffMs, isWorthTelling } from '../../../src/lib/backoff.js';

describe('backoffMs', () => {
  const limits = { baseMs: 2_000, maxMs: 300_000 };

  it('doubles its ceiling up to the maximum', () => {
    const ceilings = [0, 1, 2, 3, 8, 9, 5_000].map((attempt) => backoffMs(attempt, limits, () => 0.999_999_999));
    expect(ceilings).to.deep.equal([1_999, 1_999, 3_999, 7_999, 255_999, 299_999, 299_999]);
  });

  it('spreads over all of it', () => {
    expect(backoffMs(3, limits, () => 0)).to.equal(0);
    expect(backoffMs(3, limits, () => 0.5)).to.equal(4_000);
  });

  it('is told ever more seldom', () => {
    const told = Array.from({ length: 20 }, (_, index) => index + 1).filter(isWorthTelling);
    expect(told).deep.equal([1, 2, 4, 8, 16]);
  });
});
