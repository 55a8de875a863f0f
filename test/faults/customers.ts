/** Customers of the fault run: each has one instance, and lives through the stages. */
import { instanceOf, type Record as SaasRecord } from '../../compose/demo/records.js';
import { createCustomer, createPlan, invoiceAndPay, planTemplate, sell } from '../support/shop.js';
import { until, type World } from '../support/world.js';
import type { Expected } from './checker.js';

export const PLAN = 'faults';
/** Costs the same, and is larger. */
export const LARGER = 'faults-larger';

export interface Customer extends Expected {
  /** As the daemon names the instance. */
  slug: string;
  order: number;
  record: SaasRecord;
}

/** One who has no address gets no mails. */
export function customers(prefix: string, count: number, hasEmail: (index: number) => boolean): Customer[] {
  return Array.from({ length: count }, (_unused, index) => {
    const number = String(index + 1).padStart(2, '0');
    const slug = `${prefix}-${number}`;
    return {
      slug,
      name: `${prefix.charAt(0).toUpperCase()}${prefix.slice(1)} ${number}`,
      email: hasEmail(index) ? `${slug}@example.com` : '',
      mark: `typed in by ${slug}`,
      state: 'running',
      mails: {},
      grants: 0,
      partner: 0,
      order: 0,
      record: {} as SaasRecord,
    };
  });
}

export async function makePlans(w: World): Promise<void> {
  const values = { list_price: 30, saas_period_count: 60, saas_period_unit: 'day' };
  await createPlan(w.admin, PLAN, values);
  await createPlan(w.admin, LARGER, { ...values, saas_memory_mb: 768 });
}

export function largerPlan({ admin }: World): Promise<number> {
  return planTemplate(admin, LARGER);
}

/** Makes the customer known; nothing is bought yet. */
export async function register({ admin }: World, customer: Customer): Promise<void> {
  const { name, email } = customer;
  customer.partner = await createCustomer(admin, { name, ...(email ? { email } : {}) });
}

/** Buys and pays. */
export async function buy({ admin }: World, customer: Customer): Promise<void> {
  const { id } = await sell(admin, customer.partner, PLAN);
  customer.order = id;
  await invoiceAndPay(admin, id);
}

/** The record as it is now; keeps it. */
export async function refresh({ admin }: World, customer: Customer): Promise<SaasRecord | null> {
  const record = await instanceOf(admin, customer.order);
  if (record) customer.record = record;
  return record;
}

/** At most so many at once: the master has two cores. */
export async function each<T>(list: readonly T[], work: (one: T) => Promise<unknown>, atOnce = 3): Promise<void> {
  const left = [...list];
  const worker = async () => {
    for (let one = left.shift(); one; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

export function served(w: World, customer: Customer): Promise<SaasRecord> {
  return until(`${customer.name} to be served`, async () => {
    const record = await refresh(w, customer);
    return record?.state === 'running' && record;
  });
}
