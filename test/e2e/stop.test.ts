/** A stop of the daemon: short work is finished, long work is ended and taken up by the next one, in the time that it has. */
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { LABEL, resourceNames } from '../../src/instance/naming.js';
import { inState, running } from '../support/customer.js';
import { docker, remainsOf, runIn } from '../support/engine.js';
import { openDoor } from '../support/proxy.js';
import { createCustomer, sell } from '../support/shop.js';
import { confirmDialog, managerOf } from '../support/staff.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

describe('a stop', function () {
  this.timeout(600_000);
  let w: World;

  before(async () => {
    w = await world();
  });

  const tasksOf = async (name: string) =>
    docker.listContainers({
      filters: { label: [`${LABEL.scope}=${DAEMON.scope}`, `${LABEL.instance}=${name}`, `${LABEL.role}=job`] },
    });
  /** From the signal to the end. */
  const durationOf = (daemon: ReturnType<World['daemon']>): number => {
    const timeOf = (event: string) => Date.parse(String(logged(daemon, event)?.time));
    return timeOf('daemon.stopped') - timeOf('daemon.stopping');
  };

  it('ends a final copy at once; the next daemon writes it', async () => {
    const partner = await createCustomer(w.admin, { name: 'Copiosa', email: 'copiosa@example.com' });
    const order = await sell(w.admin, partner, 'basico');
    const record = await running(w, order.id);
    const { filestore } = resourceNames(DAEMON.scope, record.name);
    await runIn(
      filestore,
      'head -c 500000000 /dev/urandom >/volume/filestore/odoo/large && chmod a+r /volume/filestore/odoo/large',
    );
    const manager = managerOf(w);
    await confirmDialog(manager, record, 'action_delete', { confirm_name: record.name, reason: 'Baja' });
    await manager.close();
    const folder = path.join(DAEMON.dataDir, 'exports');
    const isBegun = () => existsSync(folder) && readdirSync(folder).some((file) => file.startsWith(`${record.name}.`));
    await until('the copy to be written', isBegun);
    const stopped = w.daemon();
    await w.restart({
      async meanwhile() {
        expect(await tasksOf(record.name)).to.deep.equal([]);
        expect(readdirSync(folder).filter((file) => file.startsWith(`${record.name}.`))).to.deep.equal([]);
      },
    });
    expect(durationOf(stopped)).to.be.lessThan(15_000);
    expect(logged(stopped, 'instance.delayed')).to.equal(undefined);
    await inState(w, order.id, 'deleted');
    expect(await remainsOf(record)).to.deep.equal([]);
    expect(
      readdirSync(folder).filter((file) => file.startsWith(`${record.name}.`) && file.endsWith('.zip')),
    ).to.have.length(1);
  });

  it('cuts off what would take longer than it may; the next daemon goes on', async () => {
    const socket = path.join(tmpdir(), `saas-bridge-stop-${process.pid}.sock`);
    const engine = await openDoor({ path: socket }, { path: '/var/run/docker.sock' });
    await w.restart({ settings: { SAAS_DOCKER_SOCKET: socket, SAAS_STOP_TIMEOUT: '10' } });
    const begun = engine.hold('/networks/create');
    const partner = await createCustomer(w.admin, { name: 'Cortada', email: 'cortada@example.com' });
    const order = await sell(w.admin, partner, 'basico');
    const goOn = await begun;
    const stopped = w.daemon();
    await w.restart();
    goOn();
    await engine.end();
    expect(durationOf(stopped)).to.be.within(6_000, 10_000);
    expect(logged(stopped, 'instance.delayed')).to.equal(undefined);
    await running(w, order.id);
  });
});
