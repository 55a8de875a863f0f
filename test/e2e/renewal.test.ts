/** Renewal: whatever document says that it was paid, and whichever is seen first, time is counted once. */
import { expect } from 'chai';
import { newVisitor } from '../../compose/demo/cast.js';
import { instances } from '../../compose/demo/records.js';
import { Shopper } from '../../compose/demo/shopper.js';
import { mails, running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { openDoor } from '../support/proxy.js';
import { createPlan, invoice, invoiceAndPay, plainInvoice, postAndPay, press, sell } from '../support/shop.js';
import { type Subject, subject } from '../support/subject.js';
import { MASTER, type World, world } from '../support/world.js';

const PERIOD_DAYS = 10;

describe('a renewal', function () {
  this.timeout(300_000);
  let w: World;
  const visitor = newVisitor('Rosa Renueva', 'Renovaciones');
  let shopper: Shopper;
  let partner: number;
  let instance: Subject;
  let days = PERIOD_DAYS;

  before(async () => {
    w = await world();
    const period = { saas_period_count: PERIOD_DAYS, saas_period_unit: 'day' };
    await createPlan(w.admin, 'renovable', { ...period, name: 'Renovable', list_price: 10, is_published: true });
    shopper = new Shopper(w.master.master_url);
    await shopper.register(visitor);
    const { orderId } = await shopper.buy('Renovable', visitor);
    instance = subject(w, await running(w, orderId), PERIOD_DAYS);
    const [order] = (await w.admin.call('sale.order', 'read', [[orderId], ['partner_id']])) as {
      partner_id: [number, string];
    }[];
    partner = order?.partner_id[0] ?? 0;
  });

  /** One period more, once: also after more polls, and after a daemon that reads everything again. */
  const countsOnce = async () => {
    days += PERIOD_DAYS;
    await instance.paidFor(days);
    await w.restart();
    await settled(w);
    expect(await instance.paidDays()).to.be.closeTo(days, 0.001);
    expect(await instances(w.admin, [['partner_id', 'child_of', partner]])).to.have.length(1);
  };
  const paymentState = async (move: number) => {
    const [row] = (await w.admin.call('account.move', 'read', [[move], ['payment_state']])) as {
      payment_state: string;
    }[];
    return row?.payment_state;
  };

  it('is the same plan bought again in the shop, and invoiced and posted afterwards', async () => {
    const { orderId } = await shopper.buy('Renovable', visitor);
    await instance.paidFor(days + PERIOD_DAYS);
    const move = await invoice(w.admin, orderId);
    await press(w.admin, 'account.move', 'action_post', [move]);
    expect(await paymentState(move)).to.be.oneOf(['paid', 'in_payment']);
    await settled(w);
    await countsOnce();
  });

  it('is an order paid online whose invoice is paid a second time by transfer', async () => {
    const { orderId } = await shopper.buy('Renovable', visitor);
    await instance.paidFor(days + PERIOD_DAYS);
    const move = await invoice(w.admin, orderId);
    // The accountant does not see the payment of the shop and registers what came by the bank.
    await w.admin.call('account.move', 'write', [[move], { transaction_ids: [[5, 0, 0]] }]);
    await postAndPay(w.admin, move);
    await countsOnce();
  });

  it('is an order seen before its invoice is made and paid', async () => {
    const order = await sell(w.admin, partner, 'renovable');
    await instance.paidFor(days + PERIOD_DAYS);
    await invoiceAndPay(w.admin, order.id);
    await countsOnce();
  });

  it('is an order whose invoice was paid before the daemon saw either', async () => {
    await w.restart({
      async meanwhile() {
        const order = await sell(w.admin, partner, 'renovable');
        await invoiceAndPay(w.admin, order.id);
      },
    });
    await countsOnce();
  });

  it('is an order that is polled late, in the state after the next one', async () => {
    const door = await openDoor({ host: '127.0.0.1', port: MASTER.port + 4 }, { host: '127.0.0.1', port: MASTER.port });
    await w.restart({ settings: { SAAS_ODOO_URL: `http://127.0.0.1:${MASTER.port + 4}` } });
    await settled(w);
    const polling = door.hold('<string>poll</string>');
    const letThrough = await polling;
    const order = await sell(w.admin, partner, 'renovable');
    const move = await invoice(w.admin, order.id);
    await postAndPay(w.admin, move);
    letThrough();
    await countsOnce();
    await door.end();
  });

  it('is a paid invoice without an order whose line names the instance', async () => {
    const move = await plainInvoice(w.admin, partner, 'renovable', { saas_instance_id: instance.id });
    await press(w.admin, 'account.move', 'action_post', [move]);
    await settled(w);
    expect(await instance.paidDays(), 'not paid yet').to.be.closeTo(days, 0.001);
    const context = { active_model: 'account.move', active_ids: [move] };
    const wizard = await w.admin.call('account.payment.register', 'create', [{}], { context });
    await press(w.admin, 'account.payment.register', 'action_create_payments', [wizard], context);
    await countsOnce();
  });

  it('is a paid invoice without an order or a name: it goes to the only instance of the plan', async () => {
    await postAndPay(w.admin, await plainInvoice(w.admin, partner, 'renovable'));
    await countsOnce();
  });

  it('is thanked for once each time', async () => {
    const thanks = await mails(w, visitor.email, /Gracias por renovar/);
    expect(thanks).to.have.length(days / PERIOD_DAYS - 1);
    expect(new Set(thanks.map(({ text }) => text)).size).to.equal(thanks.length);
  });
});
