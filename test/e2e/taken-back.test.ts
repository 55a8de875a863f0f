/** What was paid is taken back: the dates are computed anew, and what nobody pays any more is suspended. */
import { expect } from 'chai';
import { mails, running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import {
  chargeBack,
  createCustomer,
  createPlan,
  creditNote,
  invoiceAndPay,
  plainInvoice,
  postAndPay,
  press,
  reverseAndCreate,
  sell,
} from '../support/shop.js';
import { type Subject, subject } from '../support/subject.js';
import { travel } from '../support/time.js';
import { until, type World, world } from '../support/world.js';

const PERIOD_DAYS = 10;

describe('what was taken back', function () {
  this.timeout(300_000);
  let w: World;
  const email = 'devuelve@example.com';
  let partner: number;
  let firstInvoice: number;
  let instance: Subject;

  before(async () => {
    w = await world();
    const period = { saas_period_count: PERIOD_DAYS, saas_period_unit: 'day' };
    await createPlan(w.admin, 'devuelto', { ...period, name: 'Devuelto', list_price: 10 });
    partner = await createCustomer(w.admin, { name: 'Devuelve Todo', email });
    const order = await sell(w.admin, partner, 'devuelto');
    firstInvoice = await invoiceAndPay(w.admin, order.id);
    instance = subject(w, await running(w, order.id), PERIOD_DAYS);
  });

  const buy = async () => {
    const order = await sell(w.admin, partner, 'devuelto');
    return { order, invoice: await invoiceAndPay(w.admin, order.id) };
  };
  /** The log of the record says which document, and that it was taken back. */
  const logs = (document: string) =>
    until(`${document} in the log`, async () =>
      (await instance.now()).log.includes(`${document} was cancelled, given back or its payment taken back`),
    );

  it('by a credit note for the invoice of an order: the time goes', async () => {
    const { order, invoice } = await buy();
    await instance.paidFor(20);
    await creditNote(w.admin, invoice);
    await instance.paidFor(10);
    await logs(order.name);
    expect((await instance.now()).state).to.equal('running');
  });

  it('by a credit note for an invoice without an order: the time goes', async () => {
    const invoice = await plainInvoice(w.admin, partner, 'devuelto', { saas_instance_id: instance.id });
    await postAndPay(w.admin, invoice);
    await instance.paidFor(20);
    await creditNote(w.admin, invoice);
    await instance.paidFor(10);
  });

  it('by cancelling the order: the time goes', async () => {
    const order = await sell(w.admin, partner, 'devuelto');
    await instance.paidFor(20);
    await press(w.admin, 'sale.order', 'action_cancel', [order.id]);
    await instance.paidFor(10);
    await logs(order.name);
  });

  it('not by “reverse and create invoice”, until the new invoice is cancelled', async () => {
    const { order, invoice } = await buy();
    await instance.paidFor(20);
    const corrected = await reverseAndCreate(w.admin, invoice);
    await settled(w);
    expect(await instance.paidDays(), 'the customer keeps what they paid').to.be.closeTo(20, 0.001);
    await press(w.admin, 'account.move', 'button_cancel', [corrected]);
    await instance.paidFor(10);
    await logs(order.name);
  });

  it('entirely: is suspended at once, with the reason on the record and in the mail, and its data kept', async () => {
    await creditNote(w.admin, firstInvoice);
    const { log } = await instance.inState('suspended');
    for (const container of await containersOf(instance)) expect(container.State).to.equal('exited');
    expect(log).to.match(/is suspended, its data is kept: Everything bought for it was cancelled or refunded\./);
    const mail = await until('the mail', async () => (await mails(w, email, /en pausa/))[0]);
    expect(mail.text).to.match(/se anuló o se devolvió/);
  });

  it('by a charge-back: the order is unpaid again, and is suspended when its days of trust are over', async () => {
    const { order, invoice } = await buy();
    await instance.inState('running');
    await until('the mail about it', async () => (await mails(w, email, /vuelve a estar activo/))[0]);
    await travel(w, 4);
    await settled(w);
    expect((await instance.now()).state, 'paid').to.equal('running');
    await chargeBack(w.admin, invoice);
    const { log } = await instance.inState('suspended');
    await logs(order.name);
    expect(log).to.include('Its order stayed unpaid for too long.');
    for (const container of await containersOf(instance)) expect(container.State).to.equal('exited');
    await until('the second mail', async () => (await mails(w, email, /en pausa/)).length > 1);
    await settled(w);
    expect(await mails(w, email, /en pausa/)).to.have.length(2);
  });
});
