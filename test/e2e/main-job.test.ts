/** A customer buys in the shop and is served; whatever dies on the way, exactly once. */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { newVisitor } from '../../compose/demo/cast.js';
import { type Mail, passwordIn } from '../../compose/demo/master.js';
import { instanceOf, instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { Shopper } from '../../compose/demo/shopper.js';
import { login } from '../../src/docker/instance/ready.js';
import { Secret } from '../../src/lib/secret.js';
import { mails, running, WELCOME, welcomeMail } from '../support/customer.js';
import { morePolls } from '../support/daemon.js';
import { openDoor } from '../support/proxy.js';
import { createCustomer, sell } from '../support/shop.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

describe('the main job', function () {
  this.timeout(600_000);
  let w: World;

  before(async () => {
    w = await world();
  });

  const canLogIn = async (record: SaasRecord, user: string, mail: Mail): Promise<boolean> =>
    (await login('127.0.0.1', record.http_port, user, new Secret(passwordIn(mail)))) !== null;

  describe('a purchase in the shop', () => {
    const visitor = newVisitor();
    let orderId: number;
    let record: SaasRecord;

    it('gives the customer a running Odoo, and a mail whose password logs in', async () => {
      const shopper = new Shopper(w.master.master_url);
      await shopper.register(visitor);
      ({ orderId } = await shopper.buy('Básico', visitor));
      record = await running(w, orderId);
      const mail = await welcomeMail(w, visitor.email);
      expect(mail.subject).to.equal(`Su Odoo está listo: ${record.name}`);
      expect(await canLogIn(record, visitor.email, mail)).to.equal(true);
    });

    it('is on the record: state, dates, address, containers, log', () => {
      expect(record.subscription_state).to.equal('active');
      expect(record.url).to.equal(`http://${record.name}.localhost:${record.http_port}`);
      expect(record.odoo_container).to.equal(`${DAEMON.scope}_odoo_cliente_${record.name}`);
      const days = (Date.parse(record.paid_until) - Date.parse(record.started_on)) / 86_400_000;
      expect(days).to.be.within(27.5, 31.5);
    });

    it('is one line for the admin, and a line in the log of the record', async () => {
      const line = logged(w.daemon(), 'instance.provisioned', record.name);
      expect(line?.message).to.match(/^S\d+ paid → .+ running in \d+\.\d s$/);
      const served = await until('the log of the record', async () => {
        const now = await instanceOf(w.admin, orderId);
        return now?.log.includes('running in') && now;
      });
      expect(served.log).to.include(line?.message);
    });

    it('leaves the password in no message, no log and no container', async () => {
      const password = passwordIn(await welcomeMail(w, visitor.email));
      const messages = (await w.admin.call('mail.message', 'search_count', [[['body', 'ilike', password]]])) as number;
      expect(messages).to.equal(0);
      expect(JSON.stringify(w.daemon().lines())).not.to.include(password);
    });

    it('makes nothing new when the same order is polled again, also by a daemon that reads everything', async () => {
      await w.restart();
      await until('a poll of the new daemon', () => logged(w.daemon(), 'master.reached'));
      await until('two more polls', async () => {
        const metrics = await (await fetch(`${w.daemon().url}/metrics`)).text();
        return Number(/saas_polls_total\{result="done"\} (\d+)/.exec(metrics)?.[1] ?? 0) >= 3;
      });
      expect(await instances(w.admin, [['partner_id.email', '=', visitor.email]])).to.have.length(1);
      expect(await mails(w, visitor.email, WELCOME)).to.have.length(1);
      expect(logged(w.daemon(), 'instance.created')).to.equal(undefined);
    });
  });

  it('is finished by a daemon that is told to stop in the middle of it', async () => {
    const socket = path.join(tmpdir(), `saas-bridge-main-job-${process.pid}.sock`);
    const engine = await openDoor({ path: socket }, { path: '/var/run/docker.sock' });
    // What is under way may be finished, however slow the machine is.
    await w.restart({ settings: { SAAS_DOCKER_SOCKET: socket, SAAS_STOP_TIMEOUT: '600' } });
    const begun = engine.hold('/networks/create');
    const partner = await createCustomer(w.admin, { name: 'Tranquila S.L.', email: 'tranquila@example.com' });
    const order = await sell(w.admin, partner, 'basico');
    const goOn = await begun;
    const stopped = w.daemon();
    const restarted = w.restart({ signal: 'SIGTERM' });
    await until('it to be told', () => logged(stopped, 'daemon.stopping'));
    expect(logged(stopped, 'instance.provisioned')).to.equal(undefined);
    // It is alive until the work is done: the master is read, and whoever looks after it gets an answer.
    expect((await fetch(`${stopped.url}/health`)).ok).to.equal(true);
    await morePolls(w, 1);
    goOn();
    await restarted;
    await engine.end();
    expect(logged(stopped, 'instance.provisioned', 'tranquila-s-l')).not.to.equal(undefined);
    expect(stopped.lines().some((line) => line.event === 'daemon.stopped')).to.equal(true);
    await running(w, order.id);
    await welcomeMail(w, 'tranquila@example.com');
  });

  it('is not begun for products that are no plans', async () => {
    const [product] = (await w.admin.call(
      'product.product',
      'search',
      [
        [
          ['saas_plan', '=', false],
          ['sale_ok', '=', true],
          ['type', '=', 'service'],
        ],
      ],
      {
        limit: 1,
      },
    )) as number[];
    const partner = await createCustomer(w.admin, { name: 'Solo Horas', email: 'horas@example.com' });
    const orders = (await w.admin.call('sale.order', 'create', [
      { partner_id: partner, order_line: [[0, 0, { product_id: product, product_uom_qty: 1 }]] },
    ])) as number;
    await w.admin.call('sale.order', 'action_confirm', [[orders]]);
    const after = await createCustomer(w.admin, { name: 'Justo Después', email: 'despues@example.com' });
    await running(w, (await sell(w.admin, after, 'basico')).id);
    expect(await instances(w.admin, [['partner_id', '=', partner]])).to.deep.equal([]);
  });

  it('ends with exactly one instance and one mail, wherever the daemon is killed', async () => {
    const moments = ['instance.created', 'ensureNetwork', 'seedVolumes', 'startBoth', 'instance.provisioned'];
    for (const [number, moment] of moments.entries()) {
      const email = `killed${number}@example.com`;
      const partner = await createCustomer(w.admin, { name: `Cortado ${number} S.L.`, email });
      const order = await sell(w.admin, partner, 'basico');
      await until(`the moment ${moment}`, () =>
        w
          .daemon()
          .lines()
          .find((line) => line.event === moment || (line.event === 'step.done' && line.step === moment)),
      );
      await w.restart({ signal: 'SIGKILL' });
      const record = await running(w, order.id);
      const mail = await welcomeMail(w, email);
      expect(await canLogIn(record, email, mail), moment).to.equal(true);
      expect(await instances(w.admin, [['partner_id', '=', partner]]), moment).to.have.length(1);
      expect(await mails(w, email, WELCOME), moment).to.have.length(1);
    }
  });
});
