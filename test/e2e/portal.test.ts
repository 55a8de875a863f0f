/** Part 2 and 13: what customers do on their own pages in the master reaches their Odoo. */
import { expect } from 'chai';
import { newVisitor } from '../../compose/demo/cast.js';
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { Shopper } from '../../compose/demo/shopper.js';
import { running } from '../support/customer.js';
import { containersOf } from '../support/engine.js';
import { travel } from '../support/time.js';
import { until, type World, world } from '../support/world.js';

describe("the customer's pages", function () {
  this.timeout(300_000);
  let w: World;
  let record: SaasRecord;
  let shopper: Shopper;
  const visitor = newVisitor();

  before(async () => {
    w = await world();
    shopper = new Shopper(w.master.master_url);
    await shopper.register(visitor);
    const { orderId } = await shopper.buy('Básico', visitor);
    record = await running(w, orderId);
  });

  const page = () => `/my/instances/${record.id}`;
  const now = async () => (await instances(w.admin, [['id', '=', record.id]]))[0] ?? record;
  const odooStartedAt = async () => (await containersOf(record)).find(({ role }) => role === 'odoo')?.startedAt ?? '';

  it('list the instance, with its address and no technical word', async () => {
    const list = (await shopper.see('/my/instances')).text;
    expect(list).to.include(record.name);
    const detail = await shopper.see(page());
    expect(detail.text).to.match(/En marcha|Activ/);
    expect(detail.querySelector(`a[href="${record.url}"]`)).not.to.equal(null);
    expect(detail.querySelector('#wrap')?.text).not.to.match(/docker|contenedor|container|puerto/i);
  });

  it('are closed to every other customer and to visitors', async () => {
    const other = new Shopper(w.master.master_url);
    await other.register({ ...newVisitor(), email: 'curiosa@example.com' });
    const refusal = await other.see(page()).then(
      () => 'shown',
      (error: Error) => error.message,
    );
    expect(refusal).to.match(/404|403/);
    const login = await new Shopper(w.master.master_url).see(page());
    expect(login.text).not.to.include(record.name);
  });

  it('restart it: the daemon does, and the record tells who asked', async () => {
    const before = await odooStartedAt();
    await shopper.press(page(), /\/restart/);
    await until('another start of Odoo', async () => (await odooStartedAt()) > before);
    const command = await until('the answer', async () => {
      const [row] = (await w.admin.call('saas.command', 'search_read', [[['instance_id', '=', record.id]]], {
        fields: ['command', 'state', 'requested_by'],
      })) as { command: string; state: string; requested_by: [number, string] }[];
      return row?.state === 'done' && row;
    });
    expect(command.command).to.equal('restart');
    expect(command.requested_by[1]).to.include(visitor.name);
  });

  it('renew it with one click, and the days are added', async () => {
    const quotation = await shopper.press(page(), /\/renew/);
    expect(quotation).to.match(/\/my\/orders\/\d+/);
    await shopper.payLink(quotation);
    await until('the new date', async () => (await now()).paid_until > record.paid_until);
  });

  it('say that it is paused and why, and bring it back by the payment', async () => {
    await travel(w, 70);
    await until('it to be suspended', async () => (await now()).state === 'suspended');
    const text = (await shopper.see(page())).text;
    expect(text).to.match(/Pagar ahora|Renovar/);
    await travel(w, 70, async () => {
      const quotation = await shopper.press(page(), /\/renew/);
      const { orderId } = await shopper.payLink(quotation);
      return [orderId];
    });
    await until('it to run', async () => (await now()).state === 'running');
    for (const { State } of await containersOf(record)) expect(State).to.equal('running');
  });
});
