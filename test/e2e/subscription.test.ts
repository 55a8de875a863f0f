/** Paid time runs out, is paid again; staff step in. */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { instanceOf, instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { inState, mails, ownOdoo, running, visit, WELCOME } from '../support/customer.js';
import { moreLooks, settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { type Door, openDoor } from '../support/proxy.js';
import { createCustomer, invoiceAndPay, sell } from '../support/shop.js';
import { confirmDialog } from '../support/staff.js';
import { logged, until, type World, world } from '../support/world.js';

describe('the subscription', function () {
  this.timeout(300_000);
  let w: World;
  const email = 'ana@example.com';
  let partner: number;
  let order: { id: number; name: string };
  let record: SaasRecord;
  let contact: number;
  let engine: Door;
  const socket = path.join(tmpdir(), `saas-bridge-subscription-${process.pid}.sock`);

  before(async () => {
    w = await world();
    engine = await openDoor({ path: socket }, { path: '/var/run/docker.sock' });
    partner = await createCustomer(w.admin, { name: 'Taller Ana', email });
    order = await sell(w.admin, partner, 'basico');
    await invoiceAndPay(w.admin, order.id);
    record = await running(w, order.id);
    const odoo = await ownOdoo(w, record, email);
    contact = (await odoo.call('res.partner', 'create', [{ name: 'Cliente que escribió Ana' }])) as number;
    await odoo.close();
  });

  after(async () => {
    await engine.end();
  });

  it('is extended by the same plan bought again, and no second instance is made', async () => {
    const renewal = await sell(w.admin, partner, 'basico');
    await invoiceAndPay(w.admin, renewal.id);
    const extended = await until('the new date', async () => {
      const now = await instanceOf(w.admin, order.id);
      return now && now.paid_until > record.paid_until && now;
    });
    const months = Date.parse(extended.paid_until) - Date.parse(record.paid_until);
    expect(months / 86_400_000).to.be.within(27.9, 31.1);
    expect(await instances(w.admin, [['partner_id', '=', partner]])).to.have.length(1);
    const [line] = (await w.admin.call('sale.order.line', 'search_read', [[['order_id', '=', renewal.id]]], {
      fields: ['saas_instance_id'],
    })) as { saas_instance_id: [number, string] }[];
    expect(line?.saas_instance_id[1]).to.equal(record.name);
  });

  it('suspends when the paid time has passed: containers stop, the record and the customer know', async () => {
    await w.restart({ settings: { SAAS_CLOCK_OFFSET: 'P70D' } });
    const suspended = await inState(w, order.id, 'suspended');
    expect(suspended.subscription_state).to.equal('expired');
    expect(suspended.suspended_on).to.be.a('string');
    for (const container of await containersOf(record)) expect(container.State, container.name).to.equal('exited');
    await until('the mail about it', async () => (await mails(w, email, /en pausa/))[0]);
    expect(logged(w.daemon(), 'instance.suspended', record.name)?.message).to.include('data is kept');
  });

  it('has a page in its place meanwhile, which leads its owner to the payment, and outlives the daemon', async () => {
    const suspended = async () => {
      const seen = await visit(record);
      expect(seen?.status).to.equal(503);
      expect(seen?.page.querySelector('h1')?.text).to.equal('Servicio suspendido');
      expect(seen?.page.querySelector('header')?.text).to.equal(record.name);
      return seen?.page;
    };
    const page = await until('the page', suspended);
    expect((await visit(record, '/', 'en'))?.page.querySelector('h1')?.text).to.equal('Service suspended');
    const link = page.querySelector('main a')?.getAttribute('href');
    expect(link).to.equal(`${w.master.master_url}/my/instances/named/${record.name}`);
    const login = new URL((await fetch(String(link))).url);
    expect(login.pathname).to.match(/\/web\/login$/);
    expect(login.searchParams.get('redirect')).to.include(`/my/instances/named/${record.name}`);

    await w.restart({
      signal: 'SIGKILL',
      settings: { SAAS_CLOCK_OFFSET: 'P70D', SAAS_MONITOR_INTERVAL: '1', SAAS_DOCKER_SOCKET: socket },
      async meanwhile() {
        expect(await visit(record)).to.equal(null);
      },
    });
    // Before the daemon has asked anybody anything.
    await suspended();
    const check = JSON.parse((await w.run('check', '--json')).output);
    expect(check).to.deep.include({ ok: true });
    const { instances: known } = JSON.parse((await w.run('status', '--json')).output) as {
      instances: { name: string }[];
    };
    const shown = known.find(({ name }) => name === record.name);
    expect(shown).to.deep.include({ state: 'suspended', port: record.http_port, error: null });
    await settled(w);
    await moreLooks(engine, 3);
    const events = w.daemon().lines();
    expect(events.filter(({ event }) => /found_running|found_stopped|page.not_shown/.test(event))).to.deep.equal([]);
    expect((await fetch(`${w.daemon().url}/ready`)).status).to.equal(200);
    await suspended();
  });

  it('runs again when it is paid: the same data, the same password, no second welcome', async () => {
    const late = await sell(w.admin, partner, 'basico', { product_uom_qty: 3 });
    await invoiceAndPay(w.admin, late.id);
    const resumed = await inState(w, order.id, 'running');
    expect(resumed.http_port).to.equal(record.http_port);
    const seen = await visit(resumed);
    expect(seen?.status).to.equal(200);
    expect(seen?.page.querySelector('input[name=password]')).not.to.equal(null);
    expect(resumed.suspended_on).to.equal(false);
    const odoo = await ownOdoo(w, resumed, email);
    const [row] = (await odoo.call('res.partner', 'read', [[contact], ['name']])) as { name: string }[];
    await odoo.close();
    expect(row?.name).to.equal('Cliente que escribió Ana');
    await until('the mail about it', async () => (await mails(w, email, /vuelve a estar activo/))[0]);
    expect(await mails(w, email, WELCOME)).to.have.length(1);
    const steps = w
      .daemon()
      .lines()
      .filter((line) => line.event === 'step.done' && line.instance === record.name);
    expect(steps.map((line) => line.step)).to.include.members(['startDb', 'startOdoo', 'awaitReady']);
    expect(steps.findIndex((line) => line.step === 'startDb')).to.be.lessThan(
      steps.findIndex((line) => line.step === 'startOdoo'),
    );
  });

  it('stops, starts and restarts when staff press the button', async () => {
    const press = async (action: string) => {
      const [row] = await instances(w.admin, [['key', '=', record.key]]);
      await w.admin.call('saas.instance', action, [[row?.id]]);
    };
    await press('action_stop');
    await inState(w, order.id, 'stopped');
    for (const container of await containersOf(record)) expect(container.State, container.name).to.equal('exited');
    const paused = await until('the page', () => visit(record));
    expect([paused.status, paused.page.querySelector('h1')?.text]).to.deep.equal([503, 'Servicio en pausa']);
    await press('action_start');
    await inState(w, order.id, 'running');
    expect((await visit(record))?.status).to.equal(200);
    const before = (await containersOf(record)).find(({ role }) => role === 'odoo');
    await press('action_restart');
    await until('another start of Odoo', async () => {
      const odoo = (await containersOf(record)).find(({ role }) => role === 'odoo');
      return odoo && odoo.startedAt > (before?.startedAt ?? '');
    });
    const commands = await until('all commands to be done', async () => {
      const rows = (await w.admin.call('saas.command', 'search_read', [[['instance_id.key', '=', record.key]]], {
        fields: ['command', 'state', 'message'],
        order: 'id',
      })) as { command: string; state: string }[];
      return rows.every(({ state }) => state === 'done') && rows;
    });
    expect(commands.map(({ command }) => command)).to.deep.equal(['stop', 'start', 'restart']);
  });

  it('starts containers again that somebody stopped behind its back', async () => {
    const odoo = (await containersOf(record)).find(({ role }) => role === 'odoo');
    await odoo?.stop();
    await until(
      'Odoo to run again',
      async () => (await containersOf(record)).every(({ State }) => State === 'running'),
      90_000,
    );
    expect(logged(w.daemon(), 'instance.found_stopped', record.name)?.level).to.equal('warn');
  });

  it('leaves no page behind when it is deleted', async () => {
    const [row] = await instances(w.admin, [['key', '=', record.key]]);
    if (!row) throw new Error('the record is gone');
    await w.admin.call('saas.instance', 'action_stop', [[row.id]]);
    await inState(w, order.id, 'stopped');
    expect((await until('the page', () => visit(record))).status).to.equal(503);
    await confirmDialog(w.admin, row, 'action_delete', { confirm_name: record.name, reason: 'Baja' });
    await inState(w, order.id, 'deleted');
    expect(await visit(record)).to.equal(null);
  });
});
