/** What is tried again and again and does not come to pass reaches a person, once; and goes on by itself when it can. */
import { createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { running } from '../support/customer.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { todosOn } from '../support/staff.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

describe('a customer who has paid and cannot be served', function () {
  this.timeout(600_000);
  let w: World;
  let other: Server;
  let port: number;
  let order: number;

  before(async () => {
    w = await world();
    // Another program has the one place that there is.
    port = Number(DAEMON.portRange.split('-')[0]) + 900;
    other = createServer().listen(port, '0.0.0.0');
    await createPlan(w.admin, 'espera', { name: 'Espera', list_price: 10 });
  });
  after(() => other.close());

  const withoutPlace = (later: string) => ({
    settings: { SAAS_PORT_RANGE: `${port}-${port + 1}`, ...(later ? { SAAS_CLOCK_OFFSET: later } : {}) },
  });
  const failed = () => until('a try to fail', () => logged(w.daemon(), 'instance.delayed'));
  const todos = () => todosOn(w.admin, 'sale.order', order);
  const ready = async () => {
    const response = await fetch(`${w.daemon().url}/ready`);
    const { checks } = (await response.json()) as { checks: Record<string, { ok: boolean; detail: string }> };
    return { status: response.status, work: checks.work };
  };
  const gauge = async (name: string) =>
    new RegExp(`${name} (\\d+)`).exec(await (await fetch(`${w.daemon().url}/metrics`)).text())?.[1];

  it('is nobody’s to-do while it may still pass by itself', async () => {
    await w.restart(withoutPlace(''));
    const customer = await createCustomer(w.admin, { name: 'Paga Y Espera', email: 'espera@example.com' });
    ({ id: order } = await sell(w.admin, customer, 'espera'));
    await invoiceAndPay(w.admin, order);
    await failed();
    expect(await todos()).to.deep.equal([]);
    expect((await ready()).work).to.deep.equal({ ok: true, detail: 'no instance has failed for long' });
  });

  it('is a to-do of the salesperson after a quarter of an hour, and /ready and a gauge say so', async () => {
    await w.restart(withoutPlace('PT20M'));
    const found = await until('the to-do', async () => {
      const some = await todos();
      return some.length > 0 && some;
    });
    expect(found[0]?.note).to.match(/no se ha podido crear desde|could not be made since/);
    const { status, work } = await until('/ready to say so', async () => {
      const said = await ready();
      return said.work?.ok === false && said;
    });
    expect([status, work?.detail]).to.deep.equal([503, '1 have failed for long: paga-y-espera']);
    expect(await gauge('saas_instances_stuck')).to.equal('1');
  });

  it('is no other to-do later', async () => {
    await w.restart(withoutPlace('PT30H'));
    await failed();
    await until('all writes to be delivered', async () => (await gauge('saas_outbox_pending')) === '0');
    expect(await todos()).to.have.length(1);
  });

  it('is served when there is a place, and nothing says so any more', async () => {
    await w.restart();
    await running(w, order);
    expect((await ready()).work?.ok).to.equal(true);
    expect(await gauge('saas_instances_stuck')).to.equal('0');
  });
});
