/** What sales staff do in the master, over its API. */
import type { BridgeError } from '../../src/lib/errors.js';
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

/** The product of a plan, by its code. */
export async function planTemplate(client: OdooClient, code: string): Promise<number> {
  const [id] = (await client.call('product.template', 'search', [[['saas_plan_code', '=', code]]])) as number[];
  if (!id) throw new Error(`the master has no plan ${code}`);
  return id;
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

/** Invoices an order and registers the payment of the invoice, as the accountant does. */
export async function invoiceAndPay(client: OdooClient, orderId: number): Promise<number> {
  const move = await invoice(client, orderId);
  await postAndPay(client, move);
  return move;
}

/** Makes the invoice of an order, a draft; gives its id. */
export async function invoice(client: OdooClient, orderId: number): Promise<number> {
  const context = { active_model: 'sale.order', active_ids: [orderId], active_id: orderId };
  const wizard = await client.call('sale.advance.payment.inv', 'create', [{ advance_payment_method: 'delivered' }], {
    context,
  });
  await press(client, 'sale.advance.payment.inv', 'create_invoices', [wizard], context);
  const [order] = (await client.call('sale.order', 'read', [[orderId], ['invoice_ids']])) as {
    invoice_ids: number[];
  }[];
  const move = order?.invoice_ids.at(-1);
  if (!move) throw new Error(`order ${orderId} has no invoice`);
  return move;
}

/** A button of a form or a wizard. Many return None when their work is done, which Odoo's XML-RPC cannot carry. */
export async function press(
  client: OdooClient,
  model: string,
  button: string,
  ids: unknown[],
  context: Record<string, unknown> = {},
): Promise<unknown> {
  return client.call(model, button, [ids], { context }).catch((error: BridgeError) => {
    if (error.code !== 'odoo.returned_nothing') throw error;
    return null;
  });
}

/** An invoice for a plan that no order stands behind, a draft. Gives its id. */
export async function plainInvoice(
  client: OdooClient,
  partnerId: number,
  code: string,
  line: Record<string, unknown> = {},
): Promise<number> {
  const product = await planVariant(client, code);
  return (await client.call('account.move', 'create', [
    {
      move_type: 'out_invoice',
      partner_id: partnerId,
      invoice_line_ids: [[0, 0, { product_id: product, quantity: 1, ...line }]],
    },
  ])) as number;
}

/** Posts an invoice and registers its payment. */
export async function postAndPay(client: OdooClient, moveId: number): Promise<void> {
  await client.call('account.move', 'action_post', [[moveId]]);
  const context = { active_model: 'account.move', active_ids: [moveId] };
  const wizard = await client.call('account.payment.register', 'create', [{}], { context });
  await client.call('account.payment.register', 'action_create_payments', [[wizard]], { context });
}

/** Gives all the money of an invoice back, as the accountant does: a credit note that reverses it. */
export async function creditNote(client: OdooClient, moveId: number): Promise<void> {
  const note = await reverse(client, moveId, 'refund_moves');
  if (!note) throw new Error('the credit note was not made');
  await client.call('account.move', 'action_post', [[note]]);
}

/** "Reverse and create invoice": the invoice is undone and a new one, a draft, stands in for it. Gives its id. */
export async function reverseAndCreate(client: OdooClient, moveId: number): Promise<number> {
  const draft = await reverse(client, moveId, 'modify_moves');
  if (!draft) throw new Error('the new invoice was not made');
  return draft;
}

async function reverse(client: OdooClient, moveId: number, button: string): Promise<number | undefined> {
  const context = { active_model: 'account.move', active_ids: [moveId] };
  const wizard = await client.call(
    'account.move.reversal',
    'create',
    [{ move_ids: [[6, 0, [moveId]]], journal_id: await journalOf(client, moveId), reason: 'Devolución' }],
    { context },
  );
  const action = await client.call('account.move.reversal', button, [[wizard]], { context });
  return (action as { res_id?: number }).res_id;
}

/** The bank takes the money of an invoice back: its payment is cancelled, and it is not paid any more. */
export async function chargeBack(client: OdooClient, moveId: number): Promise<void> {
  const [move] = (await client.call('account.move', 'read', [[moveId], ['matched_payment_ids']])) as {
    matched_payment_ids: number[];
  }[];
  const payments = move?.matched_payment_ids ?? [];
  if (payments.length === 0) throw new Error(`invoice ${moveId} has no payment`);
  await press(client, 'account.payment', 'action_draft', payments);
  await press(client, 'account.payment', 'action_cancel', payments);
}

async function journalOf(client: OdooClient, moveId: number): Promise<number> {
  const [move] = (await client.call('account.move', 'read', [[moveId], ['journal_id']])) as {
    journal_id: [number, string];
  }[];
  return move?.journal_id[0] ?? 0;
}

/** A plan made for a test, with the modules of the smallest one so that its template is there. Gives the product's id. */
export async function createPlan(client: OdooClient, code: string, values: Record<string, unknown>): Promise<number> {
  const [basic] = (await client.call('product.template', 'search_read', [[['saas_plan_code', '=', 'basico']]], {
    fields: ['saas_modules'],
  })) as { saas_modules: string | false }[];
  return (await client.call('product.template', 'create', [
    {
      name: code,
      type: 'service',
      invoice_policy: 'order',
      taxes_id: [[5, 0, 0]],
      saas_plan: true,
      saas_plan_code: code,
      saas_modules: basic?.saas_modules ?? false,
      ...values,
    },
  ])) as number;
}
