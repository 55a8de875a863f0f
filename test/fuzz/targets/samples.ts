/** Rows as the addon sends them. */
const customer = {
  id: 5,
  created_on: '2026-01-01 00:00:00',
  name: 'Acme',
  contact_id: 6,
  contact_name: 'Ana',
  email: 'ana@acme.example',
  lang: 'es_ES',
};
const seller = { id: 2, name: 'Nube Fácil', shop_url: 'https://shop.example.com', lang: 'es_ES' };

export const PLAN = {
  ...{ id: 1, code: 'pro', name: 'Pro', names: { es_ES: 'Pro' }, active: true, period_count: 1, period_unit: 'month' },
  ...{
    cpu: 1,
    memory_mb: 512,
    storage_gb: 10,
    max_users: 5,
    modules: 'sale, crm',
    grace_days: 0,
    retention_days: 30,
    trial: false,
  },
};

export const PURCHASE = {
  ...{
    key: 'sol:7',
    created_on: '2026-01-01 00:00:00',
    state: 'open',
    document: 'S00042',
    order_id: 42,
    invoice_ids: [3],
  },
  ...{ customer, seller, plan_id: 1, period_count: 1, period_unit: 'month', instance_key: 'sol:3', additional: false },
  ...{
    wanted_name: 'acme',
    wanted_lang: 'es_ES',
    unit_price: 12.1,
    list_price: 12.1,
    keep_plan: false,
    pending_since: false,
  },
  starts_on: '2026-11-22 12:00:00',
  parts: [
    { key: 'inv:9', quantity: 1, starts_on: '2026-11-22 12:00:00', paid_on: '2026-11-22 12:00:00', vanished_on: false },
  ],
};

export const INSTANCE = {
  ...{
    id: 9,
    created_on: '2026-01-01 00:00:00',
    key: 'sol:7',
    name: 'acme',
    customer,
    seller,
    plan_id: 1,
    state: 'running',
  },
  ...{ hold: 'none', started_on: '2026-11-22 12:00:05', paid_until: '2027-01-22 12:00:00', suspended_on: false },
  ...{ storage_over_since: false, requested: true },
};

export const COMMAND = { id: 4, instance_key: 'sol:7', command: 'restart', requested_by: 'Eva', plan_id: false };
