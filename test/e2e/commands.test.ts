/** What staff ask for by the buttons and dialogs of a record: done, answered and on the record. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { leaveMark, mails, ownOdoo, running } from '../support/customer.js';
import { containersOf, remainsOf } from '../support/engine.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { answered, commandsOf, confirmDialog, managerOf, pressButton, refusalOf, salesOf } from '../support/staff.js';
import { type Subject, subject } from '../support/subject.js';
import { travel } from '../support/time.js';
import { DAEMON, until, type World, world } from '../support/world.js';

describe('commands', function () {
  this.timeout(600_000);
  let w: World;
  let manager: OdooClient;
  let sales: OdooClient;
  const email = 'mandos@example.com';
  let record: SaasRecord;
  let customer: Subject;
  let mark: Awaited<ReturnType<typeof leaveMark>>;

  before(async () => {
    w = await world();
    manager = managerOf(w);
    sales = salesOf(w);
    const values = { name: 'Mandado', saas_period_count: 30, saas_period_unit: 'day', list_price: 30 };
    await createPlan(w.admin, 'mandado', values);
    const partner = await createCustomer(w.admin, { name: 'Mandos S.A.', email });
    const order = await sell(w.admin, partner, 'mandado');
    await invoiceAndPay(w.admin, order.id);
    record = await running(w, order.id);
    customer = subject(w, record, 30);
    const own = await ownOdoo(w, record, email);
    mark = await leaveMark(own, 'Antes de los mandos');
    await own.close();
  });

  after(async () => {
    await Promise.all([manager.close(), sales.close()]);
  });

  const press = (button: string) => pressButton(manager, record, button);
  const dataIsThere = async () => {
    const own = await ownOdoo(w, record, email);
    expect(await mark(own)).to.equal('Antes de los mandos');
    await own.close();
  };

  it('are refused to whoever has not the right, by the button, the dialog and behind them', async () => {
    const buttons = ['start', 'stop', 'restart', 'resume', 'rebuild', 'suspend', 'extend', 'change_plan', 'delete'];
    for (const button of buttons) {
      const refused = pressButton(sales, record, `action_${button}`);
      expect(await refusalOf(refused), button).to.include('Solo puede hacerlo un responsable de SaaS');
    }
    const context = { default_instance_id: record.id, default_command: 'delete' };
    const dialog = sales.call('saas.command.wizard', 'create', [{ confirm_name: record.name }], { context });
    expect(await refusalOf(dialog)).to.match(/saas.command.wizard|not allowed|permi/i);
    const row = sales.call('saas.command', 'create', [{ instance_id: record.id, command: 'delete' }]);
    expect(await refusalOf(row)).to.match(/saas.command|not allowed|permi/i);
    expect(await commandsOf(sales, record), 'sales may look').to.deep.equal([]);
  });

  it('suspend: only with a reason; the containers stop, the customer is told, and it stays down though paid', async () => {
    expect(await refusalOf(confirmDialog(manager, record, 'action_suspend', { reason: ' ' }))).to.match(
      /motivo|razón/i,
    );
    await confirmDialog(manager, record, 'action_suspend', { reason: 'Uso indebido' });
    const row = await answered(manager, record, 'suspend');
    expect(row).to.deep.include({ state: 'done', reason: 'Uso indebido', message: 'La instancia está suspendida.' });
    expect(row.requested_by[1]).to.equal('Marcos Gestor');
    expect(Date.parse(`${row.done_on}Z`)).to.be.at.least(Date.parse(`${row.requested_on}Z`));
    const now = await customer.inState('suspended');
    expect(now).to.deep.include({ hold: 'suspended', subscription_state: 'active' });
    for (const { State } of await containersOf(record)) expect(State).to.equal('exited');
    const mail = await until('the mail', async () => (await mails(w, email, /en pausa/))[0]);
    expect(mail.text).not.to.include('Uso indebido');
  });

  it('resume: it runs again, with its data and with all the time it had', async () => {
    await press('action_resume');
    expect(await answered(manager, record, 'resume')).to.deep.include({
      state: 'done',
      message: 'La instancia está en marcha.',
    });
    await customer.inState('running');
    await customer.paidFor(30);
    await dataIsThere();
    await until('the mail', async () => (await mails(w, email, /vuelve a estar activo/))[0]);
  });

  it('restart: the same containers, started anew', async () => {
    const before = await containersOf(record);
    await press('action_restart');
    expect((await answered(manager, record, 'restart')).state).to.equal('done');
    const after = await containersOf(record);
    expect(after.map(({ id }) => id).sort()).to.deep.equal(before.map(({ id }) => id).sort());
    const startOf = (list: typeof after) => list.find(({ role }) => role === 'odoo')?.startedAt ?? '';
    expect(startOf(after) > startOf(before)).to.equal(true);
    await dataIsThere();
  });

  it('rebuild: other containers on the same volumes, and nobody is alarmed', async () => {
    const before = (await containersOf(record)).map(({ id }) => id);
    await press('action_rebuild');
    const { state, message } = await answered(manager, record, 'rebuild');
    expect({ state, message }).to.deep.equal({
      state: 'done',
      message: 'Se ha reconstruido a partir de sus propios datos.',
    });
    const after = await containersOf(record);
    expect(after.map(({ State }) => State)).to.deep.equal(['running', 'running']);
    for (const { id } of after) expect(before).not.to.include(id);
    await dataIsThere();
    expect(await mails(w, email, /vuelve a funcionar/)).to.deep.equal([]);
  });

  it('extend: by so many days, for a reason, and only by days that make sense', async () => {
    for (const answers of [{ days: 10 }, { days: 0, reason: 'Cero' }, { days: -3, reason: 'Menos' }]) {
      await refusalOf(confirmDialog(manager, record, 'action_extend', answers));
    }
    await confirmDialog(manager, record, 'action_extend', { days: 10, reason: 'Compensación por la avería' });
    const row = await answered(manager, record, 'extend');
    expect(row).to.deep.include({ state: 'done', reason: 'Compensación por la avería', details: '10 días' });
    await customer.paidFor(40);
    expect(await mails(w, email, /Gracias por renovar/), 'a gift is no renewal').to.deep.equal([]);
  });

  describe('for one that nobody paid', () => {
    let unpaid: SaasRecord;
    let debtor: Subject;

    before(async () => {
      const partner = await createCustomer(w.admin, { name: 'Impagada', email: 'impagada@example.com' });
      unpaid = await running(w, (await sell(w.admin, partner, 'mandado')).id);
      debtor = subject(w, unpaid, 30);
      await travel(w, 5);
      await debtor.inState('suspended');
    });

    it('start and resume are refused, with the reason', async () => {
      for (const command of ['start', 'resume']) {
        await pressButton(manager, unpaid, `action_${command}`);
        const { state, message } = await answered(manager, unpaid, command);
        expect(state).to.equal('refused');
        expect(message).to.equal(
          'No está en marcha: no se ha pagado nada por ella. Registre el pago o amplíe el plazo.',
        );
      }
      expect((await debtor.now()).state).to.equal('suspended');
    });

    it('extend wakes it up', async () => {
      await confirmDialog(manager, unpaid, 'action_extend', { days: 12, reason: 'Pagará a fin de mes' });
      const { state, message } = await answered(manager, unpaid, 'extend');
      expect({ state, message }).to.deep.equal({ state: 'done', message: 'Se ha ampliado el plazo.' });
      const now = await debtor.inState('running');
      expect((Date.parse(`${now.paid_until}Z`) - Date.now()) / 86_400_000).to.be.within(11.9, 17.1);
      for (const { State } of await containersOf(unpaid)) expect(State).to.equal('running');
    });
  });

  it('delete: not by another name; then all is gone but a final copy, and the name is free', async () => {
    await customer.inState('running');
    for (const confirm_name of ['', 'mandos', `${record.name}x`]) {
      const refused = confirmDialog(manager, record, 'action_delete', { confirm_name, reason: 'Baja' });
      expect(await refusalOf(refused)).to.include(record.name);
    }
    expect((await commandsOf(manager, record)).some(({ command }) => command === 'delete')).to.equal(false);

    await confirmDialog(manager, record, 'action_delete', { confirm_name: record.name, reason: 'Baja voluntaria' });
    const row = await answered(manager, record, 'delete');
    expect(row).to.deep.include({ state: 'done', reason: 'Baja voluntaria', message: 'La instancia está eliminada.' });
    const gone = await customer.inState('deleted');
    expect(gone).to.deep.include({ http_port: 0, url: false });
    expect(gone.log).to.include('deleted');
    expect(await remainsOf(record)).to.deep.equal([]);
    expect(existsSync(path.join(DAEMON.dataDir, 'instances', record.name))).to.equal(false);
    const folder = path.join(DAEMON.dataDir, 'exports');
    const [copy, ...more] = readdirSync(folder).filter(
      (file) => file.startsWith(`${record.name}.`) && !file.endsWith('.until'),
    );
    expect(more).to.deep.equal([]);
    const file = path.join(folder, copy ?? '');
    expect(statSync(file).mode & 0o077).to.equal(0);
    const bytes = readFileSync(file);
    expect(bytes.subarray(0, 4).toString('latin1')).to.equal('PK\x03\x04');
    expect(bytes.includes('dump.sql')).to.equal(true);
    await until('the mail', async () => (await mails(w, email, /Hemos eliminado su Odoo/))[0]);
    await refusalOf(pressButton(manager, record, 'action_resume'));

    const partner = await createCustomer(w.admin, { name: 'Mandos S.A.', email: 'otros-mandos@example.com' });
    const next = await running(w, (await sell(w.admin, partner, 'mandado')).id);
    expect(next.name).to.equal(record.name);
    expect(next.key).not.to.equal(record.key);
  });

  it('are rows on the record: what, who, when and how they ended', async () => {
    const rows = await commandsOf(sales, record);
    const told = rows.map(({ command, state }) => `${command} ${state}`);
    const all = ['suspend', 'resume', 'restart', 'rebuild', 'extend', 'delete'];
    expect(told).to.deep.equal(all.map((command) => `${command} done`));
    for (const { message, requested_by, done_on } of rows) {
      expect(message).to.match(/\w/);
      expect(requested_by[1]).to.equal('Marcos Gestor');
      expect(done_on).to.match(/^\d{4}-/);
    }
  });
});
