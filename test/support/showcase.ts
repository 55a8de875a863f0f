/** One instance in every state that a page can show, written as the daemon would, while it is stopped. */
import { readFileSync } from 'node:fs';
import { Secret } from '../../src/lib/secret.js';
import { createOdooClient } from '../../src/odoo/client.js';
import type { InstanceValues, PushOperation } from '../../src/protocol/push.js';
import { planTemplate } from './shop.js';
import { sql } from './time.js';
import type { World } from './world.js';

const DAY_MS = 86_400_000;

/** What each of them is called, and what there is to see of it. */
const CASES = {
  running: {
    users_used: 2,
    storage_used_mb: 1200,
    backup_on: inDays(-0.3),
    backup_mb: 62,
    backup_moments: [-0.3, -1.3, -2.3, -7.3].map(inDays).join(','),
    backup_proven_on: inDays(-3),
  },
  expiring: { subscription_state: 'expiring_soon', paid_until: inDays(3), users_used: 3, storage_used_mb: 700 },
  'over-limits': { users_used: 5, storage_used_mb: 2600, storage_over_since: inDays(-2) },
  suspended: {
    state: 'suspended',
    subscription_state: 'expired',
    paid_until: inDays(-20),
    suspended_on: inDays(-20),
    delete_on: inDays(10),
  },
  'suspended-storage': {
    state: 'suspended',
    users_used: 2,
    storage_used_mb: 2600,
    storage_over_since: inDays(-9),
    suspended_on: inDays(-2),
  },
  'suspended-by-staff': { state: 'suspended', hold: 'suspended', suspended_on: inDays(-1) },
  stopped: { state: 'stopped', hold: 'stopped' },
  error: { state: 'error', error_message: 'the engine has no image odoo:19.0' },
  preparing: { state: 'provisioning', url: null, admin_password: null, started_on: null },
  deleting: { state: 'deleting', hold: 'deleted', subscription_state: 'cancelled' },
  deleted: { state: 'deleted', hold: 'deleted', subscription_state: 'cancelled', url: null, admin_password: null },
} satisfies Record<string, InstanceValues>;

export type Case = keyof typeof CASES | 'trial';

/** Makes them for a customer. Gives the ids of their records. */
export async function showcase(w: World, customerId: number): Promise<Record<Case, number>> {
  const { master } = w;
  const bridge = createOdooClient({
    url: master.master_url,
    db: master.master_db,
    login: master.api_login,
    apiKey: new Secret(readFileSync(master.api_key_file, 'utf8').trim()),
    timeoutMs: 60_000,
    maxConcurrent: 1,
  });
  const basic = await planTemplate(w.admin, 'basico');
  const trial = await planTemplate(w.admin, 'prueba');
  const cases: [string, InstanceValues][] = [
    ...Object.entries(CASES),
    ['trial', { plan_id: trial, subscription_state: 'expiring_soon', paid_until: inDays(4) }],
  ];
  const operations = cases.flatMap(([name, values], number) => {
    const key = `show:${number}`;
    const running: InstanceValues = {
      name,
      customer_id: customerId,
      plan_id: basic,
      state: 'running',
      subscription_state: 'active',
      url: `http://${name}.localhost:${24_900 + 2 * number}`,
      started_on: inDays(-40),
      paid_until: inDays(22),
      last_payment_on: inDays(-8),
      measured_on: inDays(0),
      users_used: 1,
      storage_used_mb: 60,
      admin_login: 'admin@example.com',
      admin_password: 'Xk4-temporal-9',
    };
    const push = (pushed: InstanceValues): PushOperation => ({
      key: `i${number}`,
      op: 'instance',
      instance_key: key,
      values: pushed,
    });
    const lines = [`2026-11-22 14:07:31 ${name} was asked for by S00042.`, `2026-11-22 14:07:34 ${name} runs.`];
    return [push(running), { key: `l${number}`, op: 'log', instance_key: key, lines } as const, push(values)];
  });
  const results = (await bridge.call('saas.bridge', 'push', [operations])) as { status: string; message: string }[];
  await bridge.close();
  const refused = results.filter(({ status }) => status !== 'done');
  if (refused.length > 0) throw new Error(`refused: ${refused.map(({ message }) => message).join('; ')}`);
  // A year of figures for the reports.
  await sql(`UPDATE saas_movement SET date = date - (id % 12) * interval '1 month'`);
  const rows = (await w.admin.call('saas.instance', 'search_read', [[['key', '=like', 'show:%']]], {
    fields: ['name'],
  })) as { id: number; name: string }[];
  return Object.fromEntries(rows.map(({ id, name }) => [name, id])) as Record<Case, number>;
}

/** Odoo's naive UTC text. */
function inDays(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 19).replace('T', ' ');
}
