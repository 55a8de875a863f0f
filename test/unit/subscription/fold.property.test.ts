import { expect } from 'chai';
import fc from 'fast-check';
import { addSpan } from '../../../src/subscription/calendar.js';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import type { Entitlement } from '../../../src/subscription/types.js';
import { POLICY, utc } from './support.js';

const HISTORIES = 10_000;
const NOW = utc('2027-06-01T00:00:00');
const FROM = utc('2025-01-01T00:00:00').getTime();
const MINUTE_MS = 60_000;
const minutes = fc.integer({ min: 0, max: 2 * 365 * 24 * 60 });

const line = fc.record({
  state: fc.constantFrom('open', 'open', 'open', 'cancelled'),
  planId: fc.integer({ min: 1, max: 3 }),
  quantity: fc.constantFrom(-1, 0, 0.25, 0.5, 1, 1, 2, 3, 12),
  periodCount: fc.constantFrom(1, 1, 3),
  periodUnit: fc.constantFrom('hour', 'day', 'month', 'month', 'year'),
  startedMinute: minutes,
  paidAfterMinutes: fc.option(fc.integer({ min: 0, max: 20 * 24 * 60 })),
});

const history = fc.array(line, { maxLength: 6 }).map((lines) =>
  lines.map(({ startedMinute, paidAfterMinutes, ...rest }, index): Entitlement => {
    const startsOn = new Date(FROM + startedMinute * MINUTE_MS);
    const paidOn = paidAfterMinutes === null ? null : new Date(startsOn.getTime() + paidAfterMinutes * MINUTE_MS);
    return { ...rest, key: `sol:${index + 1}`, startsOn, paidOn };
  }),
);

/** A history, and what a sloppy poll makes of it: any order, some lines more than once. */
const delivered = history.chain((lines) =>
  fc.record({
    lines: fc.constant(lines),
    shuffled: fc.array(fc.nat({ max: Math.max(0, lines.length - 1) }), { maxLength: 6 }).chain((again) => {
      const all = [...lines, ...again.flatMap((index) => lines[index] ?? [])];
      return fc.shuffledSubarray(all, { minLength: all.length });
    }),
    chunk: fc.integer({ min: 1, max: 5 }),
  }),
);

function fold(lines: Entitlement[]) {
  return subscriptionStatus(lines, () => 0, { ...POLICY, timeZone: 'UTC' }, NOW);
}

describe('subscriptionStatus: any history', () => {
  it('gives the same dates whatever the order, the chunks and the repetitions', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(delivered, ({ lines, shuffled, chunk }) => {
        const expected = JSON.stringify(fold(lines));
        // As the store keeps them, chunk after chunk by key; and all that came once more.
        const kept = new Map<string, Entitlement>();
        for (let at = 0; at < shuffled.length; at += chunk) {
          for (const entry of shuffled.slice(at, at + chunk).reverse()) kept.set(entry.key, entry);
        }
        expect(JSON.stringify(fold([...kept.values(), ...shuffled]))).to.equal(expected);
      }),
      { numRuns: HISTORIES },
    );
  });

  it('ends after everything that counts has begun, and always looks ahead', () => {
    fc.assert(
      fc.property(history, (lines) => {
        const { paidUntil, suspendAt, nextChangeAt } = fold(lines);
        if (paidUntil === null) return;
        expect(suspendAt !== null && suspendAt >= paidUntil).to.equal(true);
        expect(nextChangeAt === null || nextChangeAt > NOW).to.equal(true);
        expect(nextChangeAt !== null).to.equal(suspendAt !== null && suspendAt > NOW);
        const starts = lines.flatMap((entry) => (Number(fold([entry]).paidUntil) > 0 ? entry.startsOn.getTime() : []));
        expect(paidUntil.getTime()).to.be.greaterThan(Math.max(...starts));
      }),
      { numRuns: 1_000 },
    );
  });

  it('makes n early renewals of one period the same as one purchase of n periods', () => {
    fc.assert(
      fc.property(
        minutes,
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom('day' as const, 'month' as const),
        (minute, n, unit) => {
          const anchor = new Date(FROM + minute * MINUTE_MS);
          const lines = Array.from({ length: n }, (_, index): Entitlement => {
            const startsOn = new Date(anchor.getTime() + index);
            return {
              key: `sol:${index}`,
              state: 'open',
              planId: 1,
              quantity: 1,
              periodCount: 1,
              periodUnit: unit,
              startsOn,
              paidOn: startsOn,
            };
          });
          const span = unit === 'month' ? { months: n, ms: 0 } : { months: 0, ms: n * 86_400_000 };
          expect(fold(lines).paidUntil).to.deep.equal(addSpan(anchor, span));
        },
      ),
      { numRuns: 200 },
    );
  });
});
