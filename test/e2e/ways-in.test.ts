/** Other ways to an instance than the shop, and what strange customers bring with them. */
import { cpus } from 'node:os';
import { expect } from 'chai';
import { fleetOf } from '../../compose/demo/fleet.js';
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { DEFAULT_RELEASE } from '../../src/docker/instance/rendering.js';
import { ownOdoo, running, welcomeMail } from '../support/customer.js';
import { containersOf, docker, runOn } from '../support/engine.js';
import { createCustomer, createPlan, postAndPay, sell } from '../support/shop.js';
import { DAEMON, until, type World, world } from '../support/world.js';

describe('ways in', function () {
  this.timeout(300_000);
  let w: World;

  before(async () => {
    w = await world();
  });

  it('is made from a paid invoice without an order, by the button on it', async () => {
    const invoiceEmail = 'factura@example.com';
    const customer = await createCustomer(w.admin, { name: 'Solo Factura', email: invoiceEmail });
    const move = (await w.admin.call('account.move', 'create', [
      {
        move_type: 'out_invoice',
        partner_id: customer,
        invoice_line_ids: [[0, 0, { name: 'Servicio a medida', quantity: 1, price_unit: 10 }]],
      },
    ])) as number;
    await postAndPay(w.admin, move);
    const action = (await w.admin.call('account.move', 'action_saas_create_instance', [[move]])) as {
      context: Record<string, unknown>;
    };
    const defaults = Object.fromEntries(
      Object.entries(action.context)
        .filter(([name]) => name.startsWith('default_'))
        .map(([name, value]) => [name.slice('default_'.length), value]),
    );
    const [plan] = (await w.admin.call('product.template', 'search', [
      [['saas_plan_code', '=', 'basico']],
    ])) as number[];
    const draft = (await w.admin.call('saas.instance', 'create', [{ ...defaults, plan_id: plan }])) as number;
    await w.admin.call('saas.instance', 'action_provision', [[draft]]);
    await until('it to run', async () => {
      const [now] = await instances(w.admin, [['id', '=', draft]]);
      return now?.state === 'running' && now;
    });
    await welcomeMail(w, invoiceEmail);
    const count = (await w.admin.call('account.move', 'read', [[move], ['saas_instance_count']])) as {
      saas_instance_count: number;
    }[];
    expect(count[0]?.saas_instance_count).to.equal(1);
  });

  it("are served under valid names, with the customer's own words inside, whatever they are called", async () => {
    const names = [
      `O'Brien & "Söhne" <script>alert(1)</script>`,
      'Línea uno\nlínea dos; DROP TABLE res_users; --',
      '🦄🦄🦄',
      `../../etc/passwd $(touch /tmp/pwned) ${'x'.repeat(250)}`,
    ];
    const orders = [];
    for (const [number, name] of names.entries()) {
      const email = `raro${number}@example.com`;
      const { id } = await sell(w.admin, await createCustomer(w.admin, { name, email }), 'basico');
      orders.push({ id, name, email });
    }
    for (const { id, name, email } of orders) {
      const record = await running(w, id);
      expect(record.name).to.match(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/);
      const odoo = await ownOdoo(w, record, email);
      const [company] = (await odoo.call('res.company', 'search_read', [[]], { fields: ['name'] })) as {
        name: string;
      }[];
      await odoo.close();
      // On one line, and the very long one cut.
      const kept = company?.name.replace(/…$/, '').trim() ?? '';
      expect(kept.length).to.be.greaterThan(2);
      expect(name.replace(/\s+/g, ' ').startsWith(kept), company?.name).to.equal(true);
    }
  });

  it('have what the plan says inside: a new plan gets its template before its first customer', async () => {
    const { templates } = await fleetOf(DAEMON.scope, DAEMON.dataDir);
    const spec = { release: DEFAULT_RELEASE, languages: ['es_ES', 'en_US'], modules: ['contacts'] };
    const old = await templates.find(spec);
    if (old) await templates.discard(old);
    await w.admin.call('product.template', 'create', [
      {
        name: 'Agenda',
        type: 'service',
        saas_plan: true,
        saas_plan_code: 'agenda',
        saas_modules: 'contacts',
        list_price: 5,
      },
    ]);
    await until('its template', () => templates.find(spec), 240_000);
    const email = 'agenda@example.com';
    const order = await sell(w.admin, await createCustomer(w.admin, { name: 'Agenda S.L.', email }), 'agenda');
    const record = await running(w, order.id);
    const odoo = await ownOdoo(w, record, email);
    const count = await odoo.call('ir.module.module', 'search_count', [
      [
        ['name', '=', 'contacts'],
        ['state', '=', 'installed'],
      ],
    ]);
    await odoo.close();
    expect(count).to.equal(1);
  });

  it('give a plan that is larger than the host all the processors there are', async () => {
    await createPlan(w.admin, 'enorme', { saas_cpu: 64, list_price: 99 });
    const partner = await createCustomer(w.admin, { name: 'Enorme', email: 'enorme@example.com' });
    const record = await running(w, (await sell(w.admin, partner, 'enorme')).id);
    const odoo = docker.getContainer(record.odoo_container);
    const { HostConfig } = await odoo.inspect();
    expect(HostConfig.NanoCpus).to.equal(Math.min(64, cpus().length) * 1e9);
  });

  it('serve a customer without e-mail, and tell the salesperson that nobody got the password', async () => {
    const partner = await createCustomer(w.admin, { name: 'Sin Correo' });
    const order = await sell(w.admin, partner, 'basico');
    const record = await running(w, order.id);
    const told = await until('the to-do of the salesperson', async () => {
      const rows = (await w.admin.call(
        'mail.activity',
        'search_read',
        [
          [
            ['res_model', '=', 'sale.order'],
            ['res_id', '=', order.id],
          ],
        ],
        {
          fields: ['note'],
        },
      )) as { note: string }[];
      return rows[0];
    });
    expect(told.note).to.include(record.name);
    const [secret] = (await w.admin.call('saas.instance', 'read', [
      [record.id],
      ['admin_login', 'admin_password'],
    ])) as {
      admin_login: string;
      admin_password: string;
    }[];
    expect(secret?.admin_login).to.equal('admin');
    expect(secret?.admin_password).to.match(/^\w{20}$/);
  });

  it("lead to rooms without doors between them: no customer reaches another's database or Odoo", async () => {
    const pair = await Promise.all(
      ['Vecina Uno', 'Vecina Dos'].map(async (name, number) => {
        const partner = await createCustomer(w.admin, { name, email: `vecina${number}@example.com` });
        return running(w, (await sell(w.admin, partner, 'basico')).id);
      }),
    );
    const [one, two] = pair as [SaasRecord, SaasRecord];
    const others = await containersOf(two);
    const address = (role: string) => others.find((container) => container.role === role)?.address ?? '';
    const network = `${DAEMON.scope}_odoo_cliente_${one.name}_net`;
    const own = (await containersOf(one)).find(({ role }) => role === 'db')?.address ?? '';
    const gateway = own.replace(/\d+$/, (last) => String(Number(last) - (Number(last) % 16) + 1));
    const strangers = [`${address('db')}/5432`, `${address('odoo')}/8069`, `${gateway}/${two.http_port}`];
    // All at once, and with its own database, which shows that the time is enough and that the test can fail.
    const tries = [`${own}/5432`, ...strangers].map(
      (at) => `{ timeout 5 bash -c 'exec 3<>/dev/tcp/${at}' && echo "reached ${at}" || echo "missed ${at}"; } &`,
    );
    const { output } = await runOn(network, [...tries, 'wait'].join('\n'));
    expect(output).to.include(`reached ${own}/5432`);
    for (const at of strangers) expect(output).to.include(`missed ${at}`).and.not.to.include(`reached ${at}`);
  });
});
