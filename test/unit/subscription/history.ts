/** Histories of what happens to purchases in a master, and what polls of it bring. For the property tests. */
import fc from 'fast-check';
import type { PeriodUnit, Purchase } from '../../../src/subscription/types.js';

import { purchase } from './support.js';

export const MINUTE_MS = 60_000;
const FROM = Date.UTC(2027, 10, 20);

interface Product {
  planId: number;
  unitPrice: number;
  listPrice: number;
  periodCount: number;
  periodUnit: PeriodUnit;
}

const PRODUCTS: Product[] = [
  { planId: 1, unitPrice: 10, listPrice: 10, periodCount: 1, periodUnit: 'month' },
  { planId: 1, unitPrice: 100, listPrice: 120, periodCount: 1, periodUnit: 'year' },
  { planId: 1, unitPrice: 0, listPrice: 10, periodCount: 10, periodUnit: 'day' },
  { planId: 2, unitPrice: 30, listPrice: 30, periodCount: 1, periodUnit: 'month' },
  { planId: 2, unitPrice: 84, listPrice: 90, periodCount: 3, periodUnit: 'month' },
  { planId: 3, unitPrice: 1.5, listPrice: 1.5, periodCount: 1, periodUnit: 'day' },
  { planId: 4, unitPrice: 0, listPrice: 0, periodCount: 14, periodUnit: 'day' },
  { planId: 5, unitPrice: 0.05, listPrice: 0, periodCount: 1, periodUnit: 'hour' },
];

type Kind = 'order' | 'invoice' | 'grant';

/** What was ordered of a line at one time, or paid by one payment. */
interface Piece {
  key: string;
  quantity: number;
  startsOn: number;
  paidOn: number | null;
  vanishedOn: number | null;
}

/** A line in the master with all that belongs to it: however many documents, polls bring one row. */
interface Line {
  key: string;
  kind: Kind;
  product: Product;
  pieces: Piece[];
  startsOn: number;
  isCancelled: boolean;
  pendingSince: number | null;
  keepPlan: boolean;
}

export type Event =
  | { do: 'buy'; kind: Kind; product: number; quantity: number; paid: boolean; dateMinutes: number }
  | { do: Change; line: number };

const CHANGES = [
  ...(['pay', 'pay', 'pay in part', 'pay in part', 'raise', 'raise', 'lower', 'vanish', 'vanish', 'return'] as const),
  ...(['reverse', 'cancel', 'refuse', 'credit', 'await'] as const),
];
type Change = (typeof CHANGES)[number];

const buy = fc.record({
  do: fc.constant('buy' as const),
  kind: fc.constantFrom<Kind>('order', 'order', 'order', 'invoice', 'grant'),
  product: fc.oneof(fc.constant(0), fc.nat({ max: PRODUCTS.length - 1 })),
  quantity: fc.constantFrom(0, 0.25, 0.5, 1, 1, 1, 2, 3, 12),
  paid: fc.boolean(),
  /** Of a grant: from when it is, against now. */
  dateMinutes: fc.integer({ min: -20 * 1_440, max: 20 * 1_440 }),
});
const change = fc.record({
  do: fc.constantFrom(...CHANGES),
  line: fc.nat({ max: 7 }),
}) as fc.Arbitrary<Event>;

/** Days lie between most events, none between some. */
const pause = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 * 1_440 }), fc.integer({ min: 1, max: 60 * 1_440 }));
export const history = fc.record({
  events: fc.array(fc.tuple(pause, fc.oneof(buy, buy, change)), { minLength: 1, maxLength: 12 }),
  /** How long after the last event we look. */
  later: fc.integer({ min: 0, max: 12 * 1_440 }),
  /** Whether a poll follows each event, and the luck of the polls. */
  polls: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  seed: fc.integer({ min: 1, max: 2 ** 31 - 2 }),
});
export type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

export interface Told {
  /** What each poll brought, in pages. */
  pages: Purchase[][];
  /** The rows as they are in the end. */
  rows: Purchase[];
  now: Date;
}

/** Lets it all happen; polls bring every row that changed, and some that did not, in any order and in pages of any size. */
export function happen({ events, later, polls, seed }: History, firstKey = 1): Told {
  const random = randomFrom(seed);
  const lines: Line[] = [];
  const changed = new Set<Line>();
  const pages: Purchase[][] = [];
  let now = FROM;
  const poll = () => {
    const again = lines.filter(() => random() < 0.3);
    const rows = shuffled([...changed, ...again], random).map(rowOf);
    const size = 1 + Math.floor(random() * 4);
    for (let from = 0; from < rows.length; from += size) pages.push(rows.slice(from, from + size));
    changed.clear();
  };
  events.forEach(([minutes, event], index) => {
    now += minutes * MINUTE_MS;
    const line = event.do === 'buy' ? bought(event, firstKey + lines.length, now) : lines[event.line % lines.length];
    if (line === undefined) return;
    if (event.do === 'buy') lines.push(line);
    else befall(line, event.do, now);
    changed.add(line);
    if (polls[index]) poll();
  });
  poll();
  return { pages, rows: lines.map(rowOf), now: new Date(now + later * MINUTE_MS) };
}

function bought(event: Extract<Event, { do: 'buy' }>, number: number, now: number): Line {
  const { kind, quantity, paid, dateMinutes } = event;
  const startsOn = kind === 'grant' ? now + dateMinutes * MINUTE_MS : now;
  const prefix = { order: 'sol', invoice: 'aml', grant: 'grant' }[kind];
  const paidOn = kind === 'order' && !paid ? null : startsOn;
  return {
    key: `${prefix}:${number}`,
    kind,
    product: PRODUCTS[event.product] as Product,
    pieces: [{ key: 'piece:1', quantity, startsOn, paidOn, vanishedOn: null }],
    startsOn,
    isCancelled: false,
    pendingSince: null,
    keepPlan: false,
  };
}

function befall(line: Line, what: Change, now: number): void {
  const { pieces, kind } = line;
  const unpaid = pieces.filter(({ paidOn }) => paidOn === null);
  const paid = pieces.filter(({ paidOn }) => paidOn !== null);
  const next = `piece:${pieces.length + 1}`;
  if (what === 'pay') {
    for (const piece of unpaid) piece.paidOn = Math.max(now, line.startsOn);
    line.pendingSince = null;
  }
  if (what === 'pay in part' && unpaid[0]) {
    const [piece] = unpaid;
    pieces.push({ ...piece, key: next, quantity: piece.quantity / 2 });
    piece.quantity /= 2;
    piece.paidOn = Math.max(now, line.startsOn);
  }
  if (what === 'raise' && kind === 'order') {
    pieces.push({ key: next, quantity: 1, startsOn: now, paidOn: null, vanishedOn: null });
  }
  // An edit takes out what nobody paid.
  if (what === 'lower') for (const piece of unpaid) piece.quantity = 0;
  if (what === 'vanish' && paid[0] && kind !== 'grant') paid[0].vanishedOn ??= now;
  if (what === 'return') for (const piece of pieces) piece.vanishedOn = null;
  if (what === 'reverse' && kind !== 'grant')
    for (const piece of paid) Object.assign(piece, { paidOn: null, vanishedOn: null });
  if (what === 'cancel') line.isCancelled = !line.isCancelled;
  if (what === 'refuse') line.keepPlan = kind !== 'grant';
  const last = paid.at(-1);
  if (what === 'credit' && last) last.quantity = last.quantity > 0.3 ? last.quantity / 2 : 0;
  if (what === 'await' && unpaid.length > 0) line.pendingSince = now;
}

/** As the addon sends it. */
function rowOf(line: Line): Purchase {
  const { key, kind, product, startsOn, pieces, pendingSince, keepPlan, isCancelled } = line;
  const changesPlan = kind === 'grant' && pieces.every(({ quantity }) => quantity === 0);
  // An invoice without an order tells what is paid.
  const counts = pieces.filter(
    ({ quantity, paidOn }) => (quantity > 0 || changesPlan) && (kind !== 'invoice' || paidOn !== null),
  );
  const state = isCancelled
    ? 'cancelled'
    : counts.length > 0
      ? 'open'
      : pendingSince !== null
        ? 'pending'
        : 'cancelled';
  const date = (ms: number | null) => (ms === null ? null : new Date(ms));
  return purchase({
    ...product,
    key,
    state,
    startsOn: new Date(startsOn),
    parts: (isCancelled ? [] : counts).map(({ startsOn: since, paidOn, vanishedOn, ...part }) => ({
      ...part,
      startsOn: new Date(since),
      paidOn: date(paidOn),
      vanishedOn: date(vanishedOn),
    })),
    pendingSince: date(pendingSince),
    keepPlan,
  });
}

function shuffled<T>(items: T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, luck: random() }))
    .sort((a, b) => a.luck - b.luck)
    .map(({ item }) => item);
}

/** Lehmer's generator: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
