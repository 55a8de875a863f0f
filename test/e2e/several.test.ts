/** Several instances of one customer: time goes where the line says, and is never guessed. */
import { expect } from 'chai';
import { instances, userOf } from '../../compose/demo/records.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { type Subject, subject } from '../support/subject.js';
import { logged, until, type World, world } from '../support/world.js';

const PERIOD_DAYS = 10;

describe('a customer with several instances', function () {
  this.timeout(300_000);
  let w: World;
  let sales: OdooClient;
  let partner: number;
  let first: Subject;
  let second: Subject;

  before(async () => {
    w = await world();
    sales = userOf(w.master, w.master.sales_login, w.master.sales_password);
    const period = { saas_period_count: PERIOD_DAYS, saas_period_unit: 'day' };
    await createPlan(w.admin, 'varias', { ...period, name: 'Varias', list_price: 10 });
    partner = await createCustomer(w.admin, { name: 'Dos Tiendas', email: 'dos@example.com' });
  });

  after(async () => {
    await sales.close();
  });

  const buy = async (line: Record<string, unknown> = {}) => {
    const order = await sell(sales, partner, 'varias', line);
    await invoiceAndPay(w.admin, order.id);
    return order;
  };
  const own = () => instances(w.admin, [['partner_id', '=', partner]]);
  const todos = async (orderId: number) =>
    (await w.admin.call(
      'mail.activity',
      'search_read',
      [
        [
          ['res_model', '=', 'sale.order'],
          ['res_id', '=', orderId],
        ],
      ],
      { fields: ['user_id', 'note'] },
    )) as { user_id: [number, string]; note: string }[];
  const paid = async () => [await first.paidDays(), await second.paidDays()].map(Math.round);

  it('gets as many periods as were bought, not as many instances', async () => {
    const order = await buy({ product_uom_qty: 2 });
    first = subject(w, await running(w, order.id), 2 * PERIOD_DAYS);
    const { started_on, paid_until } = await first.now();
    expect((Date.parse(paid_until) - Date.parse(started_on)) / 86_400_000).to.be.closeTo(20, 0.01);
    await settled(w);
    expect(await own()).to.have.length(1);
  });

  it('gets one more instance by asking for one explicitly', async () => {
    const order = await buy({ saas_additional: true });
    second = subject(w, await running(w, order.id), PERIOD_DAYS);
    expect(second.key).not.to.equal(first.key);
    expect(second.name).not.to.equal(first.name);
    await settled(w);
    expect(await paid()).to.deep.equal([20, 10]);
    expect((await own()).map(({ state }) => state)).to.deep.equal(['running', 'running']);
  });

  it('renews the one that the line names', async () => {
    await buy({ saas_instance_id: second.id });
    await second.paidFor(20);
    await buy({ saas_instance_id: first.id, product_uom_qty: 2 });
    await first.paidFor(40);
    await settled(w);
    expect(await paid()).to.deep.equal([40, 20]);
    expect(await own()).to.have.length(2);
  });

  it('is asked about where the line does not say: no date moves, and the salesperson has a to-do', async () => {
    const order = await buy();
    const [todo, ...more] = await until('the to-do', async () => {
      const found = await todos(order.id);
      return found.length > 0 && found;
    });
    expect(more).to.deep.equal([]);
    expect(todo?.user_id[1]).to.include('Sara Ventas');
    expect(todo?.note).to.include(first.name).and.to.include(second.name).and.to.include('indique en la línea');
    expect(logged(w.daemon(), 'purchase.problem')?.problem).to.equal('ambiguous');
    await w.restart();
    await settled(w);
    expect(await todos(order.id), 'after a full pass').to.have.length(1);
    expect(await paid()).to.deep.equal([40, 20]);
    expect(await own()).to.have.length(2);

    const [line] = (await sales.call('sale.order.line', 'search', [[['order_id', '=', order.id]]])) as number[];
    await sales.call('sale.order.line', 'write', [[line], { saas_instance_id: second.id }]);
    await second.paidFor(30);
    await settled(w);
    expect(await paid()).to.deep.equal([40, 30]);
  });

  it('gives it to the first to expire where the settings say so', async () => {
    await w.restart({ settings: { SAAS_AMBIGUOUS_RENEWAL: 'first-to-expire' } });
    const order = await buy({ product_uom_qty: 2 });
    await second.paidFor(50);
    const another = await buy();
    await first.paidFor(50);
    await settled(w);
    expect(await paid()).to.deep.equal([50, 50]);
    expect(await own()).to.have.length(2);
    for (const { id } of [order, another]) expect(await todos(id)).to.deep.equal([]);
  });

  it('keeps it there when the setting is taken back', async () => {
    await w.restart();
    await settled(w);
    expect(await paid()).to.deep.equal([50, 50]);
  });
});
