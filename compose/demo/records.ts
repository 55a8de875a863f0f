/** What a person with a login sees in the master: its records, over the same API as everybody. */

import { Secret } from '../../src/lib/secret.js';
import { createOdooClient, type OdooClient } from '../../src/odoo/client.js';
import type { MasterState } from './master.js';

export interface Record {
  id: number;
  name: string;
  key: string;
  partner: string;
  state: string;
  subscription_state: string;
  hold: string;
  url: string;
  http_port: number;
  started_on: string;
  paid_until: string;
  suspended_on: string | false;
  odoo_container: string;
  db_container: string;
  error_message: string | false;
  log: string;
}

const FIELDS = [
  ...['name', 'key', 'partner_id', 'state', 'subscription_state', 'hold', 'url', 'http_port', 'started_on'],
  ...['paid_until', 'suspended_on', 'odoo_container', 'db_container', 'error_message', 'log'],
];

/** A client with the rights of the master's administrator. */
export function adminOf(master: MasterState): OdooClient {
  return userOf(master, master.admin_login, master.admin_password);
}

export function userOf(master: MasterState, login: string, password: string): OdooClient {
  return createOdooClient({
    url: master.master_url,
    db: master.master_db,
    login,
    apiKey: new Secret(password),
    timeoutMs: 60_000,
    maxConcurrent: 4,
  });
}

/** The instances that match, oldest first. */
export async function instances(client: OdooClient, domain: unknown[]): Promise<Record[]> {
  const rows = (await client.call('saas.instance', 'search_read', [domain], {
    fields: FIELDS,
    order: 'id',
  })) as (Omit<Record, 'partner'> & { partner_id: [number, string] })[];
  return rows.map(({ partner_id: [, partner], ...row }) => ({ ...row, partner }));
}

/** The instance an order gave, once there is one. */
export async function instanceOf(client: OdooClient, orderId: number): Promise<Record | null> {
  return (await instances(client, [['sale_order_id', '=', orderId]]))[0] ?? null;
}
