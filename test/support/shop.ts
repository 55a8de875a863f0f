/** What sales staff do in the master, over its API. */
import type { OdooClient } from '../../src/odoo/client.js';

export interface CustomerData {
  name: string;
  email?: string;
  lang?: string;
}

/** Makes a customer; gives the id. */
export async function createCustomer(client: OdooClient, customer: CustomerData): Promise<number> {
  return (await client.call('res.partner', 'create', [{ lang: 'es_ES', is_company: true, ...customer }])) as number;
}

/** The product variant of a plan, by its code. */
export async function planVariant(client: OdooClient, code: string): Promise<number> {
  const [row] = (await client.call('product.product', 'search_read', [[['saas_plan_code', '=', code]]], {
    fields: ['id'],
    limit: 1,
  })) as { id: number }[];
  if (!row) throw new Error(`the master has no plan ${code}`);
  return row.id;
}

/** A quotation for a plan, confirmed by the salesperson. Gives the order's id and name. */
export async function sell(
  client: OdooClient,
  partnerId: number,
  code: string,
  line: Record<string, unknown> = {},
): Promise<{ id: number; name: string }> {
  const id = (await client.call('sale.order', 'create', [
    {
      partner_id: partnerId,
      order_line: [[0, 0, { product_id: await planVariant(client, code), product_uom_qty: 1, ...line }]],
    },
  ])) as number;
  await client.call('sale.order', 'action_confirm', [[id]]);
  const [order] = (await client.call('sale.order', 'read', [[id], ['name']])) as { name: string }[];
  return { id, name: order?.name ?? '' };
}
