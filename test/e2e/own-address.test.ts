/** An address or a key that changes reaches the instances that exist. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { passwordIn } from '../../compose/demo/master.js';
import { instanceOf, type Record as SaasRecord } from '../../compose/demo/records.js';
import { Secret } from '../../src/lib/secret.js';
import { createOdooClient, type OdooClient } from '../../src/odoo/client.js';
import { noticeOperation } from '../../src/owed/operations.js';
import { openStore } from '../../src/store/store.js';
import { leaveMark, mails, ownOdoo, running, WELCOME, welcomeMail } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { sql } from '../support/time.js';
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

  it('a welcome mail that had not arrived when the key was lost waits, and brings the first password that works', async () => {
    const email = 'sin.correo@example.com';
    const partner = await createCustomer(w.admin, { name: 'Tarde', email });
    const order = await sell(w.admin, partner, 'mudable');
    await invoiceAndPay(w.admin, order.id);
    const late = await running(w, order.id);
    const before = passwordIn(await welcomeMail(w, email));
    // A mail is seen before the master has written down that it was sent.
    await settled(w);
    await w.restart({
      async meanwhile() {
        // As if it had not arrived.
        await sql(`DELETE FROM saas_bridge_effect WHERE key = 'notice:welcome:${late.key}'`);
        const store = openStore(path.join(DAEMON.dataDir, 'bridge.sqlite'), { access: 'beside' });
        const instance = store.instances.get(late.key);
        const details = { trial: false, planName: 'Mudable', paidUntil: null, deleteOn: null };
        if (instance) store.outbox.put(noticeOperation(instance, 'welcome', '', details), late.key);
        store.close();
        rmSync(path.join(DAEMON.dataDir, 'secret.key'));
        expect((await w.run('take-over', '--new-key')).code).to.equal(0);
      },
    });
    const after = await until('the other mail', async () =>
      (await mails(w, email, WELCOME)).map(passwordIn).find((password) => password !== before),
    );
    const settings = { url: `http://127.0.0.1:${late.http_port}`, db: 'odoo', login: email, timeoutMs: 60_000 };
    const odoo = createOdooClient({ ...settings, apiKey: new Secret(after), maxConcurrent: 1 });
    // The passwords are set while it is down: its mail may come before it is up.
    const known = () => odoo.call('res.users', 'search_count', [[['login', '=', email]]]);
    expect(await until('the login', known)).to.equal(1);
    await odoo.close();
  });
});
