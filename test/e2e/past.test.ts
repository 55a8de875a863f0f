/** A part that was put back to what it was: an older store, a master from a backup; and two daemons on one master. */
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startDaemon } from '../../compose/demo/daemon.js';
import { removeInstances } from '../../compose/demo/fleet.js';
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { createCustomer, sell } from '../support/shop.js';
import { managerOf, pressButton } from '../support/staff.js';
import { type Subject, subject } from '../support/subject.js';
import { sql } from '../support/time.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

/** What managers were told, by the inbox or by e-mail. */
async function alarms(): Promise<number> {
  const subjects = "'The SaaS daemon waits for an administrator', 'El servicio SaaS espera a un administrador'";
  return Number(await sql(`SELECT count(*) FROM mail_message WHERE subject IN (${subjects})`));
}

describe('the past', function () {
  this.timeout(600_000);
  let w: World;
  let record: SaasRecord;
  let acme: Subject;
  const store = path.join(DAEMON.dataDir, 'bridge.sqlite');

  before(async () => {
    w = await world();
    const partner = await createCustomer(w.admin, { name: 'Ayer y Hoy', email: 'ayer@example.com' });
    const order = await sell(w.admin, partner, 'basico');
    record = await running(w, order.id);
    acme = subject(w, record, 30);
    await settled(w);
  });

  it('of the store: an older one is set aside, and what staff decided since stays so', async () => {
    await w.restart({ meanwhile: () => copyFileSync(store, `${store}.copy`) });
    await pressButton(managerOf(w), record, 'action_stop');
    await acme.inState('stopped');
    await settled(w);
    await w.restart({
      meanwhile() {
        for (const ending of ['', '-wal', '-shm']) rmSync(store + ending, { force: true });
        copyFileSync(`${store}.copy`, store);
      },
    });
    await until('it to be set aside', () => logged(w.daemon(), 'store.set_aside'));
    await until('the record to be read', () => logged(w.daemon(), 'instance.adopted', record.name));
    await settled(w);
    expect(readdirSync(DAEMON.dataDir).filter((name) => /^bridge\.sqlite\.older-.*Z$/.test(name))).to.have.length(1);
    expect((await acme.now()).state).to.equal('stopped');
    for (const container of await containersOf(record)) expect(container.State).not.to.equal('running');
    const starts = w
      .daemon()
      .lines()
      .filter(({ event, step }) => event === 'step.done' && /^start/.test(String(step)));
    expect(starts, 'nothing is started by what the older one says').to.deep.equal([]);
    await pressButton(managerOf(w), record, 'action_start');
    await acme.inState('running');
  });

  it('two daemons on one master: the second one waits, and says who serves it', async () => {
    await w.restart();
    await settled(w);
    const other = { dataDir: `${DAEMON.dataDir}-2`, scope: `${DAEMON.scope}b` };
    // What an interrupted run has left.
    await removeInstances(other.scope, other.dataDir);
    const second = await startDaemon(w.master, {
      ...DAEMON,
      ...other,
      httpPort: DAEMON.httpPort + 3,
      portRange: DAEMON.portRange.replace(/\d+$/, (last) => String(Number(last) - 500)),
    });
    try {
      const refused = await until('the refusal', () => logged(second, 'poll.failed'));
      expect(refused).to.include({ code: 'master.leased' });
      expect(logged(second, 'master.refuses')?.message).to.match(/^another daemon \(on .+, last heard of at .+\)/);
      expect(await (await fetch(`${second.url}/ready`)).text()).to.include('another daemon');
      expect(logged(second, 'instance.adopted')).to.equal(undefined);
      expect((await acme.now()).state).to.equal('running');
    } finally {
      await second.stop();
      await removeInstances(other.scope, other.dataDir);
      rmSync(other.dataDir, { recursive: true, force: true });
    }
    expect(logged(w.daemon(), 'master.refuses')).to.equal(undefined);
    expect(await instances(w.admin, [['name', '=', record.name]])).to.have.length(1);
  });

  it('of the master: nobody is served anew or taken from until a command reconciles the two', async () => {
    await settled(w);
    const told = await alarms();
    await sql('UPDATE saas_bridge_generation SET number = number - 1');
    const failed = await until('the refusal', () => logged(w.daemon(), 'poll.failed'));
    expect(failed).to.include({ code: 'master.gone_back' });
    expect(await (await fetch(`${w.daemon().url}/ready`)).text()).to.include('has gone back in time');
    const partner = await createCustomer(w.admin, { name: 'Después', email: 'despues@example.com' });
    const order = await sell(w.admin, partner, 'basico');
    const failures = () =>
      w
        .daemon()
        .lines()
        .filter(({ event }) => event === 'poll.failed').length;
    const before = failures();
    await until('another poll', () => failures() > before);
    expect(await instances(w.admin, [['sale_order_id', '=', order.id]])).to.deep.equal([]);
    expect((await containersOf(record)).map(({ State }) => State)).to.deep.equal(['running', 'running']);
    expect(
      w
        .daemon()
        .lines()
        .filter(({ event }) => event === 'master.refuses'),
    ).to.have.length(1);

    expect((await alarms()) - told, 'one message for each language of the managers').to.be.within(1, 2);

    expect((await w.run('reconcile-master')).code, 'while the daemon runs').to.equal(1);
    await w.restart({
      async meanwhile() {
        const told = await w.run('reconcile-master');
        expect(told.code).to.equal(1);
        expect(told.output).to.match(/gone back in time.*Nothing was changed/s);
        const done = await w.run('reconcile-master', '--yes');
        expect([done.code, done.output]).to.satisfy(
          ([code, text]: [number, string]) => code === 0 && /Done/.test(text),
        );
        expect((await w.run('reconcile-master')).output).to.include('nothing to reconcile');
      },
    });
    await running(w, order.id);
    expect(logged(w.daemon(), 'master.refuses')).to.equal(undefined);
    expect((await acme.now()).state).to.equal('running');
  });
});
