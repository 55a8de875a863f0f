/** A free trial: once for each customer, for its days, and what becomes of it. */
import { expect } from 'chai';
import { newVisitor } from '../../compose/demo/cast.js';
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { Shopper } from '../../compose/demo/shopper.js';
import { leaveMark, mails, ownOdoo, WELCOME } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { plainInvoice } from '../support/shop.js';
import { refusalOf, todosOn, useOf } from '../support/staff.js';
import { type Subject, subject } from '../support/subject.js';
import { travel } from '../support/time.js';
import { until, type World, world } from '../support/world.js';

const DAY_MS = 86_400_000;

describe('a free trial', function () {
  this.timeout(300_000);
  let w: World;
  const visitor = newVisitor('Teo Tester', 'Teo Prueba');
  const idler = newVisitor('Olga Ociosa', 'Olga Nunca');
  let shopper: Shopper;
  let record: SaasRecord;
  let trial: Subject;
  let mark: Awaited<ReturnType<typeof leaveMark>>;

  before(async () => {
    w = await world();
    shopper = new Shopper(w.master.master_url);
  });

  const of = (email: string) => instances(w.admin, [['contact_id.email', '=', email]]);
  const runningOf = (email: string) =>
    until(
      `the instance of ${email}`,
      async () => {
        const [row] = await of(email);
        if (row?.state === 'error') throw new Error(String(row.error_message));
        return row?.state === 'running' && row;
      },
      120_000,
    );

  it('is had in the shop at the price 0 without a payment, and runs for its fourteen days', async () => {
    await shopper.register(visitor);
    await shopper.takeFree('Prueba', visitor);
    record = await runningOf(visitor.email);
    trial = subject(w, record, 14);
    expect((await useOf(w.admin, record)).plan_id[1]).to.match(/Prueba|Trial/);
    expect(record.subscription_state).to.equal('active');
    const days = (Date.parse(`${record.paid_until}Z`) - Date.now()) / DAY_MS;
    expect(days).to.be.within(13.9, 14.01);
    const own = await ownOdoo(w, record, visitor.email);
    mark = await leaveMark(own, 'Escrito durante la prueba');
    await own.close();
  });

  it('is not had twice: the cart of the shop refuses it and says why', async () => {
    const refusal = await refusalOf(shopper.putIntoCart('Prueba'));
    expect(refusal).to.include('ya ha tenido una prueba gratuita');
    expect(await of(visitor.email)).to.have.length(1);
  });

  it('is not had twice, by no other way either: the daemon makes nothing and the salesperson has a to-do', async () => {
    const [row] = (await w.admin.call('saas.instance', 'read', [[record.id], ['partner_id']])) as {
      partner_id: [number, string];
    }[];
    const invoice = await plainInvoice(w.admin, row?.partner_id[0] ?? 0, 'prueba');
    await w.admin.call('account.move', 'action_post', [[invoice]]);
    const todos = await until('the to-do', async () => {
      const found = await todosOn(w.admin, 'account.move', invoice);
      return found.length > 0 && found;
    });
    expect(todos).to.have.length(1);
    expect(todos[0]?.note).to.match(/prueba gratuita|free trial/);
    await settled(w);
    expect(await of(visitor.email)).to.have.length(1);
    expect((await trial.paidDays()).toFixed(2), 'no second fortnight').to.equal('14.00');
  });

  it('becomes the paid plan that its customer buys, with its data, and no second instance is made', async () => {
    const before = await containersOf(record);
    await shopper.buy('Básico', visitor);
    await until('the paid plan', async () => /Básico|Basic/.test((await useOf(w.admin, record)).plan_id[1]));
    await settled(w);
    const [now, ...more] = await of(visitor.email);
    expect(more).to.deep.equal([]);
    expect(now).to.deep.include({ key: record.key, name: record.name, http_port: record.http_port, state: 'running' });
    // A month from the purchase: the days of the trial were for nothing.
    const days = (Date.parse(`${now?.paid_until}Z`) - Date.now()) / DAY_MS;
    expect(days).to.be.within(27.9, 31.1);
    const ids = (list: typeof before) => list.map(({ id }) => id).sort();
    expect(ids(await containersOf(record))).to.deep.equal(ids(before));
    const own = await ownOdoo(w, record, visitor.email);
    expect(await mark(own)).to.equal('Escrito durante la prueba');
    await own.close();
    expect(await mails(w, visitor.email, WELCOME)).to.have.length(1);
    await until('the mail', async () => (await mails(w, visitor.email, /Su plan ha cambiado/))[0]);
  });

  it('is suspended when it ends, while the one that was bought runs on', async () => {
    const other = new Shopper(w.master.master_url);
    await other.register(idler);
    await other.takeFree('Prueba', idler);
    const { name } = await runningOf(idler.email);
    await travel(w, 13);
    expect((await of(idler.email))[0]?.state).to.equal('running');
    await travel(w, 16);
    const now = await until('the suspension', async () => {
      const [row] = await of(idler.email);
      return row?.state === 'suspended' && row;
    });
    expect(now.subscription_state).to.equal('expired');
    for (const { State } of await containersOf({ name })) expect(State).to.equal('exited');
    const mail = await until('the mail', async () => (await mails(w, idler.email, /en pausa/))[0]);
    expect(mail.text).to.include('prueba gratuita').and.not.to.include('access_token');
    expect((await trial.now()).state).to.equal('running');
  });

  it('that has ended is taken up again by a plan that its customer buys', async () => {
    await travel(w, 16, async () => {
      const other = new Shopper(w.master.master_url);
      await other.login(idler.email, idler.password);
      return [(await other.buy('Pro', idler)).orderId];
    });
    await runningOf(idler.email);
    expect(await of(idler.email)).to.have.length(1);
    await until('the mail', async () => (await mails(w, idler.email, /vuelve a estar activo/))[0]);
  });
});
