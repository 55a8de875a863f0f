/** An instance as a row of the table. */
import type { Phase } from '../instance/phase.js';
import type { Placement } from '../instance/placement.js';
import type { Release } from '../instance/release.js';
import type { Customer, Hold, Instance, Seller, Usage } from '../instance/types.js';
import { fromMs, toMs } from './time.js';

export interface Row {
  key: string;
  name: string;
  slot: number | null;
  placement: string | null;
  customer: string;
  seller: string | null;
  plan_id: number;
  document: string;
  order_id: number | null;
  hold: Hold;
  phase: Phase;
  created_at: number;
  born_at: number | null;
  started_at: number | null;
  suspended_at: number | null;
  usage: string | null;
  measured_at: number | null;
  storage_over_since: number | null;
  unreadable_since: number | null;
  space_stopped_at: number | null;
  told_paid_until: number | null;
  warned_at: number | null;
  told_delete_at: number | null;
  told_storage_at: number | null;
  generation: number;
  release: string | null;
  revision: string | null;
  limits: string | null;
  settings: string | null;
  secrets: string | null;
  error_message: string | null;
  visited_at: number | null;
  asleep_since: number | null;
  woken_at: number | null;
  domain: string | null;
}

export const COLUMNS: readonly (keyof Row)[] = [
  'key',
  'name',
  'slot',
  'placement',
  'customer',
  'seller',
  'plan_id',
  'document',
  'order_id',
  'hold',
  'phase',
  'created_at',
  'born_at',
  'started_at',
  'suspended_at',
  'usage',
  'measured_at',
  'storage_over_since',
  'unreadable_since',
  'space_stopped_at',
  'told_paid_until',
  'warned_at',
  'told_delete_at',
  'told_storage_at',
  'generation',
  'release',
  'revision',
  'limits',
  'settings',
  'secrets',
  'error_message',
  'visited_at',
  'asleep_since',
  'woken_at',
  'domain',
];

export function toRow(instance: Instance): Row {
  return {
    key: instance.key,
    name: instance.name,
    slot: instance.placement?.slot ?? null,
    placement: instance.placement && JSON.stringify(instance.placement),
    customer: JSON.stringify(instance.customer),
    seller: instance.seller && JSON.stringify(instance.seller),
    plan_id: instance.planId,
    document: instance.document,
    order_id: instance.orderId,
    hold: instance.hold,
    phase: instance.phase,
    created_at: toMs(instance.createdAt),
    born_at: toMs(instance.bornAt),
    started_at: toMs(instance.startedAt),
    suspended_at: toMs(instance.suspendedAt),
    usage: instance.usage && JSON.stringify(instance.usage),
    measured_at: toMs(instance.measuredAt),
    storage_over_since: toMs(instance.storageOverSince),
    unreadable_since: toMs(instance.unreadableSince),
    space_stopped_at: toMs(instance.spaceStoppedAt),
    told_paid_until: toMs(instance.toldPaidUntil),
    warned_at: toMs(instance.warnedAt),
    told_delete_at: toMs(instance.toldDeleteAt),
    told_storage_at: toMs(instance.toldStorageAt),
    generation: instance.generation,
    release: instance.release && JSON.stringify(instance.release),
    revision: instance.revision,
    limits: instance.limits,
    settings: instance.settings,
    secrets: instance.secrets,
    error_message: instance.errorMessage,
    visited_at: toMs(instance.visitedAt),
    asleep_since: toMs(instance.asleepSince),
    woken_at: toMs(instance.wokenAt),
    domain: instance.domain,
  };
}

export function fromRow(row: Row): Instance {
  return {
    key: row.key,
    name: row.name,
    placement: parsed<Placement>(row.placement),
    customer: JSON.parse(row.customer) as Customer,
    seller: row.seller === null ? null : (JSON.parse(row.seller) as Seller),
    planId: row.plan_id,
    document: row.document,
    orderId: row.order_id,
    hold: row.hold,
    phase: row.phase,
    createdAt: fromMs(row.created_at),
    bornAt: fromMs(row.born_at),
    startedAt: fromMs(row.started_at),
    suspendedAt: fromMs(row.suspended_at),
    usage: parsed<Usage>(row.usage),
    measuredAt: fromMs(row.measured_at),
    storageOverSince: fromMs(row.storage_over_since),
    unreadableSince: fromMs(row.unreadable_since),
    spaceStoppedAt: fromMs(row.space_stopped_at),
    toldPaidUntil: fromMs(row.told_paid_until),
    warnedAt: fromMs(row.warned_at),
    toldDeleteAt: fromMs(row.told_delete_at),
    toldStorageAt: fromMs(row.told_storage_at),
    generation: row.generation,
    release: parsed<Release>(row.release),
    revision: row.revision,
    limits: row.limits,
    settings: row.settings,
    secrets: row.secrets,
    errorMessage: row.error_message,
    visitedAt: fromMs(row.visited_at),
    asleepSince: fromMs(row.asleep_since),
    wokenAt: fromMs(row.woken_at),
    domain: row.domain,
  };
}

function parsed<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
