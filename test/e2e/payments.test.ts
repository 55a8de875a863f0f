/** Payments that do not arrive at once, and orders that wait for theirs. One clock, from day 0 to day 16. */
import { expect } from 'chai';
import { instanceOf } from '../../compose/demo/records.js';
import { Shopper } from '../../compose/demo/shopper.js';
import { running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { demoPaid, lastPayment, openRenewals, payUrl } from '../support/renewals.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { type Subject, subject } from '../support/subject.js';
import { travel } from '../support/time.js';
import { until, type World, world } from '../support/world.js';

const PERIOD_DAYS = 10;

describe('a payment', function () {
  this.timeout(300_000);
  let w: World;
  let shop: Shopper;
  /** Its order is confirmed and not paid. */
  let trusted: Subject;
  let trustedOrder: number;
  /** Its customer closes the browser too early. */
  let hasty: Subject;
  /** Nobody pays it again. */
  let forgotten: Subject;
  /** Its money takes some days. */
  let slow: Subject;
  let slowRenewal: number;
  /** Its money is reserved and not taken. */
  let reserved: Subject;

  const customer = (name: string) => createCustomer(w.admin, { name, email: `${name.toLowerCase()}@example.com` });
  const served = async (name: string): Promise<Subject> => {
    const order = await sell(w.admin, await customer(name), 'cobrado');
    await invoiceAndPay(w.admin, order.id);
    return subject(w, await running(w, order.id), PERIOD_DAYS);
  };
  const containersAre = async (instance: Pick<Subject, 'name'>, state: string) => {
    const containers = await containersOf(instance);
    expect(containers.map(({ State }) => State)).to.deep.equal([state, state]);
  };
  const orderState = async (id: number) => {
    const [row] = (await w.admin.call('sale.order', 'read', [[id], ['state']])) as { state: string }[];
    return row?.state;
  };
  const captureByHand = async (byHand: boolean) => {
    const [demo] = (await w.admin.call('payment.provider', 'search', [[['code', '=', 'demo']]])) as number[];
    await w.admin.call('payment.provider', 'write', [[demo], { capture_manually: byHand }]);
  };

  before(async () => {
    w = await world();
    shop = new Shopper(w.master.master_url);
    const period = { saas_period_count: PERIOD_DAYS, saas_period_unit: 'day' };
    await createPlan(w.admin, 'cobrado', { ...period, name: 'Cobrado', list_price: 10 });
  });

  after(async () => {
    await captureByHand(false);
  });

  it('comes before anything is made, where SAAS_UNPAID_ORDER_GRACE_DAYS is 0', async () => {
    await w.restart({ settings: { SAAS_UNPAID_ORDER_GRACE_DAYS: '0' } });
    const order = await sell(w.admin, await customer('Desconfianza'), 'cobrado');
    const draft = await until('the record', () => instanceOf(w.admin, order.id));
    await settled(w);
    expect((await instanceOf(w.admin, order.id))?.state).to.equal('draft');
    expect(await containersOf(draft)).to.deep.equal([]);
    await invoiceAndPay(w.admin, order.id);
    forgotten = subject(w, await running(w, order.id), PERIOD_DAYS);
    await containersAre(forgotten, 'running');
  });

  it('comes after the instance, for an order that is confirmed: served at once', async () => {
    await w.restart();
    const order = await sell(w.admin, await customer('Confianza'), 'cobrado');
    trustedOrder = order.id;
    trusted = subject(w, await running(w, order.id), PERIOD_DAYS);
    [hasty, slow, reserved] = await Promise.all([served('Cierra'), served('Despacio'), served('Autoriza')]);
  });

  it('that does not come in SAAS_UNPAID_ORDER_GRACE_DAYS suspends the instance of a confirmed order', async () => {
    await travel(w, 2.9);
    await settled(w);
    expect((await trusted.now()).state).to.equal('running');
    await travel(w, 3.1);
    await trusted.inState('suspended');
    await containersAre(trusted, 'exited');
    const { log } = await until('the reason in the log', async () => {
      const row = await trusted.now();
      return row.log.includes('is suspended') && row;
    });
    expect(log).to.include('Its order stayed unpaid for too long.');
  });

  it('of somebody who closed the browser too early confirms the order and counts, within some polls', async () => {
    await travel(w, 4);
    const { orderId } = await shop.payLinkAndLeave(await payUrl(w, hasty));
    expect(await orderState(orderId)).to.equal('sent');
    await hasty.paidFor(2 * PERIOD_DAYS);
    expect(await orderState(orderId)).to.equal('sale');
    await settled(w);
    expect(await hasty.paidDays()).to.be.closeTo(2 * PERIOD_DAYS, 0.001);
  });

  it('that comes late counts from its day: the instance runs again', async () => {
    await travel(w, 5, async () => {
      await invoiceAndPay(w.admin, trustedOrder);
      return [trustedOrder];
    });
    await trusted.inState('running');
    await trusted.paidFor(5 + PERIOD_DAYS);
    await containersAre(trusted, 'running');
  });

  it('that is pending, or authorized and not captured, holds off the suspension of its instance', async () => {
    const [slowUrl, reservedUrl] = [await payUrl(w, slow), await payUrl(w, reserved)];
    let reservedRenewal = 0;
    await travel(w, 9, async () => {
      ({ orderId: slowRenewal } = await shop.payLink(slowUrl, 'pending'));
      await captureByHand(true);
      ({ orderId: reservedRenewal } = await shop.payLinkAndLeave(reservedUrl));
      return [slowRenewal, reservedRenewal];
    });
    expect((await lastPayment(w, slowRenewal)).state).to.equal('pending');
    expect((await lastPayment(w, reservedRenewal)).state).to.equal('authorized');
    await travel(w, 13);
    await forgotten.inState('suspended');
    await settled(w);
    for (const instance of [slow, reserved]) {
      expect((await instance.now()).state, instance.name).to.equal('running');
      await containersAre(instance, 'running');
      expect(await instance.paidDays(), 'it buys no time yet').to.be.closeTo(PERIOD_DAYS, 0.001);
    }
    expect(await orderState(slowRenewal)).to.equal('sent');
  });

  it('holds it off for SAAS_PENDING_PAYMENT_DAYS and no longer', async () => {
    await travel(w, 15.5);
    for (const instance of [slow, reserved]) {
      await instance.inState('suspended');
      await containersAre(instance, 'exited');
    }
    expect(await openRenewals(w, slow), 'what is being paid is not given up').to.deep.equal([slowRenewal]);
  });

  it('counts when it arrives: the instance runs and is paid', async () => {
    await travel(w, 16, async () => {
      await demoPaid(w, slowRenewal);
      return [slowRenewal];
    });
    await slow.inState('running');
    await slow.paidFor(16 + PERIOD_DAYS);
    await containersAre(slow, 'running');
    expect(await orderState(slowRenewal)).to.equal('sale');
    expect((await forgotten.now()).state).to.equal('suspended');
  });
});
