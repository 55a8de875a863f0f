/** Renewal made easy: one quotation waits for a click, and is gone when the time was paid in another way. */
import { expect } from 'chai';
import { Shopper } from '../../compose/demo/shopper.js';
import { mails, running } from '../support/customer.js';
import { morePolls, settled } from '../support/daemon.js';
import { demoPaid, openRenewals, renewalOf } from '../support/renewals.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { type Subject, subject } from '../support/subject.js';
import { travel } from '../support/time.js';
import { until, type World, world } from '../support/world.js';

const PERIOD_DAYS = 10;
const LINK = /https?:\/\/\S+\/my\/orders\/(\d+)\?\S*access_token=\S+/;

describe('the renewal quotation', function () {
  this.timeout(300_000);
  let w: World;
  const email = 'enlace@example.com';
  let partner: number;
  let instance: Subject;
  let first: number;
  let firstLink: string;

  before(async () => {
    w = await world();
    const period = { saas_period_count: PERIOD_DAYS, saas_period_unit: 'day' };
    await createPlan(w.admin, 'enlace', { ...period, name: 'Enlace', list_price: 10 });
    partner = await createCustomer(w.admin, { name: 'Paga Fácil', email });
    const order = await sell(w.admin, partner, 'enlace');
    await invoiceAndPay(w.admin, order.id);
    instance = subject(w, await running(w, order.id), PERIOD_DAYS);
  });

  const orderState = async (id: number) => {
    const [row] = (await w.admin.call('sale.order', 'read', [[id], ['state']])) as { state: string }[];
    return row?.state;
  };
  /** The link of the newest mail of a kind, and the quotation it is of. */
  const linkIn = async (subject: RegExp, times: number) => {
    const all = await until(`mail ${times} of ${subject}`, async () => {
      const found = await mails(w, email, subject);
      return found.length >= times && found;
    });
    expect(all).to.have.length(times);
    const [url = '', id] = LINK.exec(all.at(-1)?.text ?? '') ?? [];
    return { url, order: Number(id) };
  };
  const renewOtherwise = async () => {
    const order = await sell(w.admin, partner, 'enlace');
    await invoiceAndPay(w.admin, order.id);
    return [order.id];
  };

  it('is not there while the time is far from its end', async () => {
    await settled(w);
    expect(await renewalOf(w, instance)).to.equal(null);
    expect(await openRenewals(w, instance)).to.deep.equal([]);
  });

  it('is on the record from expiring soon on, ready to be paid, and its link is in the reminder', async () => {
    await travel(w, 4);
    const renewal = await until('the quotation', () => renewalOf(w, instance));
    first = renewal.id;
    await until('expiring soon', async () => (await instance.now()).subscription_state === 'expiring_soon');
    expect(await orderState(first)).to.equal('sent');
    const { url, order } = await linkIn(/vence/, 1);
    expect(order).to.equal(first);
    firstLink = url;
  });

  it('stays the only one, through many polls, restarts and the next reminder', async () => {
    await travel(w, 4, undefined, { SAAS_POLL_INTERVAL: '0.2' });
    await morePolls(w, 10);
    await w.restart({ signal: 'SIGKILL', settings: { SAAS_CLOCK_OFFSET: `PT${4 * 24}H` } });
    await settled(w);
    await travel(w, 8);
    expect((await linkIn(/vence/, 2)).order).to.equal(first);
    await settled(w);
    expect(await openRenewals(w, instance)).to.deep.equal([first]);
  });

  it('is cancelled, untouched, when the time is paid in another way, and its link pays nothing any more', async () => {
    await travel(w, 8, renewOtherwise);
    await instance.paidFor(20);
    await settled(w);
    expect(await orderState(first)).to.equal('cancel');
    expect(await renewalOf(w, instance)).to.equal(null);
    const refusal = await new Shopper(w.master.master_url).payLink(firstLink).catch((error: Error) => error);
    expect(refusal).to.be.instanceOf(Error);
    await settled(w);
    expect(await instance.paidDays()).to.be.closeTo(20, 0.02);
  });

  it('that is being paid while the time is paid in another way stays, and its money counts on top', async () => {
    await travel(w, 18);
    const { url, order } = await linkIn(/vence/, 3);
    await travel(w, 18, async () => {
      await new Shopper(w.master.master_url).payLink(url, 'pending');
      return [order, ...(await renewOtherwise())];
    });
    await instance.paidFor(30);
    await settled(w);
    expect(await orderState(order)).to.equal('sent');
    await travel(w, 18, async () => {
      await demoPaid(w, order);
      return [order];
    });
    await instance.paidFor(40);
    expect(await orderState(order)).to.equal('sale');
    expect(await openRenewals(w, instance)).to.deep.equal([]);
  });

  it('is in the mail about the suspension too, and pays from there: it runs again, and none is left open', async () => {
    await travel(w, 41);
    await instance.inState('suspended');
    const { url, order } = await linkIn(/en pausa/, 1);
    expect((await renewalOf(w, instance))?.id).to.equal(order);
    await travel(w, 42, async () => [(await new Shopper(w.master.master_url).payLink(url)).orderId]);
    await instance.inState('running');
    await instance.paidFor(52);
    await settled(w);
    expect(await orderState(order)).to.equal('sale');
    expect(await renewalOf(w, instance)).to.equal(null);
    expect(await openRenewals(w, instance)).to.deep.equal([]);
  });
});
