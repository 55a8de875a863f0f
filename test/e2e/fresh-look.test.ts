/** Data goes for good: whoever has paid meanwhile keeps it, whatever the daemon knew when the deletion was due. */
import path from 'node:path';
import { expect } from 'chai';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { leaveMark, ownOdoo, running } from '../support/customer.js';
import { containersOf, remainsOf } from '../support/engine.js';
import { type Door, openDoor } from '../support/proxy.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { type Subject, subject } from '../support/subject.js';
import { dateForward, masterNow, travel } from '../support/time.js';
import { logged, until, type World, world } from '../support/world.js';

describe('a deletion that is due', function () {
  this.timeout(600_000);
  let w: World;
  let door: Door;
  let engine: Door;
  const socket = path.join('/tmp', `saas-bridge-look-${process.pid}.sock`);
  let settings: Record<string, string>;
  const email = 'tarde@example.com';
  let partner: number;
  let record: SaasRecord;
  let customer: Subject;
  let mark: Awaited<ReturnType<typeof leaveMark>>;

  before(async () => {
    w = await world();
    const port = Number(new URL(w.master.master_url).port);
    door = await openDoor({ host: '127.0.0.1', port: port + 3 }, { host: '127.0.0.1', port });
    engine = await openDoor({ path: socket }, { path: '/var/run/docker.sock' });
    settings = { SAAS_ODOO_URL: `http://127.0.0.1:${port + 3}`, SAAS_DELETION_WARNING_DAYS: 'none' };
    const month = { saas_period_count: 30, saas_period_unit: 'day', saas_retention_days: 5 };
    await createPlan(w.admin, 'breve', { ...month, name: 'Breve', list_price: 30 });
    partner = await createCustomer(w.admin, { name: 'Tarde Pero Paga', email });
    const order = await sell(w.admin, partner, 'breve');
    await invoiceAndPay(w.admin, order.id);
    record = await running(w, order.id);
    customer = subject(w, record, 30);
    const own = await ownOdoo(w, record, email);
    mark = await leaveMark(own, 'Casi borrado');
    await own.close();
  });

  after(async () => {
    await door.end();
    await engine.end();
  });

  const buy = async () => {
    const { id } = await sell(w.admin, partner, 'breve', { saas_instance_id: record.id });
    await invoiceAndPay(w.admin, id);
    return id;
  };
  const isSaved = async () => {
    await customer.inState('running');
    const own = await ownOdoo(w, record, email);
    expect(await mark(own)).to.equal('Casi borrado');
    await own.close();
    expect(logged(w.daemon(), 'instance.deleted', record.name)).to.equal(undefined);
  };

  it('waits while the master cannot be read, and is off when a payment shows that came meanwhile', async () => {
    door.close();
    await travel(w, 31, undefined, settings);
    await until('the suspension to wait', () => logged(w.daemon(), 'calendar.waits'));
    for (const container of await containersOf(record)) expect(container.State).to.equal('running');
    const ready = await fetch(`${w.daemon().url}/ready`);
    expect(await ready.text()).to.include('suspensions, warnings, reminders and deletions wait');
    expect(await (await fetch(`${w.daemon().url}/metrics`)).text()).to.match(/^saas_calendar_waits 1$/m);
    door.open();
    await customer.inState('suspended');
    expect(logged(w.daemon(), 'calendar.resumed')).not.to.equal(undefined);
    door.close();
    await travel(w, 45, undefined, settings);
    await until('the deletion to wait', () => logged(w.daemon(), 'calendar.waits'));
    expect((await remainsOf(record)).length).to.be.at.least(5);
    const since = await masterNow();
    await dateForward([await buy()], 45, since);
    door.open();
    await isSaved();
    await customer.paidFor(75);
  });

  it('is off when the payment came while the daemon was not running', async () => {
    await travel(w, 76, undefined, settings);
    await customer.inState('suspended');
    await travel(w, 90, async () => [await buy()], settings);
    await isSaved();
    await customer.paidFor(120);
  });

  it('is off when the payment comes while the final copy is written', async () => {
    await travel(w, 121, undefined, settings);
    await customer.inState('suspended');
    const copying = engine.hold('/containers/create');
    await travel(w, 135, undefined, { ...settings, SAAS_DOCKER_SOCKET: socket });
    const goOn = await copying;
    const since = await masterNow();
    await dateForward([await buy()], 135, since);
    goOn();
    await isSaved();
    await customer.paidFor(165);
    expect(logged(w.daemon(), 'instance.exported', record.name)).not.to.equal(undefined);
  });

  it('happens when nobody paid', async () => {
    await travel(w, 166, undefined, settings);
    await customer.inState('suspended');
    await travel(w, 180, undefined, settings);
    await customer.inState('deleted');
    expect(await remainsOf(record)).to.deep.equal([]);
  });
});
