/** An address that changes reaches the instances that exist. */
import { expect } from 'chai';
import { instanceOf, type Record as SaasRecord } from '../../compose/demo/records.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { ownOdoo, running } from '../support/customer.js';
import { containersOf } from '../support/engine.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { until, type World, world } from '../support/world.js';

describe('what changes for instances that exist', function () {
  this.timeout(600_000);
  let w: World;
  let own: OdooClient;
  let record: SaasRecord;
  let orderId: number;

  before(async () => {
    w = await world();
    await createPlan(w.admin, 'mudable', { name: 'Mudable', list_price: 30 });
    const email = 'mudanza@example.com';
    const partner = await createCustomer(w.admin, { name: 'Mudanza S.L.', email });
    ({ id: orderId } = await sell(w.admin, partner, 'mudable'));
    await invoiceAndPay(w.admin, orderId);
    record = await running(w, orderId);
    own = await ownOdoo(w, record, email);
  });

  after(async () => {
    await own.close();
  });

  const parameter = (key: string) => own.call('ir.config_parameter', 'get_param', [key]);
  const ids = async () => (await containersOf(record)).map(({ id }) => id).sort();

  it('another public address is known to the Odoo and to the record after the start, without a restart', async () => {
    const before = await ids();
    expect(await parameter('web.base.url')).to.equal(record.url);
    await w.restart({ settings: { SAAS_INSTANCE_URL: 'https://{name}.nuevo.example' } });
    const url = `https://${record.name}.nuevo.example`;
    await until('the record to have the new address', async () => (await instanceOf(w.admin, orderId))?.url === url);
    expect(await parameter('web.base.url')).to.equal(url);
    expect(await parameter('web.base.url.freeze')).to.equal('True');
    expect(await ids()).to.deep.equal(before);
    await w.restart();
    await until('the old address again', async () => (await parameter('web.base.url')) === record.url);
  });
});
