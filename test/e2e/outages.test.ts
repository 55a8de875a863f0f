/** The master, the engine or the daemon's own memory is away for a while: nothing is lost and nothing is made twice. */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { instanceOf, instances } from '../../compose/demo/records.js';
import { mails, running, WELCOME, welcomeMail } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { quickest } from '../support/pace.js';
import { type Door, openDoor } from '../support/proxy.js';
import { createCustomer, sell } from '../support/shop.js';
import { DAEMON, logged, MASTER, until, type World, world } from '../support/world.js';

describe('outages', function () {
  this.timeout(300_000);
  let w: World;
  let master: Door;
  let engine: Door;
  const socket = path.join('/tmp', `saas-bridge-test-${process.pid}.sock`);
  const masterPort = MASTER.port + 1;

  before(async () => {
    w = await world();
    const port = Number(new URL(w.master.master_url).port);
    master = await openDoor({ host: '127.0.0.1', port: masterPort }, { host: '127.0.0.1', port });
    engine = await openDoor({ path: socket }, { path: '/var/run/docker.sock' });
    await w.restart({
      settings: {
        SAAS_ODOO_URL: `http://127.0.0.1:${masterPort}`,
        SAAS_DOCKER_SOCKET: socket,
        SAAS_POLL_INTERVAL: '1',
      },
    });
  });

  after(async () => {
    await master.end();
    await engine.end();
  });

  const ready = async () => {
    const response = await fetch(`${w.daemon().url}/ready`);
    return { status: response.status, text: await response.text() };
  };

  const polls = async () => {
    const metrics = await (await fetch(`${w.daemon().url}/metrics`)).text();
    return Number(/saas_polls_total\{result="done"\} (\d+)/.exec(metrics)?.[1] ?? 0);
  };

  it('costs one call a poll when nothing changed, however many instances there are', async () => {
    await until('the first polls', async () => (await polls()) > 2);
    const [callsBefore, pollsBefore] = [master.sent('POST /xmlrpc'), await polls()];
    await until('five more polls', async () => (await polls()) >= pollsBefore + 5);
    const calls = master.sent('POST /xmlrpc') - callsBefore;
    expect(calls / ((await polls()) - pollsBefore)).to.be.at.most(2);
  });

  it('of the master: the work on the engine goes on, and the record and the mail follow', async () => {
    const email = 'apagon@example.com';
    const partner = await createCustomer(w.admin, { name: 'Apagón S.L.', email });
    const begun = engine.hold('/networks/create');
    const order = await sell(w.admin, partner, 'basico');
    const goOn = await begun;
    master.close();
    goOn();
    await until('the instance to run', () => logged(w.daemon(), 'instance.provisioned', 'apagon-s-l'), 120_000);
    await until('a line about it', () => logged(w.daemon(), 'outbox.delayed'));
    expect((await instanceOf(w.admin, order.id))?.state).not.to.equal('running');
    const healthMs = await quickest(async () => {
      expect((await fetch(`${w.daemon().url}/health`)).status).to.equal(200);
    });
    expect(healthMs).to.be.lessThan(1000);
    master.open();
    const record = await running(w, order.id);
    await welcomeMail(w, email);
    await settled(w);
    expect(await mails(w, email, WELCOME)).to.have.length(1);
    expect(record.error_message).to.equal(false);
  });

  it('of the engine: instances stay as they are, the order waits, /ready says so', async () => {
    engine.close();
    await until('/ready to say so', async () => (await ready()).status === 503, 90_000);
    expect((await ready()).text).to.include('Docker engine does not answer');
    const partner = await createCustomer(w.admin, { name: 'Espera S.A.', email: 'espera@example.com' });
    const order = await sell(w.admin, partner, 'basico');
    const delayed = await until('the job to wait', () => logged(w.daemon(), 'instance.delayed', 'espera-s-a'));
    expect(delayed.advice).to.be.a('string');
    const [other] = await instances(w.admin, [['name', '=', 'apagon-s-l']]);
    expect(other?.state).to.equal('running');
    for (const container of await containersOf({ name: 'apagon-s-l' })) expect(container.State).to.equal('running');
    engine.open();
    await running(w, order.id);
    await until('/ready to say so', async () => (await ready()).status === 200);
  });

  it('of its memory: a lost database is made again from the records and the labels', async () => {
    const before = await instances(w.admin, [['state', '=', 'running']]);
    await w.restart({
      meanwhile() {
        for (const file of readdirSync(DAEMON.dataDir)) {
          if (file.startsWith('bridge.sqlite')) rmSync(path.join(DAEMON.dataDir, file));
        }
      },
    });
    await until('all of them to be known', () =>
      before.every(({ name }) => logged(w.daemon(), 'instance.adopted', name)),
    );
    await until('the queue to be empty', async () => {
      const metrics = await (await fetch(`${w.daemon().url}/metrics`)).text();
      return /saas_jobs_waiting 0\n/.test(metrics) && /saas_outbox_pending 0\n/.test(metrics);
    });
    const after = await instances(w.admin, [['state', '=', 'running']]);
    const ports = (rows: typeof before) => rows.map(({ name, http_port }) => `${name}:${http_port}`).sort();
    expect(ports(after)).to.deep.equal(ports(before));
    expect(await mails(w, 'apagon@example.com', WELCOME)).to.have.length(1);
    expect(logged(w.daemon(), 'instance.provisioned')).to.equal(undefined);
  });

  it('of nothing at all: a second daemon on the same folder is refused, and told by whom', async () => {
    const { code } = await w.run('run');
    expect(code).to.equal(1);
    expect((await fetch(`${w.daemon().url}/health`)).status).to.equal(200);
  });

  it('leave the command line at work: check, status, instance, plan', async () => {
    const check = await w.run('check', '--json');
    expect(JSON.parse(check.output)).to.deep.include({ ok: true });
    expect(check.code).to.equal(0);
    expect((await w.run('status')).output).to.match(/apagon-s-l\s+running\s+active\s+basico/);
    expect((await w.run('instance', 'apagon-s-l')).output).to.include('PostgreSQL');
    const plan = await w.run('plan', '--at', '2099-01-01', '--json');
    const { plans } = JSON.parse(plan.output) as {
      plans: { name: string; desired: { state: string }; steps: string[]; coming: { what: string }[] }[];
    };
    const acme = plans.find(({ name }) => name === 'apagon-s-l');
    expect(acme).to.deep.include({ steps: [] });
    expect(acme?.desired.state).to.equal('running');
    // Its order is trusted for three days and never paid.
    const warnings = ['deletion_warning', 'deletion_warning', 'deletion_warning'];
    expect(acme?.coming.map(({ what }) => what)).to.deep.equal(['suspended', ...warnings, 'deleted']);
  });
});
