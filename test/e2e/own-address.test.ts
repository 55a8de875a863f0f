/** An address or a key that changes reaches the instances that exist. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { instanceOf, type Record as SaasRecord } from '../../compose/demo/records.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { leaveMark, ownOdoo, running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

describe('what changes for instances that exist', function () {
  this.timeout(600_000);
  let w: World;
  let own: OdooClient;
  let record: SaasRecord;
  let orderId: number;
  let mark: Awaited<ReturnType<typeof leaveMark>>;

  before(async () => {
    w = await world();
    await createPlan(w.admin, 'mudable', { name: 'Mudable', list_price: 30 });
    const email = 'mudanza@example.com';
    const partner = await createCustomer(w.admin, { name: 'Mudanza S.L.', email });
    ({ id: orderId } = await sell(w.admin, partner, 'mudable'));
    await invoiceAndPay(w.admin, orderId);
    record = await running(w, orderId);
    own = await ownOdoo(w, record, email);
    mark = await leaveMark(own, 'Antes de la mudanza');
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

  it('a key that was lost is replaced, and the customer works on with the same data and password', async () => {
    await settled(w);
    const lost = { taken: '' };
    const daemon = await w.restart({
      async meanwhile() {
        rmSync(path.join(DAEMON.dataDir, 'secret.key'));
        const refused = await w.run('run');
        expect(refused.code).to.equal(1);
        const { code, output } = await w.run('take-over', '--new-key');
        expect(code, output).to.equal(0);
        lost.taken = output;
      },
    });
    expect(lost.taken).to.contain('new secret.key');
    expect(logged(daemon, 'daemon.outdated')?.message).to.contain('1 instances');
    await until('the passwords to be set', () =>
      daemon.lines().some(({ event, step }) => event === 'step.done' && step === 'setSecrets'),
    );
    await until('its Odoo with its data', async () => (await mark(own)) === 'Antes de la mudanza');
    await settled(w);
    // Nothing is left to do.
    const { code, output } = await w.run('plan', '--json');
    expect(code).to.equal(0);
    expect((JSON.parse(output) as { plans: { steps: string[] }[] }).plans.flatMap(({ steps }) => steps)).to.deep.equal(
      [],
    );
    await w.restart();
    await settled(w);
    expect(logged(w.daemon(), 'daemon.outdated')).to.equal(undefined);
    expect(await mark(own)).to.equal('Antes de la mudanza');
  });
});
