/** The quotation that renews an instance, and payments of it that do not arrive at once. */
import { press } from './shop.js';
import type { Subject } from './subject.js';
import { until, type World } from './world.js';

/** The quotation on the record; null where there is none. */
export async function renewalOf(w: World, { id }: Subject): Promise<{ id: number; name: string } | null> {
  const [row] = (await w.admin.call('saas.instance', 'read', [[id], ['renewal_order_id']])) as {
    renewal_order_id: [number, string] | false;
  }[];
  if (!row?.renewal_order_id) return null;
  const [order, name] = row.renewal_order_id;
  return { id: order, name };
}

/** All quotations for the instance that could still be paid. */
export async function openRenewals(w: World, { id }: Subject): Promise<number[]> {
  const lines = (await w.admin.call(
    'sale.order.line',
    'search_read',
    [
      [
        ['saas_instance_id', '=', id],
        ['order_id.state', 'in', ['draft', 'sent']],
      ],
    ],
    { fields: ['order_id'] },
  )) as { order_id: [number, string] }[];
  return lines.map(({ order_id: [order] }) => order);
}

/** Where the customer of the instance pays its quotation, as the daemon is told for mails. */
export async function payUrl(w: World, instance: Subject): Promise<string> {
  const order = await until('the quotation', () => renewalOf(w, instance));
  const [row] = (await w.admin.call('sale.order', 'read', [[order.id], ['access_url', 'access_token']])) as {
    access_url: string;
    access_token: string;
  }[];
  return `${w.master.master_url}${row?.access_url}?access_token=${row?.access_token}&allow_payment=yes`;
}

export interface Transaction {
  id: number;
  state: string;
}

/** The newest payment of an order. */
export async function lastPayment(w: World, orderId: number): Promise<Transaction> {
  const [transaction] = (await w.admin.call(
    'payment.transaction',
    'search_read',
    [[['sale_order_ids', 'in', [orderId]]]],
    { fields: ['state'], order: 'id desc', limit: 1 },
  )) as Transaction[];
  if (!transaction) throw new Error(`nobody has begun to pay order ${orderId}`);
  return transaction;
}

/** The provider says that the pending money of an order has arrived, and Odoo works that off, as it does by itself. */
export async function demoPaid(w: World, orderId: number): Promise<void> {
  const { id } = await lastPayment(w, orderId);
  await press(w.admin, 'payment.transaction', 'action_demo_set_done', [id]);
  await workOffPayments(w);
}

/** Odoo's own scheduled action for payments whose buyer has closed the browser, now instead of in ten minutes. */
export async function workOffPayments(w: World): Promise<void> {
  const [cron] = (await w.admin.call(
    'ir.model.data',
    'search_read',
    [[['name', '=', 'cron_post_process_payment_tx']]],
    {
      fields: ['res_id'],
    },
  )) as { res_id: number }[];
  if (!cron) throw new Error('the master has no scheduled action for payments');
  await press(w.admin, 'ir.cron', 'method_direct_trigger', [cron.res_id]);
}
