/** Backups, as staff and a customer meet them: made, proven, and what brings the data back, when the host is lost too. */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { newVisitor } from '../../compose/demo/cast.js';
import { daemonEnv, runCommand } from '../../compose/demo/daemon.js';
import { removeInstances } from '../../compose/demo/fleet.js';
import { REPO_DIR } from '../../compose/demo/master.js';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { Shopper } from '../../compose/demo/shopper.js';
import { LABEL } from '../../src/instance/naming.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { readRestoring } from '../../src/store/restoring.js';
import { openStore } from '../../src/store/store.js';
import { inState, leaveMark, ownOdoo, running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf, docker } from '../support/engine.js';
import { createCustomer, sell } from '../support/shop.js';
import { answered, confirmDialog, managerOf, pressButton, todosOn } from '../support/staff.js';
import { DAEMON, logged, MASTER, until, type World, world } from '../support/world.js';

const EMAIL = 'copias@example.com';
/** Trials are made in it; so are nightly ones. */
const ALL_DAY = { SAAS_BACKUP_HOURS: '00:00-00:00' };
/** What is not on the host. */
const SAFE = path.join(MASTER.stateDir, 'elsewhere');
const SELF = path.join(SAFE, 'self');
/** The data folder of the next host. */
const NEXT = path.join(DAEMON.dataDir, 'next');

interface Customer {
  orderId: number;
  record: SaasRecord;
  odoo: OdooClient;
  markIs(again: OdooClient): Promise<string>;
}

describe('backups', function () {
  this.timeout(600_000);
  let w: World;
  let manager: OdooClient;
  let odoo: OdooClient;
  let orderId: number;
  let record: SaasRecord;
  let markIs: (again: OdooClient) => Promise<string>;
  let firstMade: string;
  let shopper: Shopper;
  let others: Customer[];

  async function customer(name: string, email: string, typedIn: string, partner?: number): Promise<Customer> {
    const { id } = await sell(w.admin, partner ?? (await createCustomer(w.admin, { name, email })), 'basico');
    const own = await running(w, id);
    const client = await ownOdoo(w, own, email);
    return { orderId: id, record: own, odoo: client, markIs: await leaveMark(client, typedIn) };
  }

  before(async () => {
    w = await world();
    manager = managerOf(w);
    shopper = new Shopper(w.master.master_url);
    await shopper.register({ ...newVisitor('Carla Copias'), email: EMAIL });
    const [partner] = (await w.admin.call('res.partner', 'search', [[['email', '=', EMAIL]]])) as number[];
    const [first, ...more] = await Promise.all([
      customer('Copias', EMAIL, 'Typed in by the customer', partner),
      ...['Brasa', 'Humo'].map((name) => customer(name, `${name.toLowerCase()}@example.com`, `Typed in at ${name}`)),
    ]);
    ({ orderId, record, odoo, markIs } = first as Customer);
    others = more;
    await settled(w);
  });
  after(async () => {
    for (const { odoo: client } of others ?? []) await client.close();
    await odoo?.close();
    await manager?.close();
    await rm(SAFE, { recursive: true, force: true });
  });

  const seen = async () => {
    const fields = [
      'backup_on',
      'backup_moments',
      'backup_mb',
      'backup_error',
      'backup_proven_on',
      'backup_proof_error',
    ];
    const [row] = (await manager.call('saas.instance', 'read', [[record.id], fields])) as [Record<string, unknown>];
    return row;
  };
  async function backUp(of = record): Promise<string> {
    await pressButton(manager, of, 'action_back_up');
    const { state, message } = await answered(manager, of, 'back_up');
    expect(state, String(message)).equal('done');
    expect(message).match(/^Se hizo una copia de \d+ MB/);
    return String((await seen()).backup_on);
  }
  async function restore(moment: string | false): Promise<void> {
    await confirmDialog(manager, record, 'action_restore', { moment, reason: 'Prueba' });
    const { state, message } = await answered(manager, record, 'restore');
    expect(state, String(message)).equal('done');
    record = await running(w, orderId);
  }
  const volumesOf = async () => {
    const filters = { label: [`${LABEL.scope}=${DAEMON.scope}`, `${LABEL.instance}=${record.name}`] };
    return ((await docker.listVolumes({ filters })).Volumes ?? []).map(({ Name }) => Name);
  };

  it('are made when staff press the button, and the record tells when, how large, and that it is proven', async () => {
    firstMade = await backUp();
    const made = await seen();
    expect(made.backup_mb).above(1);
    expect(Math.abs(Date.parse(`${made.backup_moments}Z`) - Date.parse(`${made.backup_on}Z`))).below(120_000);
    expect(made).include({ backup_error: false, backup_proven_on: false });
    await w.restart({ settings: ALL_DAY });
    await until('the proof', async () => (await seen()).backup_proven_on);
    expect((await seen()).backup_proof_error).equal(false);
    await w.restart();
  });

  it('bring back what a customer has typed in after all of their volumes were removed', async () => {
    for (const container of await containersOf(record)) await container.remove();
    const volumes = await volumesOf();
    expect(volumes).length(3);
    for (const name of volumes) await docker.getVolume(name).remove({ force: true });
    const { error_message } = await inState(w, orderId, 'error');
    expect(error_message).match(/not there/);
    await restore(false);
    expect(await markIs(odoo)).equal('Typed in by the customer');
  });

  it('bring back an older state when a manager wants it, and what was there when the customer does', async () => {
    const overwritten = 'Written after the backup';
    const [{ id }] = (await odoo.call('res.partner', 'search_read', [[['name', '=', 'Typed in by the customer']]], {
      fields: ['id'],
    })) as [{ id: number }];
    await odoo.call('res.partner', 'write', [[id], { name: overwritten }]);
    await restore(firstMade);
    expect(await markIs(odoo)).equal('Typed in by the customer');
    const page = `/my/instances/${record.id}`;
    const moments = (await shopper.see(`${page}/backups`)).querySelectorAll('a[href*="?moment="]');
    expect(moments).length(2);
    // The newest is the one that was made before it was replaced.
    await shopper.press(moments[0]?.getAttribute('href') ?? '', /\/restore$/);
    expect((await shopper.see(page)).text).match(/Estamos recuperando una copia|vuelve a tener los datos de una copia/);
    const { state, message } = await answered(manager, record, 'restore');
    expect(state, String(message)).equal('done');
    await running(w, orderId);
    expect(await markIs(odoo)).equal(overwritten);
  });

  it('that are not whole make a to-do for a manager', async () => {
    await pressButton(manager, record, 'action_back_up');
    await answered(manager, record, 'back_up');
    await spoil();
    const before = (await todosOn(w.admin, 'saas.instance', record.id)).length;
    await w.restart({
      settings: ALL_DAY,
      meanwhile() {
        const store = openStore(path.join(DAEMON.dataDir, 'bridge.sqlite'), { access: 'beside' });
        store.backups.update(record.key, { proofTriedAt: null });
        store.close();
      },
    });
    await until('the proof to fail', () => logged(w.daemon(), 'proof.failed'));
    const todos = await until('the to-do', async () => {
      const found = await todosOn(w.admin, 'saas.instance', record.id);
      return found.length > before && found;
    });
    expect(todos.at(-1)?.note).match(/modo de prueba/);
    expect((await seen()).backup_proof_error).match(/damaged|not whole/);
  });

  it('bring everybody back on a host that has nothing, and who was down stays down', async () => {
    const target = { SAAS_BACKUP_TARGET: path.join(SAFE, 'backups'), SAAS_BACKUP_CONCURRENCY: '3' };
    await mkdir(target.SAAS_BACKUP_TARGET, { recursive: true, mode: 0o700 });
    await w.restart({ settings: target });
    const [down, up] = others as [Customer, Customer];
    await Promise.all([record, down.record, up.record].map(backUp));
    await pressButton(manager, down.record, 'action_stop');
    await inState(w, down.orderId, 'stopped');
    await settled(w);
    const { code, output } = await w.run('backup-self', SELF);
    expect(code, output).equal(0);
    for (const file of await readdir(SELF)) expect((await stat(path.join(SELF, file))).mode & 0o077, file).equal(0);

    const settings = { ...DAEMON.settings, ...target, SAAS_DATA_DIR: NEXT };
    await w.restart({
      settings,
      async meanwhile() {
        await removeInstances(DAEMON.scope, DAEMON.dataDir);
        await rm(DAEMON.dataDir, { recursive: true });
        await mkdir(NEXT, { recursive: true, mode: 0o700 });
        await restoreAll(settings);
      },
    });
    // The record said running all the time.
    await until('what the first had', async () =>
      /^(Typed in by the cu|Written after the ba)/.test(await markIs(odoo)),
    );
    await until('what another had', async () => (await up.markIs(up.odoo)) === 'Typed in at Humo');
    expect((await running(w, up.orderId)).url).equal(up.record.url);
    await inState(w, down.orderId, 'stopped');
    await pressButton(manager, down.record, 'action_start');
    await running(w, down.orderId);
    expect(await down.markIs(down.odoo)).equal('Typed in at Brasa');
  });

  /** As the runbook says, and killed once. */
  async function restoreAll(settings: Record<string, string>): Promise<void> {
    const options = { ...DAEMON, settings };
    const run = (...args: string[]) => runCommand(w.master, options, args);
    expect((await run('restore', '--all')).code, 'without the key').equal(1);
    for (const file of ['secret.key', 'owner.id', 'bridge.sqlite']) {
      await copyFile(path.join(SELF, file), path.join(NEXT, file));
    }
    const env = { PATH: process.env.PATH, ...daemonEnv(w.master, options) };
    const main = path.join(REPO_DIR, 'dist/main.js');
    const killed = spawn(process.execPath, [main, 'restore', '--all'], { stdio: 'ignore', env });
    await until('it to have begun', () => Object.values(readRestoring(NEXT) ?? {}).includes('begun'));
    killed.kill('SIGKILL');
    expect((await run('run')).code, 'the daemon, while one is half there').equal(1);
    const startedAt = performance.now();
    const { code, output } = await run('restore', '--all', '--json');
    expect(code, output).equal(0);
    process.stderr.write(`      three in ${Math.round((performance.now() - startedAt) / 1000)} s\n`);
    const { instances } = JSON.parse(output) as { instances: { result: string }[] };
    expect(instances.map(({ result }) => result)).deep.equal(['restored', 'restored', 'restored']);
    // What it has not brought it does not touch.
    const again = JSON.parse((await run('restore', '--all', '--json')).output) as {
      instances: { result: string }[];
    };
    expect(again.instances.map(({ result }) => result)).deep.equal(['has data', 'has data', 'has data']);
  }

  /** Changes some bytes of each large file of the repository. */
  async function spoil(): Promise<void> {
    const container = await docker.createContainer({
      Image: 'saas-bridge/backup',
      Labels: { [LABEL.scope]: DAEMON.scope },
      Entrypoint: ['bash', '-c'],
      Cmd: [
        `for file in $(find /target -path '*/data/*' -type f -size +100k); do
           chmod u+w "$file"; printf XXXXXXXX | dd of="$file" bs=1 seek=50000 conv=notrunc status=none; done`,
      ],
      User: 'root',
      HostConfig: { Binds: [`${DAEMON.scope}_saas_backups:/target`] },
    });
    try {
      await container.start();
      expect((await container.wait()).StatusCode).equal(0);
    } finally {
      await container.remove({ force: true });
    }
  }
});
