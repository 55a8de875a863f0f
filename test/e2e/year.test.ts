/** A year of a customer, in some minutes: the daemon's clock goes on, and every mail comes exactly once. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { mailsTo } from '../../compose/demo/master.js';
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { Shopper } from '../../compose/demo/shopper.js';
import { mails, ownOdoo, running } from '../support/customer.js';
import { containersOf, docker } from '../support/engine.js';
import { createCustomer, createPlan, creditNote, invoiceAndPay, sell } from '../support/shop.js';
import { travel } from '../support/time.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

const DAY_MS = 86_400_000;

/** The subject of each kind of mail. */
const SUBJECTS = {
  welcome: /está listo/,
  renewed: /Gracias por renovar/,
  reminder: /vence/,
  suspended: /en pausa/,
  reactivated: /vuelve a estar activo/,
  planChanged: /Su plan ha cambiado/,
  deletionWarning: /se eliminarán/,
  deleted: /Hemos eliminado/,
};

describe('a year of a customer', function () {
  this.timeout(600_000);
  let w: World;
  const email = 'anual@example.com';
  let partner: number;
  let record: SaasRecord;
  let begun: number;
  let contact: number;
  let refundable: number;

  before(async () => {
    w = await world();
    const days = { saas_period_count: 30, saas_period_unit: 'day', saas_retention_days: 20 };
    await createPlan(w.admin, 'treinta', { ...days, name: 'Treinta', list_price: 30 });
    await createPlan(w.admin, 'grande', {
      ...days,
      name: 'Grande',
      list_price: 60,
      saas_memory_mb: 1024,
      saas_cpu: 1.5,
    });
    partner = await createCustomer(w.admin, { name: 'Año Entero', email });
  });

  const now = async () => {
    const [row] = await instances(w.admin, [['key', '=', record.key]]);
    if (!row) throw new Error('the record is gone');
    return row;
  };
  /** Days from the beginning until which the record is paid. */
  const paidDays = async () => (Date.parse(`${(await now()).paid_until}Z`) - begun) / DAY_MS;
  const paidUntilDay = (day: number) =>
    until(`day ${day} as the end of the paid time`, async () => Math.abs((await paidDays()) - day) < 0.02);
  const inState = (state: string) =>
    until(`it to be ${state}`, async () => {
      const row = await now();
      return row.state === state && row;
    });
  const count = async (kind: keyof typeof SUBJECTS) => (await mails(w, email, SUBJECTS[kind])).length;
  const mailed = (kind: keyof typeof SUBJECTS, times: number) =>
    until(`mail ${times} of ${kind}`, async () => (await count(kind)) >= times);
  const line = { saas_instance_id: 0 };

  it('day 0: buys thirty days', async () => {
    const order = await sell(w.admin, partner, 'treinta');
    await invoiceAndPay(w.admin, order.id);
    record = await running(w, order.id);
    line.saas_instance_id = record.id;
    begun = Date.parse(`${record.paid_until}Z`) - 30 * DAY_MS;
    await mailed('welcome', 1);
    const odoo = await ownOdoo(w, record, email);
    contact = (await odoo.call('res.partner', 'create', [{ name: 'Un año entero' }])) as number;
    await odoo.close();
  });

  it('day 20: renews early, and no day is lost', async () => {
    await travel(w, 20, async () => {
      const order = await sell(w.admin, partner, 'treinta');
      await invoiceAndPay(w.admin, order.id);
      return [order.id];
    });
    await paidUntilDay(60);
    await mailed('renewed', 1);
  });

  it('days 53, 57 and 59: is reminded, with a link to pay', async () => {
    for (const [number, day] of [53, 57, 59].entries()) {
      await travel(w, day);
      await mailed('reminder', number + 1);
    }
    expect((await now()).subscription_state).to.equal('expiring_soon');
    const [last] = (await mails(w, email, SUBJECTS.reminder)).slice(-1);
    expect(last?.subject).to.match(/mañana/);
    expect(last?.text).to.match(/https?:\/\/\S+\/my\/orders\/\d+\?access_token=/);
  });

  it('knows beforehand what will happen', async () => {
    const date = new Date(begun + 90 * DAY_MS).toISOString();
    const { output } = await w.run('plan', '--at', date, '--json');
    const { plans } = JSON.parse(output) as { plans: { name: string; coming: { what: string; reason: string }[] }[] };
    const coming = plans.find(({ name }) => name === record.name)?.coming ?? [];
    expect(coming.map(({ what }) => what)).to.deep.equal([
      'suspended',
      'deletion_warning',
      'deletion_warning',
      'deletion_warning',
      'deleted',
    ]);
    for (const { reason } of coming) expect(reason).to.match(/\w+/);
  });

  it('day 62: is suspended, and the mail has the link', async () => {
    await travel(w, 62);
    await inState('suspended');
    await mailed('suspended', 1);
    for (const container of await containersOf(record)) expect(container.State).to.equal('exited');
  });

  it('day 64: pays with the link of the mail, without a login, and has everything back', async () => {
    const [mail] = (await mails(w, email, SUBJECTS.suspended)).slice(-1);
    const link = /https?:\/\/\S+\/my\/orders\/\d+\?\S+/.exec(mail?.text ?? '')?.[0] ?? '';
    await travel(w, 64, async () => {
      const { orderId } = await new Shopper(w.master.master_url).payLink(link);
      return [orderId];
    });
    await inState('running');
    await paidUntilDay(94);
    await mailed('reactivated', 1);
    const odoo = await ownOdoo(w, record, email);
    const [row] = (await odoo.call('res.partner', 'read', [[contact], ['name']])) as { name: string }[];
    await odoo.close();
    expect(row?.name).to.equal('Un año entero');
  });

  it('day 74: takes a larger plan: twenty unused days become ten, and nothing restarts', async () => {
    await travel(w, 74);
    await inState('running');
    const before = await containersOf(record);
    await travel(w, 74, async () => {
      const order = await sell(w.admin, partner, 'grande', line);
      await invoiceAndPay(w.admin, order.id);
      return [order.id];
    });
    await paidUntilDay(114);
    await mailed('planChanged', 1);
    const limits = await until('the new memory', async () => {
      const found = await Promise.all(
        before.map(async ({ name }) => {
          const { HostConfig, State } = await docker.getContainer(name.replace('/', '')).inspect();
          return { memory: HostConfig.Memory ?? 0, startedAt: State.StartedAt };
        }),
      );
      return found.reduce((sum, { memory }) => sum + memory, 0) === 1024 ** 3 && found;
    });
    expect(limits.map(({ startedAt }) => startedAt).sort()).to.deep.equal(
      before.map(({ startedAt }) => startedAt).sort(),
    );
  });

  it('day 112: after a long sleep one reminder stands for all', async () => {
    await travel(w, 112);
    await mailed('reminder', 4);
  });

  it('day 117: is suspended, pays, day 120: takes the money back and is suspended', async () => {
    await travel(w, 117);
    await inState('suspended');
    await mailed('suspended', 2);
    await travel(w, 118, async () => {
      const order = await sell(w.admin, partner, 'grande', line);
      refundable = await invoiceAndPay(w.admin, order.id);
      return [order.id];
    });
    await inState('running');
    await paidUntilDay(148);
    await mailed('reactivated', 2);
    await travel(w, 120, async () => {
      await creditNote(w.admin, refundable);
      return [0];
    });
    await inState('suspended');
    await paidUntilDay(114);
    await mailed('suspended', 3);
    const { log } = await until('the reason in the log', async () => {
      const row = await now();
      return /given back|taken back|cancelled/.test(row.log) && row;
    });
    expect(log).to.include('is suspended');
  });

  it('days 127, 134 and 140: is warned before its data goes', async () => {
    for (const [number, day] of [127, 134, 140].entries()) {
      await travel(w, day);
      await mailed('deletionWarning', number + 1);
    }
    expect((await now()).state).to.equal('suspended');
    expect(await containersOf(record)).to.have.length(2);
  });

  it('day 142: is deleted, with a final copy, and its name is free', async () => {
    // The time of a file does not travel: by the daemon's clock the copy is 142 days old.
    await travel(w, 142, undefined, { SAAS_EXPORT_DAYS: '365' });
    const gone = await inState('deleted');
    await mailed('deleted', 1);
    expect(await containersOf(record)).to.deep.equal([]);
    const label = `saas.instance=${record.name}`;
    const scope = `saas.scope=${DAEMON.scope}`;
    const { Volumes } = await docker.listVolumes({ filters: { label: [scope, label] } });
    expect(Volumes ?? []).to.deep.equal([]);
    expect(await docker.listNetworks({ filters: { label: [scope, label] } })).to.deep.equal([]);
    expect(existsSync(path.join(DAEMON.dataDir, 'instances', record.name))).to.equal(false);
    const copies = readdirSync(path.join(DAEMON.dataDir, 'exports'));
    expect(copies.filter((file) => file.startsWith(`${record.name}.`) && file.endsWith('.zip'))).to.have.length(1);
    expect(gone.http_port).to.equal(0);
    expect(logged(w.daemon(), 'instance.deleted', record.name)?.message).to.include('Nobody paid');
  });

  it('day 200: somebody who comes back gets a new one under the old name', async () => {
    const again = await createCustomer(w.admin, { name: 'Año Entero', email: 'otra-vez@example.com' });
    let order = 0;
    await travel(w, 200, async () => {
      const { id } = await sell(w.admin, again, 'treinta');
      await invoiceAndPay(w.admin, id);
      order = id;
      return [id];
    });
    const fresh = await running(w, order);
    expect(fresh.name).to.equal(record.name);
    expect(fresh.key).not.to.equal(record.key);
  });

  it('day 365: got every mail exactly once', async () => {
    await travel(w, 365);
    await until('the other one to be suspended', async () => logged(w.daemon(), 'instance.suspended'));
    const all = await mailsTo(w.master.mail_url, email);
    const ours = all.filter(({ subject }) => Object.values(SUBJECTS).some((pattern) => pattern.test(subject)));
    const counts = Object.fromEntries(
      Object.entries(SUBJECTS).map(([kind, pattern]) => [
        kind,
        ours.filter(({ subject }) => pattern.test(subject)).length,
      ]),
    );
    expect(counts).to.deep.equal({
      welcome: 1,
      renewed: 1,
      reminder: 4,
      suspended: 3,
      reactivated: 2,
      planChanged: 1,
      deletionWarning: 3,
      deleted: 1,
    });
    const texts = ours.map(({ subject, text }) => `${subject}\n${text}`);
    expect(new Set(texts).size).to.equal(texts.length);
  });
});
