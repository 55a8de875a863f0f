/** Rows of a poll as the daemon's own types. A row that is no good is told of and loses nobody else's. */
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { WantedDomain } from '../domains/types.js';
import type { Command } from '../instance/command.js';
import { DEFAULT_EGRESS } from '../instance/egress.js';
import { DEFAULT_KEEP } from '../instance/keep-rule.js';
import type { Phase } from '../instance/phase.js';
import type { Customer, Hold, Plan, Seller } from '../instance/types.js';
import {
  type CommandRow,
  commandRow,
  type InstanceRow,
  instanceRow,
  type LookReply,
  type PlanRow,
  type PurchaseRow,
  planRow,
  purchaseRow,
} from '../protocol/poll.js';
import type { Purchase } from '../subscription/types.js';
import { toCustomer, toSeller } from './parties.js';
import { identityOf, isUntold, PLAN_LIMITS, Problem } from './row-checks.js';
import { excerpt, oneLine, problemOf } from './text.js';

/** A purchase with the buyer, who may be new to the daemon. */
export interface MasterPurchase extends Purchase {
  customer: Customer;
  seller: Seller;
  /** What the buyer wants a new instance to be called; empty: nothing. Not checked. */
  wantedName: string;
  /** The language of a new instance; empty: the buyer's own. */
  wantedLang: string;
}

/** A `saas.instance` record as the master has it. */
export interface InstanceRecord {
  /** Database id of the record. */
  id: number;
  /** When the record was made. */
  createdOn?: Date;
  key: string;
  name: string;
  customer: Customer;
  seller: Seller;
  planId: number | null;
  phase: Phase;
  /** What staff decided. */
  hold: Hold;
  startedAt: Date | null;
  paidUntil: Date | null;
  suspendedAt: Date | null;
  /** The date of its deletion that its customer was told. */
  deleteAt?: Date;
  storageOverSince: Date | null;
  /** It is to be provisioned; a draft of a person is not. */
  requested: boolean;
  /** Names of their own that its customer wants; absent: not told. */
  domains?: WantedDomain[];
}

export interface Rejected {
  kind: 'plan' | 'purchase' | 'instance' | 'command';
  /** Key of a purchase or instance, else null. */
  key: string | null;
  /** Database id of a plan, instance or command, else null. */
  id: number | null;
  /** Readable, in English, of all that is wrong. */
  problem: string;
}

/** What the master said at one time, in our types. */
export interface Rows {
  plans: Plan[];
  purchases: MasterPurchase[];
  instances: InstanceRecord[];
  commands: Command[];
  rejected: Rejected[];
}

export interface Page extends Rows {
  more: boolean;
}

export interface PollBatch extends Page {
  /** The master's clock when it answered. */
  serverTime: Date;
  /** For the next poll. */
  cursor: string;
}

/** Converts every row that can be converted; the others are in `rejected`. */
export function readRows(reply: LookReply): Rows {
  const rejected: Rejected[] = [];
  function read<Row extends z.ZodType, T>(
    kind: Rejected['kind'],
    rows: unknown[],
    schema: Row,
    convert: (row: z.output<Row>) => T,
  ): T[] {
    return rows.flatMap((row) => {
      const parsed = schema.safeParse(row);
      try {
        if (isUntold(row)) throw new Problem(oneLine(row.problem, 500));
        if (!parsed.success) throw new Problem(problemOf(parsed.error));
        return [convert(parsed.data)];
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        rejected.push({ kind, ...identityOf(row), problem: error.message });
        return [];
      }
    });
  }
  return {
    plans: read('plan', reply.plans, planRow, toPlan),
    purchases: read('purchase', reply.purchases, purchaseRow, toPurchase),
    instances: read('instance', reply.instances, instanceRow, toInstance),
    commands: read('command', reply.commands, commandRow, toCommand),
    rejected,
  };
}

/** What one line can buy: about a hundred years. */
const MOST_PERIODS = { hour: 876_000, day: 36_500, month: 1200, year: 100 };

export function toPlan(row: PlanRow): Plan {
  const problems: string[] = [];
  const code = row.code.trim();
  if (code === '') problems.push('it has no code');
  else if (!/^[\w.-]{1,64}$/.test(code)) problems.push('its code may hold letters, digits, ".", "_" and "-" only');
  if (row.period_unit === null) problems.push('it has no unit of its period');
  for (const [field, words, least, most] of PLAN_LIMITS) {
    const value = Number(row[field]);
    if (!(value >= least && value <= most)) problems.push(`its ${words} is ${value}, must be ${least} to ${most}`);
  }
  const modules = [...new Set(row.modules.split(/[\s,;]+/).filter((name) => name !== ''))].sort();
  const odd = modules.filter((name) => !/^[a-z0-9_]{1,64}$/.test(name));
  if (odd.length > 0) problems.push(`"${excerpt(odd.join(', '), 60)}" is no technical name of a module`);
  if (problems.length > 0)
    throw new Problem(`the plan "${oneLine(row.name, 60)}" cannot be used: ${problems.join('; ')}`);
  const keep = { daily: row.keep_daily, weekly: row.keep_weekly, monthly: row.keep_monthly };
  return {
    id: row.id,
    code,
    name: oneLine(row.name),
    // In one order: what differs is taken for a change.
    names: Object.fromEntries(
      Object.entries(row.names)
        .filter(([, name]) => name !== '')
        .map(([lang, name]): [string, string] => [lang, oneLine(name)])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    cpu: row.cpu,
    memoryMb: row.memory_mb,
    storageGb: row.storage_gb,
    maxUsers: row.max_users,
    modules,
    graceDays: row.grace_days,
    retentionDays: row.retention_days,
    trial: row.trial,
    ...(row.active ? {} : { active: false }),
    ...(row.sleep_after_hours > 0
      ? { sleep: { afterHours: row.sleep_after_hours, hourly: row.sleep_wakes_hourly } }
      : {}),
    ...(isDeepStrictEqual(keep, DEFAULT_KEEP) ? {} : { keep }),
    ...(row.egress === DEFAULT_EGRESS ? {} : { egress: row.egress }),
    ...(row.domains > 0 ? { domains: Math.min(row.domains, 100) } : {}),
  };
}

export function toPurchase(row: PurchaseRow): MasterPurchase {
  const document = oneLine(row.document, 60) || row.key;
  // A grant of nothing changes the plan alone.
  const quantity = row.parts.reduce((sum, part) => sum + part.quantity, 0);
  const changesPlan = row.key.startsWith('grant:') && quantity === 0;
  const open = row.state !== 'cancelled' && (quantity > 0 || changesPlan);
  // A cancelled line has nothing to count; one that is open must say for how long.
  const unit = row.period_unit ?? 'month';
  if (open && (row.period_unit === null || row.period_count <= 0)) {
    throw new Problem(`${document} has a line of a plan without a period`);
  }
  if (open && quantity * row.period_count > MOST_PERIODS[unit]) {
    throw new Problem(`${document} buys ${quantity} × ${row.period_count} ${unit}s at once, which must be a mistake`);
  }
  return {
    key: row.key,
    ...(row.created_on && { createdOn: row.created_on }),
    state: open ? row.state : 'cancelled',
    planId: row.plan_id,
    parts: row.parts.map((part) => ({
      key: part.key,
      quantity: part.quantity,
      startsOn: part.starts_on,
      paidOn: part.paid_on,
      vanishedOn: part.vanished_on,
    })),
    periodCount: Math.max(1, row.period_count),
    periodUnit: unit,
    startsOn: row.starts_on,
    customerId: row.customer.id,
    customer: toCustomer(row.customer),
    seller: toSeller(row.seller),
    wantedName: oneLine(row.wanted_name, 60),
    wantedLang: oneLine(row.wanted_lang, 20),
    document,
    orderId: row.order_id,
    invoiceIds: row.invoice_ids,
    instanceKey: row.instance_key,
    additional: row.additional,
    unitPrice: Math.max(0, row.unit_price),
    listPrice: Math.max(0, row.list_price),
    keepPlan: row.keep_plan,
    pendingSince: row.pending_since,
  };
}

export function toInstance(row: InstanceRow): InstanceRecord {
  return {
    id: row.id,
    ...(row.created_on && { createdOn: row.created_on }),
    key: row.key,
    name: oneLine(row.name),
    customer: toCustomer(row.customer),
    seller: toSeller(row.seller),
    planId: row.plan_id,
    phase: row.state,
    hold: row.hold,
    startedAt: row.started_on,
    paidUntil: row.paid_until,
    suspendedAt: row.suspended_on,
    ...(row.delete_on && { deleteAt: row.delete_on }),
    storageOverSince: row.storage_over_since,
    requested: row.requested,
    ...(row.domains && {
      domains: row.domains.map(({ host, proof, asked_on, held }) => ({ host, proof, askedAt: asked_on, isHeld: held })),
    }),
  };
}

function toCommand(row: CommandRow): Command {
  return {
    id: row.id,
    ...(row.created_on && { createdOn: row.created_on }),
    instanceKey: row.instance_key,
    command: row.command,
    ...(row.moment ? { moment: row.moment } : {}),
    requestedBy: oneLine(row.requested_by),
    planId: row.plan_id,
  };
}
