/** Entitlements laid out on the line of time, one after the other; another plan takes over at once, value for value. */
import { addSpan, type Span, spanOf } from './calendar.js';
import type { Entitlement } from './types.js';

/** An entitlement that counts, and the instant from which. */
export interface CountedEntitlement {
  entitlement: Entitlement;
  start: Date;
  /** When it stops counting unless it is paid; null when it is paid. */
  lapsesAt: Date | null;
}

/** The stretch of time that one entitlement pays for. */
export interface Segment {
  planId: number;
  from: Date;
  until: Date;
  /** What the list says for what was paid, spread evenly over it; 0 where nothing was paid. */
  value: number;
}

/** Time without a gap and of one plan. Months and milliseconds add up on one anchor, so that month ends do not drift. */
interface Run {
  planId: number;
  anchor: Date;
  span: Span;
  end: Date;
  hourly: boolean;
  /** The newest entitlement of the plan that cost something: what its time costs. Null where it is free. */
  priced: Entitlement | null;
}

export interface Layout {
  /** In the order of time. */
  segments: Segment[];
  end: Date | null;
  /** Every period in the last stretch without a gap is counted in hours. */
  hourly: boolean;
}

/**
 * Puts the counting one after the other. One that starts after the end so far begins a new run; one of the same plan
 * extends the run; one of another plan ends it where it starts, and what was not used buys time of the new plan.
 * @param counting in the order of their starts.
 */
export function layOut(counting: CountedEntitlement[]): Layout {
  let segments: Segment[] = [];
  let run = null as Run | null;
  for (const { entitlement, start } of counting) {
    const { planId, quantity, periodUnit } = entitlement;
    if (run === null && quantity === 0) continue;
    const hourly = periodUnit === 'hour';
    const live = run !== null && start <= run.end ? run : null;
    const priced: Entitlement | null =
      priceOf(entitlement) > 0 ? entitlement : run?.planId === planId ? run.priced : null;
    if (run !== null && entitlement.keepPlan && planId !== run.planId) {
      run = extended(run, live, start, worthOf(entitlement, run.priced), run.hourly);
      segments.push({ planId: run.planId, from: live?.end ?? start, until: run.end, value: listValueOf(entitlement) });
    } else if (live !== null && planId === live.planId) {
      run = { ...extended(live, live, start, bought(entitlement), live.hourly && hourly), priced };
      segments.push({ planId, from: live.end, until: run.end, value: listValueOf(entitlement) });
    } else if (run !== null && live === null && quantity === 0) {
      // Another plan for one that is not paid at the moment: nothing to convert, and no time.
      run = { ...run, planId, priced };
      segments.push({ planId, from: run.end, until: run.end, value: 0 });
    } else {
      const left = live === null ? { value: 0, ms: 0 } : unused(segments, start);
      const span = sum(bought(entitlement), carried(left, entitlement));
      run = {
        planId,
        anchor: start,
        span,
        end: addSpan(start, span),
        hourly: hourly && (live?.hourly ?? true),
        priced,
      };
      segments = cutAt(segments, start);
      segments.push({ planId, from: start, until: run.end, value: listValueOf(entitlement) + left.value });
    }
  }
  return { segments, end: run?.end ?? null, hourly: run?.hourly ?? false };
}

/** The plan at a moment; after the last segment the newest one, before the first the first. */
export function planAt(segments: Segment[], moment: Date): number | null {
  const [first] = segments;
  const covering = segments.find(({ from, until }) => from <= moment && moment < until);
  return (covering ?? (first && moment < first.from ? first : segments.at(-1)))?.planId ?? null;
}

/** More time for the run; from `start` on where it has ended. */
function extended(run: Run, live: Run | null, start: Date, more: Span, hourly: boolean): Run {
  const anchor = live?.anchor ?? start;
  const span = live === null ? more : sum(live.span, more);
  return { ...run, anchor, span, end: addSpan(anchor, span), hourly };
}

function bought({ quantity, periodCount, periodUnit }: Entitlement): Span {
  return spanOf(quantity, periodCount, periodUnit);
}

function sum(a: Span, b: Span): Span {
  return { months: a.months + b.months, ms: a.ms + b.ms };
}

/** What one period costs: a line sold for next to nothing must not turn a month into a century. */
function priceOf({ unitPrice, listPrice }: Entitlement): number {
  const [highest = 0] = [unitPrice, listPrice]
    .filter((price) => price > 0 && Number.isFinite(price))
    .sort((a, b) => b - a);
  return highest;
}

/**
 * What a change of plan carries over, at list prices: money buys time of the new plan at the discount that it was sold
 * with. What was sold for nothing is worth nothing.
 */
function listValueOf(entitlement: Entitlement): number {
  const { quantity, unitPrice } = entitlement;
  return unitPrice > 0 && Number.isFinite(unitPrice) ? quantity * priceOf(entitlement) : 0;
}

/**
 * The time that value buys at the price of `priced`. Periods of the calendar: with days of the month in which the plan
 * happens to change, a year changed in February would lose two weeks.
 */
function timeFor(value: number, priced: Entitlement): Span {
  return spanOf(value / priceOf(priced), priced.periodCount, priced.periodUnit);
}

/** What was paid for a plan that was refused, as time of the plan there is; day for day where that one is free. */
function worthOf(entitlement: Entitlement, priced: Entitlement | null): Span {
  return priced === null ? bought(entitlement) : timeFor(listValueOf(entitlement), priced);
}

/** The time of the new plan that the unused value buys; a free plan takes the days as they are. */
function carried(left: { value: number; ms: number }, entitlement: Entitlement): Span {
  return priceOf(entitlement) > 0 ? timeFor(left.value, entitlement) : { months: 0, ms: left.ms };
}

/** Value and time of the segments after `moment`. */
function unused(segments: Segment[], moment: Date): { value: number; ms: number } {
  let value = 0;
  let ms = 0;
  for (const segment of segments) {
    const length = segment.until.getTime() - segment.from.getTime();
    const left = Math.min(length, segment.until.getTime() - moment.getTime());
    if (left <= 0) continue;
    ms += left;
    value += (segment.value * left) / length;
  }
  return { value, ms };
}

function cutAt(segments: Segment[], moment: Date): Segment[] {
  return segments.flatMap((segment) => {
    if (segment.from >= moment) return [];
    if (segment.until <= moment) return [segment];
    const share = (moment.getTime() - segment.from.getTime()) / (segment.until.getTime() - segment.from.getTime());
    return [{ ...segment, until: moment, value: segment.value * share }];
  });
}
