/** An instance that nobody visits sleeps, where its plan says so, and is woken by whoever comes. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { passwordIn } from '../../compose/demo/master.js';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { leaveMark, ownOdoo, running, welcomeMail } from '../support/customer.js';
import { containersOf } from '../support/engine.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { travel } from '../support/time.js';
import { logged, until, type World, world } from '../support/world.js';

const HOUR = 1 / 24;

describe('an instance that nobody visits', function () {
  this.timeout(600_000);
  let w: World;
  let record: SaasRecord;
  let orderId: number;
  let mark: Awaited<ReturnType<typeof leaveMark>>;
  const email = 'siesta@example.com';

  before(async () => {
    w = await world();
    await createPlan(w.admin, 'siesta', { name: 'Siesta', list_price: 5, saas_sleep_hours: 2 });
    const partner = await createCustomer(w.admin, { name: 'La Siesta', email });
    ({ id: orderId } = await sell(w.admin, partner, 'siesta'));
    await invoiceAndPay(w.admin, orderId);
    record = await running(w, orderId);
    const own = await ownOdoo(w, record, email);
    mark = await leaveMark(own, 'Antes de la siesta');
    await own.close();
  });

  const address = (path: string) => `http://127.0.0.1:${record.http_port}${path}`;
  const runs = async () => (await containersOf(record)).filter(({ State }) => State === 'running').length;
  const isAsleep = async () => {
    const fields = ['state', 'asleep_since'];
    const [now] = (await w.admin.call('saas.instance', 'read', [[record.id], fields])) as [
      { state: string; asleep_since: string | false },
    ];
    return now.state === 'running' && typeof now.asleep_since === 'string' && (await runs()) === 0;
  };

  it('is left alone for the hours of its plan, and is down after them; its record still says running', async () => {
    await travel(w, HOUR);
    await sleep(3_000);
    expect(await runs()).to.equal(2);
    await travel(w, 3 * HOUR);
    await until('it to sleep', isAsleep);
    expect(logged(w.daemon(), 'instance.asleep', record.name)?.level).to.equal('info');
  });

  it('sleeps on while a forgotten tab asks for its connection', async () => {
    const answer = await fetch(address('/websocket?version=19.0-2'));
    expect(answer.status).to.equal(503);
    expect((await fetch(address('/web/health'))).status).to.equal(503);
    await sleep(2_000);
    expect(await isAsleep()).to.equal(true);
  });

  it('is woken by a visitor, who comes to the page that was asked for', async () => {
    const startedAt = performance.now();
    const answer = await fetch(address('/odoo/contacts?debug=1'), { redirect: 'manual' });
    process.stdout.write(`      woken in ${Math.round(performance.now() - startedAt)} ms\n`);
    expect(answer.status).to.equal(307);
    expect(answer.headers.get('location')).to.equal('/odoo/contacts?debug=1');
    const page = await fetch(address('/odoo/contacts?debug=1'));
    expect(page.status).to.equal(200);
    expect(page.url).to.contain('/web/login');
    await until('the record to say so', async () => !(await isAsleep()));
    expect(logged(w.daemon(), 'instance.awake', record.name)?.level).to.equal('info');
    const own = await ownOdoo(w, record, email);
    expect(await mark(own)).to.equal('Antes de la siesta');
    await own.close();
  });

  it('is woken by what a program posts, which arrives', async () => {
    await travel(w, 8 * HOUR);
    await until('it to sleep', isAsleep);
    const password = passwordIn(await welcomeMail(w, email));
    const answer = await fetch(address('/web/session/authenticate'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', method: 'call', params: { db: 'odoo', login: email, password } }),
    });
    expect(((await answer.json()) as { result: { uid: number } }).result.uid).to.be.greaterThan(1);
  });

  it('keeps awake who works in it', async () => {
    // Hours after it was woken, and half an hour after a page of it was asked for, by the clock of the daemon.
    const work = ['touch', '-d', '+11 hours +30 minutes', '/var/lib/odoo/.visited'];
    await promisify(execFile)('docker', ['exec', record.odoo_container, ...work], { timeout: 30_000 });
    await travel(w, 12 * HOUR);
    await sleep(3_000);
    expect(await runs()).to.equal(2);
    await travel(w, 14 * HOUR);
    await until('it to sleep', isAsleep);
  });
});
