/**
 * `paidUntil` once more, written from the rules alone and in the plainest way: its own calendar, no luxon, nothing of
 * src. The account of an instance is a list of stretches, each with its money; a change of plan cashes in what is left.
 */
import type { Part, Purchase } from '../../../src/subscription/types.js';

const DAY = 86_400_000;

interface Stretch {
  from: number;
  to: number;
  money: number;
}

export interface Naive {
  paidUntil: number | null;
  planId: number | null;
  /** Money was divided on the way. */
  divided: boolean;
}

/** A part and its line. */
type Row = Omit<Purchase, 'parts' | 'startsOn'> & Omit<Part, 'key'>;

/** Days of trust, of a payment on its way, and of a payment that vanished. */
export interface NaiveRules {
  trustDays: number;
  pendingDays: number;
  vanishedDays: number;
}

export function naivePaidUntil(lines: Purchase[], rules: NaiveRules, now: number): Naive {
  const rows: Row[] = [];
  for (const { parts, ...line } of lines) for (const { key: _, ...part } of parts) rows.push({ ...line, ...part });
  const counting = rows
    .map((row, index) => ({ row, index, start: startOf(row, rules, now), number: Number(row.key.split(':')[1]) }))
    .filter(({ start }) => start !== null)
    .map(({ row, start, number, index }) => ({ row, start: start ?? 0, number, index }))
    .sort((a, b) => a.start - b.start || a.number - b.number || a.index - b.index);

  let plan: number | null = null;
  let price: { money: number; count: number; unit: string } | null = null;
  let stretches: Stretch[] = [];
  // All periods since the clock was last set, as months and as milliseconds, to be counted from there.
  let clock = 0;
  let months = 0;
  let rest = 0;
  let end = 0;
  let divided = false;

  const add = (count: number, unit: string) => {
    if (unit === 'month') months += count;
    else if (unit === 'year') months += 12 * count;
    else rest += count * (unit === 'day' ? DAY : DAY / 24);
  };
  const close = (from: number, money: number) => {
    end = later(clock, months, rest);
    stretches.push({ from, to: end, money });
  };
  const reset = (moment: number) => {
    clock = moment;
    months = 0;
    rest = 0;
  };

  for (const { row, start } of counting) {
    const own = row.quantity * row.periodCount;
    const list = Math.max(row.unitPrice, row.listPrice);
    // Money buys what it would have bought of the list: the discount that it was sold with stays.
    const discount = row.unitPrice / list;
    const money = row.unitPrice > 0 ? (row.quantity * row.unitPrice) / discount : 0;
    const ownPrice = list > 0 ? { money: list, count: row.periodCount, unit: row.periodUnit } : null;
    if (plan === null && row.quantity === 0) continue;
    const isOver = plan === null || start > end;
    if (plan !== null && plan !== row.planId && row.keepPlan) {
      if (isOver) reset(start);
      const from = isOver ? start : end;
      if (price === null) add(own, row.periodUnit);
      else {
        add((money / price.money) * price.count, price.unit);
        divided = true;
      }
      close(from, money);
    } else if (plan === row.planId) {
      price = ownPrice ?? price;
      if (row.quantity === 0) continue;
      if (isOver) reset(start);
      const from = isOver ? start : end;
      add(own, row.periodUnit);
      close(from, money);
    } else if (isOver && row.quantity === 0) {
      plan = row.planId;
      price = ownPrice;
    } else {
      let cash = 0;
      let time = 0;
      for (const { from, to, money: paid } of isOver ? [] : stretches) {
        const unusedFrom = Math.max(from, start);
        if (to <= unusedFrom) continue;
        time += to - unusedFrom;
        cash += paid * ((to - unusedFrom) / (to - from));
      }
      stretches = [];
      reset(start);
      add(own, row.periodUnit);
      if (ownPrice === null) rest += time;
      else if (cash > 0) {
        add((cash / ownPrice.money) * ownPrice.count, ownPrice.unit);
        divided = true;
      }
      plan = row.planId;
      price = ownPrice;
      close(start, money + cash);
    }
  }
  return { paidUntil: plan === null ? null : end, planId: plan, divided };
}

/** From when a part counts; null where it does not. */
function startOf(row: Row, { trustDays, pendingDays, vanishedDays }: NaiveRules, now: number): number | null {
  const ordered = row.startsOn.getTime();
  const isGrant = row.key.startsWith('grant');
  if (row.state !== 'open') return null;
  if (row.quantity === 0 && !isGrant) return null;
  if (isGrant) return ordered > now ? null : ordered;
  const trusted = ordered + trustDays * DAY;
  const missed = row.vanishedOn !== null && now >= midnight(row.vanishedOn.getTime() + vanishedDays * DAY);
  if (row.paidOn !== null && !missed) return row.paidOn.getTime() > trusted ? row.paidOn.getTime() : ordered;
  if (row.key.startsWith('aml')) return null;
  let lapses = trusted;
  const since = row.paidOn === null ? row.pendingSince?.getTime() : undefined;
  if (since !== undefined && since <= trusted) lapses = Math.max(trusted, midnight(since + pendingDays * DAY));
  return now < lapses ? ordered : null;
}

/** Days end at midnight, which in UTC is a multiple of a day. */
function midnight(moment: number): number {
  return Math.ceil(moment / DAY) * DAY;
}

/** Month after month by the calendar, then the share of the next one, then the milliseconds. */
function later(clock: number, months: number, rest: number): number {
  const nearest = Math.round(months);
  const total = Math.abs(months - nearest) < 1e-10 ? nearest : months;
  const whole = Math.floor(total);
  const from = monthsAfter(clock, whole);
  const share = total - whole;
  return from + Math.round((share === 0 ? 0 : share * (monthsAfter(clock, whole + 1) - from)) + rest);
}

function monthsAfter(clock: number, months: number): number {
  const at = new Date(clock);
  const first = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1));
  const days = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  const day = Math.min(at.getUTCDate(), days);
  return first.getTime() + (day - 1) * DAY + (clock % DAY);
}
