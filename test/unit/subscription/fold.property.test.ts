import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { openDatabase } from '../../../src/store/database.js';
import { purchaseTable } from '../../../src/store/purchases.js';
import { addSpan } from '../../../src/subscription/calendar.js';
import { subscriptionStatus } from '../../../src/subscription/fold.js';
import { entitlementsOf } from '../../../src/subscription/parts.js';
import type { Entitlement, Part, Purchase } from '../../../src/subscription/types.js';
import { happen, history, MINUTE_MS, type Told } from './history.js';
import { naivePaidUntil } from './naive.js';
import { entitlement, POLICY, STARTED } from './support.js';

const HISTORIES = 10_000;
const IN_SQLITE = 1_000;
const DAY_MS = 86_400_000;
const policy = { ...POLICY, timeZone: 'UTC' };

const RULES = { trustDays: POLICY.unpaidOrderGraceDays, pendingDays: POLICY.pendingPaymentDays, vanishedDays: 1 };

function fold(lines: Purchase[], now: Date) {
  return foldParts(entitlementsOf(lines), now);
}

function foldParts(parts: Entitlement[], now: Date) {
  return subscriptionStatus(parts, STARTED, (planId) => planId % 3, policy, now);
}

/** Whether what was kept folds into what a plain recomputation from the final documents gives. */
function expectPlain(kept: Purchase[], { rows, now }: Told): void {
  const plain = naivePaidUntil(rows, RULES, now.getTime());
  const { paidUntil, planId } = fold(kept, now);
  expect(paidUntil === null).to.equal(plain.paidUntil === null);
  if (paidUntil === null || plain.paidUntil === null) return;
  const difference = Math.abs(paidUntil.getTime() - plain.paidUntil);
  expect(difference, `${paidUntil.toISOString()} against ${new Date(plain.paidUntil).toISOString()}`).to.be.at.most(
    plain.divided ? 1 : 0,
  );
  if (now > paidUntil) expect(planId).to.equal(plain.planId);
}

describe('subscriptionStatus: any history', () => {
  it('gives what a plain recomputation gives, however the polls brought it', function () {
    this.timeout(60_000);
    const seen = { paid: 0, divided: 0, nothing: 0 };
    fc.assert(
      fc.property(history, (past) => {
        const told = happen(past);
        const kept = new Map<string, Purchase>();
        for (const page of told.pages) for (const row of page) kept.set(row.key, row);
        expectPlain([...kept.values()], told);
        const plain = naivePaidUntil(told.rows, RULES, told.now.getTime());
        seen[plain.paidUntil === null ? 'nothing' : plain.divided ? 'divided' : 'paid']++;
      }),
      { numRuns: HISTORIES },
    );
    // That it is about something.
    for (const count of Object.values(seen)) expect(count).to.be.greaterThan(HISTORIES / 20);
  });

  it('gives the same out of the real store', function () {
    this.timeout(60_000);
    const folder = mkdtempSync(join(tmpdir(), 'saas-history-'));
    const db = openDatabase(join(folder, 'bridge.sqlite'));
    try {
      db.pragma('synchronous = OFF');
      const table = purchaseTable(db);
      let run = 0;
      fc.assert(
        fc.property(history, (past) => {
          const firstKey = ++run * 100;
          const instanceKey = `sol:${firstKey}`;
          const told = happen(past, firstKey);
          for (const page of told.pages) table.save(page.map((row) => ({ ...row, instanceKey })));
          const kept = table.byInstance(instanceKey);
          expect(kept.length).to.equal(told.rows.length);
          expectPlain(kept, told);
        }),
        { numRuns: IN_SQLITE },
      );
    } finally {
      db.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('loses nothing by an edit that adds, nor by a payment that goes and comes', () => {
    fc.assert(
      fc.property(history, fc.nat({ max: 7 }), (past, which) => {
        const { rows, now } = happen(past);
        const before = fold(rows, now).paidUntil;
        const line = rows[which % Math.max(1, rows.length)];
        if (line === undefined || line.state !== 'open' || line.parts.length === 0) return;
        const change = (parts: Part[]) => rows.map((row) => (row === line ? { ...row, parts } : row));
        const added = { key: 'ordered:9', quantity: 1, startsOn: now, paidOn: null, vanishedOn: null };
        // Whatever plan it is of, the plan of a later line ends it: only the last may be compared.
        if (rows.every(({ planId }) => planId === line.planId)) {
          const raised = fold(change([...line.parts, added]), now).paidUntil;
          expect(Number(raised)).to.be.at.least(Number(before));
        }
        const gone = line.parts.map((part) =>
          part.paidOn === null ? part : { ...part, vanishedOn: part.vanishedOn ?? now },
        );
        expect(fold(change(gone), now).paidUntil).to.deep.equal(before, 'at once nothing is lost');
        const after = new Date(now.getTime() + 3 * DAY_MS);
        const back = gone.map((part, index) => ({ ...part, vanishedOn: line.parts[index]?.vanishedOn ?? null }));
        expect(fold(change(back), after)).to.deep.equal(fold(rows, after));
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not depend on the order or the repetition of the lines', () => {
    fc.assert(
      fc.property(history, (past) => {
        const { rows, now } = happen(past);
        const expected = JSON.stringify(fold(rows, now));
        expect(JSON.stringify(fold(rows.toReversed(), now))).to.equal(expected);
        const shuffledParts = rows.map((row) => ({ ...row, parts: row.parts.toReversed() }));
        expect(JSON.stringify(fold(shuffledParts, now))).to.equal(expected);
        expect(JSON.stringify(fold([...rows, ...rows.toReversed()], now))).to.equal(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it('changes by itself only when it said so', () => {
    fc.assert(
      fc.property(history, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (past, share) => {
        const { rows, now } = happen(past);
        const status = fold(rows, now);
        const { nextChangeAt } = status;
        const span = (nextChangeAt?.getTime() ?? now.getTime() + 4_000 * DAY_MS) - now.getTime();
        expect(span).to.be.greaterThan(0);
        for (const part of [share, 1 - 1e-9]) {
          const then = new Date(Math.min(now.getTime() + Math.floor(span * part), now.getTime() + span - 1));
          expect(JSON.stringify(fold(rows, then))).to.equal(JSON.stringify(status));
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('is suspended neither before the paid time ends nor during the day', () => {
    fc.assert(
      fc.property(history, (past) => {
        const { rows, now } = happen(past);
        const { paidUntil, suspendAt, hourly, heldOff } = fold(rows, now);
        if (paidUntil === null || suspendAt === null) return;
        expect(suspendAt.getTime()).to.be.at.least(paidUntil.getTime());
        if (!hourly || heldOff) expect(suspendAt.getTime() % DAY_MS).to.equal(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it('makes n early renewals of one period the same as one purchase of n periods', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 * 365 * 24 * 60 }),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom('day' as const, 'month' as const),
        (minute, n, periodUnit) => {
          const anchor = new Date(Date.UTC(2025, 0, 1) + minute * MINUTE_MS);
          const lines = Array.from({ length: n }, (_, index) =>
            entitlement({ key: `sol:${index}`, periodUnit, startsOn: new Date(anchor.getTime() + index) }),
          );
          const span = periodUnit === 'month' ? { months: n, ms: 0 } : { months: 0, ms: n * DAY_MS };
          expect(foldParts(lines, anchor).paidUntil).to.deep.equal(addSpan(anchor, span));
        },
      ),
      { numRuns: 200 },
    );
  });
});
