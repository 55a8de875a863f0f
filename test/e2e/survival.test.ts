/** Whatever happens to the containers, the customer's data and address stay; whatever is due, a payment comes first. */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { resourceNames } from '../../src/instance/naming.js';
import { leaveMark, mails, ownOdoo, running } from '../support/customer.js';
import { moreLooks } from '../support/daemon.js';
import { containersOf, docker, killInside, type SeenContainer } from '../support/engine.js';
import { type Door, openDoor } from '../support/proxy.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { todosOn } from '../support/staff.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

const REBUILT = /vuelve a funcionar/;

describe('containers that die', function () {
  this.timeout(300_000);
  let w: World;
  let engine: Door;
  const socket = path.join(tmpdir(), `saas-bridge-survival-${process.pid}.sock`);

  interface Customer {
    email: string;
    record: SaasRecord;
    /** Waits until its Odoo answers with what was written into it. */
    dataIsThere(): Promise<void>;
  }
  let dying: Customer;
  let stopped: Customer;
  let removed: Customer;

  before(async () => {
    w = await world();
    engine = await openDoor({ path: socket }, { path: '/var/run/docker.sock' });
    await w.restart({ settings: { SAAS_MONITOR_INTERVAL: '2', SAAS_DOCKER_SOCKET: socket } });
    await createPlan(w.admin, 'duro', { name: 'Duro', list_price: 30 });
    [dying, stopped, removed] = await Promise.all([
      newCustomer('Moribunda', 'moribunda@example.com'),
      newCustomer('Parada', 'parada@example.com'),
      newCustomer('Quitada', 'quitada@example.com'),
    ]);
  });

  after(async () => {
    await engine.end();
  });

  async function newCustomer(name: string, email: string): Promise<Customer> {
    const partner = await createCustomer(w.admin, { name, email });
    const order = await sell(w.admin, partner, 'duro');
    await invoiceAndPay(w.admin, order.id);
    const record = await running(w, order.id);
    const first = await ownOdoo(w, record, email);
    const mark = await leaveMark(first, `Datos de ${name}`);
    await first.close();
    const dataIsThere = async () => {
      await until(
        `the data of ${name}`,
        async () => {
          const own = await ownOdoo(w, record, email);
          return mark(own)
            .then((now) => now === `Datos de ${name}`)
            .finally(() => own.close());
        },
        90_000,
      );
    };
    return { email, record, dataIsThere };
  }

  const oneOf = async ({ record }: Customer, role: string) =>
    (await containersOf(record)).find((container) => container.role === role);
  const bothRun = ({ record }: Customer, which: (container: SeenContainer) => boolean = () => true) =>
    until(
      'both containers to run',
      async () => {
        const found = await containersOf(record);
        return found.length === 2 && found.every((one) => one.State === 'running' && which(one)) && found;
      },
      90_000,
    );
  const logOf = async ({ record }: Customer) => {
    const [row] = (await w.admin.call('saas.instance', 'read', [[record.id], ['log', 'state', 'http_port']])) as {
      log: string;
      state: string;
      http_port: number;
    }[];
    return row ?? { log: '', state: '', http_port: 0 };
  };

  it('again and again are made anew on their own data; a manager has a to-do and the customer a mail', async () => {
    const before = (await containersOf(dying.record)).map(({ id }) => id);
    for (let kills = 1; !logged(w.daemon(), 'instance.keeps_dying', dying.record.name); kills++) {
      expect(kills, 'kills that nobody notices').to.be.at.most(8);
      const odoo = await until('Odoo to run', async () => {
        const found = await oneOf(dying, 'odoo');
        return found?.State === 'running' && found;
      });
      await killInside(odoo);
      // The engine starts it again by itself: it is not simply found stopped.
      await until('another start', async () => {
        const found = await oneOf(dying, 'odoo');
        const again = found?.State === 'running' && found.startedAt > odoo.startedAt;
        return again || logged(w.daemon(), 'instance.keeps_dying', dying.record.name);
      });
      await moreLooks(engine, 1);
    }
    await until('the end of it', () => logged(w.daemon(), 'instance.rebuilt', dying.record.name), 90_000);
    await bothRun(dying, ({ id }) => !before.includes(id));
    await dying.dataIsThere();
    const mail = await until('the mail', async () => (await mails(w, dying.email, REBUILT))[0]);
    expect(mail.text).to.include('No se ha perdido nada');
    const todos = await until('the to-do', async () => {
      const found = await todosOn(w.admin, 'saas.instance', dying.record.id);
      return found.length > 0 && found;
    });
    expect(todos).to.have.length(1);
    expect(todos[0]?.note).to.match(/se caía una y otra vez|kept dying/);
    await until('the log', async () => (await logOf(dying)).log.includes('kept dying; rebuilt from its own data'));
    expect((await logOf(dying)).http_port).to.equal(dying.record.http_port);
  });

  it('once, killed by hand, are started again without more ado', async () => {
    const odoo = await oneOf(stopped, 'odoo');
    await docker.getContainer(odoo?.id ?? '').kill({ signal: 'KILL' });
    await bothRun(stopped, ({ role, startedAt }) => role === 'db' || startedAt > (odoo?.startedAt ?? ''));
    await stopped.dataIsThere();
  });

  it('stopped by hand are noticed, started again, and it is on the record', async () => {
    const db = await oneOf(stopped, 'db');
    await db?.stop();
    await bothRun(stopped, ({ role, startedAt }) => role === 'odoo' || startedAt > (db?.startedAt ?? ''));
    await stopped.dataIsThere();
    await until('the log', async () =>
      (await logOf(stopped)).log.includes('It should run and does not: it is put right.'),
    );
    expect((await logOf(stopped)).state).to.equal('running');
    expect(await mails(w, stopped.email, REBUILT)).to.deep.equal([]);
  });

  it('removed by hand, one, or both and their network, are made again with their data', async () => {
    const odoo = await oneOf(removed, 'odoo');
    const db = await oneOf(removed, 'db');
    await odoo?.remove();
    await bothRun(removed);
    expect((await oneOf(removed, 'db'))?.id, 'nothing more than needed').to.equal(db?.id);
    await removed.dataIsThere();

    const pair = await containersOf(removed.record);
    await Promise.all(pair.map((container) => container.remove()));
    await docker.getNetwork(resourceNames(DAEMON.scope, removed.record.name).network).remove();
    await bothRun(removed);
    await removed.dataIsThere();
    expect((await logOf(removed)).http_port).to.equal(removed.record.http_port);
    expect(await mails(w, removed.email, REBUILT)).to.deep.equal([]);
  });
});
