/**
 * Time travel. The daemon's clock is moved by SAAS_CLOCK_OFFSET; the master has none to move, so what is bought "now" is
 * dated to the daemon's time behind its back, while the daemon is stopped and sees nothing of it.
 */
import { masterSql } from './sql.js';
import { MASTER, type World } from './world.js';

/** Runs SQL in the master's database; gives what it prints. */
export function sql(text: string): Promise<string> {
  return masterSql(MASTER.project, text);
}

/** The time of the master's database, whole seconds as Odoo keeps them; for `dateForward`. */
export function masterNow(): Promise<string> {
  return sql("SELECT date_trunc('second', now() at time zone 'utc')");
}

/** Dates orders, their payments, invoices and credit notes made since `since` as if made `days` from now. */
export async function dateForward(orderIds: number[], days: number, since: string): Promise<void> {
  const ids = orderIds.join(',');
  const shift = `interval '${days} days'`;
  const recent = (column: string) => `${column} >= '${since}'`;
  const invoices = `SELECT l.move_id FROM account_move_line l
    JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = l.id
    JOIN sale_order_line s ON s.id = r.order_line_id WHERE s.order_id IN (${ids})`;
  await sql(`
    UPDATE sale_order SET date_order = date_order + ${shift}, saas_confirmed_on = saas_confirmed_on + ${shift}
      WHERE id IN (${ids}) AND ${recent('saas_confirmed_on')} AND saas_confirmed_on < now() at time zone 'utc' + interval '1 minute';
    UPDATE payment_transaction SET last_state_change = last_state_change + ${shift}
      WHERE ${recent('last_state_change')} AND last_state_change < now() at time zone 'utc' + interval '1 minute'
        AND id IN (SELECT transaction_id FROM sale_order_transaction_rel WHERE sale_order_id IN (${ids}));
    UPDATE saas_part SET date = date + ${shift}
      WHERE order_line_id IN (SELECT id FROM sale_order_line WHERE order_id IN (${ids})) AND ${recent('date')};
    UPDATE account_move SET saas_paid_on = saas_paid_on + ${shift}
      WHERE id IN (${invoices}) AND ${recent('saas_paid_on')} AND saas_paid_on < now() at time zone 'utc' + interval '1 minute';
  `);
}

/**
 * Moves the daemon's time to `days` from now. What `deals` sells or pays meanwhile happens at that time.
 * @param deals gives the orders that it made or changed.
 */
export async function travel(
  w: World,
  days: number,
  deals?: () => Promise<number[]>,
  settings: Record<string, string> = {},
): Promise<void> {
  const hours = Math.round(days * 24);
  await w.restart({
    settings: { ...settings, SAAS_CLOCK_OFFSET: `PT${hours}H` },
    ...(deals
      ? {
          meanwhile: async () => {
            const since = await masterNow();
            await dateForward(await deals(), days, since);
          },
        }
      : {}),
  });
}
