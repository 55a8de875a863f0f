/** Another plan: staff change it live; one that is too small is refused, wherever it is asked for or paid. */
import { expect } from 'chai';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { Shopper } from '../../compose/demo/shopper.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { addUser, mails, ownOdoo, running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf, type SeenContainer } from '../support/engine.js';
import { createCustomer, createPlan, invoiceAndPay, planVariant, sell } from '../support/shop.js';
import {
  answered,
  commandsOf,
  confirmDialog,
  managerOf,
  openDialog,
  refusalOf,
  SPANISH,
  salesOf,
  todosOn,
  useOf,
} from '../support/staff.js';
import { type Subject, subject } from '../support/subject.js';
import { until, type World, world } from '../support/world.js';

describe('a change of plan', function () {
  this.timeout(600_000);
  let w: World;
  let manager: OdooClient;
  let sales: OdooClient;
  let own: OdooClient;
  const email = 'planes@example.com';
  const users: number[] = [];
  let partner: number;
  let record: SaasRecord;
  let customer: Subject;
  const plans = { small: 0, large: 0 };

  before(async () => {
    w = await world();
    manager = managerOf(w);
    sales = salesOf(w);
    const month = { saas_period_count: 30, saas_period_unit: 'day', list_price: 30 };
    await createPlan(w.admin, 'medio', { ...month, name: 'Medio', saas_max_users: 2 });
    const large = { name: 'Amplio', list_price: 60, saas_max_users: 5, saas_memory_mb: 1024, saas_cpu: 1.5 };
    plans.large = await createPlan(w.admin, 'amplio', { ...month, ...large });
    const small = { name: 'Menudo', list_price: 15, saas_max_users: 3 };
    plans.small = await createPlan(w.admin, 'menudo', { ...month, ...small });
    partner = await createCustomer(w.admin, { name: 'Planes Varios', email });
    const order = await sell(w.admin, partner, 'medio');
    await invoiceAndPay(w.admin, order.id);
    record = await running(w, order.id);
    customer = subject(w, record, 30);
    own = await ownOdoo(w, record, email);
  });

  after(async () => {
    await Promise.all([manager.close(), sales.close(), own.close()]);
  });

  const refusals = async () => (await mails(w, email, /Todavía no podemos cambiar su plan/)).length;
  const hasPlan = async (id: number) => (await useOf(w.admin, record)).plan_id[0] === id;
  const quotation = async () =>
    (await sales.call('sale.order', 'create', [
      {
        partner_id: partner,
        require_payment: true,
        require_signature: false,
        order_line: [[0, 0, { product_id: await planVariant(w.admin, 'menudo'), saas_instance_id: record.id }]],
      },
    ])) as number;
  const memoryOf = (list: SeenContainer[]) => list.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  const identityOf = (list: SeenContainer[]) => list.map(({ id, startedAt }) => `${id} ${startedAt}`).sort();
  const activeUsers = (wanted: number) =>
    until(`${wanted} users on the record`, async () => (await useOf(w.admin, record)).users_used === wanted);

  it('to a larger one by staff: CPU, memory and users at once, nothing restarts, value for value, one mail', async () => {
    users.push(await addUser(own, 'segunda'));
    expect(await refusalOf(addUser(own, 'tercera'))).to.include('Su plan incluye 2 usuarios');
    const before = await containersOf(record);
    expect(memoryOf(before)).to.equal(512 * 1024 ** 2);

    await confirmDialog(manager, record, 'action_change_plan', { plan_id: plans.large });
    const row = await answered(manager, record, 'change_plan');
    expect(row).to.deep.include({ state: 'done', details: 'Amplio', message: 'Se ha cambiado el plan.' });
    expect(row.requested_by[1]).to.equal('Marcos Gestor');
    await until('the new plan on the record', () => hasPlan(plans.large));
    const after = await until('the new memory', async () => {
      const found = await containersOf(record);
      return memoryOf(found) === 1024 ** 3 && found;
    });
    expect(identityOf(after)).to.deep.equal(identityOf(before));
    expect(after.find(({ role }) => role === 'odoo')?.cpus).to.equal(1.5);
    users.push(await addUser(own, 'tercera'));

    // Thirty unused days at 30 are fifteen at 60.
    await customer.paidFor(15);
    await until('the mail', async () => (await mails(w, email, /Su plan ha cambiado/))[0]);
    const [mail, ...more] = await mails(w, email, /Su plan ha cambiado/);
    expect(more).to.deep.equal([]);
    expect(mail?.text).to.include('«Medio»').and.to.include('«Amplio»');
  });

  it('to one that is too small is refused by the daemon, which measures anew when it is asked', async () => {
    users.push(await addUser(own, 'cuarta'));
    expect((await useOf(w.admin, record)).users_used, 'what the master knows would let it pass').to.be.at.most(3);
    await confirmDialog(manager, record, 'action_change_plan', { plan_id: plans.small });
    const { state, message } = await answered(manager, record, 'change_plan');
    expect(state).to.equal('refused');
    expect(message).to.include('Tiene 4 usuarios activos y Menudo incluye 3');
    expect(await hasPlan(plans.large)).to.equal(true);
    await activeUsers(4);
  });

  it('to one that is too small is refused by the dialog itself, and nothing is asked of the daemon', async () => {
    const asked = (await commandsOf(manager, record)).length;
    const dialog = await openDialog(manager, record, 'action_change_plan', { plan_id: plans.small });
    const [shown] = (await manager.call('saas.command.wizard', 'read', [[dialog], ['misfit']], SPANISH)) as {
      misfit: string;
    }[];
    const problem = 'tiene 4 usuarios activos y el plan Menudo permite 3';
    expect(shown?.misfit).to.include(problem);
    const confirmed = manager.call('saas.command.wizard', 'action_confirm', [[dialog]], SPANISH);
    expect(await refusalOf(confirmed)).to.include(problem);
    expect(await commandsOf(manager, record)).to.have.length(asked);
  });

  it('to one that is too small is refused when the salesperson confirms the order', async () => {
    const order = await quotation();
    const confirmed = sales.call('sale.order', 'action_confirm', [[order]], SPANISH);
    expect(await refusalOf(confirmed)).to.include('tiene 4 usuarios activos y el plan Menudo permite 3');
    const [row] = (await w.admin.call('sale.order', 'read', [[order], ['state']])) as { state: string }[];
    expect(row?.state).to.equal('draft');
  });

  it('to one that is too small, paid by the link of a quotation: the money extends the plan there is', async () => {
    const order = await quotation();
    await w.admin.call('sale.order', 'action_quotation_sent', [[order]]).catch((error: Error) => {
      if (!/returned None/.test(error.message)) throw error;
    });
    const link = (await w.admin.call('sale.order', 'get_portal_url', [[order]])) as string;
    await new Shopper(w.master.master_url).payLink(link);
    // 15 buy seven and a half days at 60 a month.
    await customer.paidFor(22.5);
    expect(await hasPlan(plans.large)).to.equal(true);
    await until('the mail', async () => (await refusals()) === 1);
    const [mail] = await mails(w, email, /Todavía no podemos cambiar su plan/);
    expect(mail?.text).to.include('tiene 4 usuarios activos y Menudo incluye 3').and.to.include('«Amplio»');
    const [todo] = await until('the to-do', async () => {
      const found = await todosOn(w.admin, 'sale.order', order);
      return found.length > 0 && found;
    });
    expect(todo?.note).to.include('Tiene 4 usuarios activos y Menudo incluye 3');
    expect(todo?.user_id[1]).to.equal('Sara Ventas');
    await customer.inState('running');
  });

  it('to one that was large enough when it was sold, and is too small when the order arrives', async () => {
    await own.call('res.users', 'write', [users.slice(1), { active: false }]);
    await w.restart({ settings: { SAAS_USAGE_INTERVAL: '10' } });
    await activeUsers(2);
    let order = 0;
    await w.restart({
      meanwhile: async () => {
        await own.call('res.users', 'write', [users.slice(1), { active: true }]);
        ({ id: order } = await sell(w.admin, partner, 'menudo', { saas_instance_id: record.id }));
        await invoiceAndPay(w.admin, order);
      },
    });
    await customer.paidFor(30);
    expect(await hasPlan(plans.large)).to.equal(true);
    await until('the mail', async () => (await refusals()) === 2);
    expect(await todosOn(w.admin, 'sale.order', order)).to.have.length(1);
  });

  it('to a smaller one that is large enough: the limits go down while it runs, value for value', async () => {
    await own.call('res.users', 'write', [users.slice(1), { active: false }]);
    await w.restart({ settings: { SAAS_USAGE_INTERVAL: '10' } });
    await activeUsers(2);
    const before = await containersOf(record);
    await confirmDialog(manager, record, 'action_change_plan', { plan_id: plans.small, reason: 'Lo pide el cliente' });
    expect((await answered(manager, record, 'change_plan')).state).to.equal('done');
    // Thirty days at 60 are a hundred and twenty at 15.
    await customer.paidFor(120);
    const after = await until('the new memory', async () => {
      const found = await containersOf(record);
      return memoryOf(found) === 512 * 1024 ** 2 && found;
    });
    expect(identityOf(after)).to.deep.equal(identityOf(before));
    await own.call('res.users', 'write', [users.slice(1, 2), { active: true }]);
    const fourth = own.call('res.users', 'write', [users.slice(2), { active: true }]);
    expect(await refusalOf(fourth)).to.include('Su plan incluye 3 usuarios');
  });

  it('is told once each time, also by a daemon that reads everything again', async () => {
    await until('the second mail', async () => (await mails(w, email, /Su plan ha cambiado/)).length === 2);
    await w.restart();
    await settled(w);
    expect(await refusals()).to.equal(2);
    expect(await mails(w, email, /Su plan ha cambiado/)).to.have.length(2);
    expect((await customer.paidDays()).toFixed(1)).to.equal('120.0');
  });
});
