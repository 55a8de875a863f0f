/** The doctor on the real parts: each thing that it can find is brought about, found, and mended where that is safe. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import type { Finding, Kind } from '../../src/doctor/kinds.js';
import { LABEL, resourceNames } from '../../src/instance/naming.js';
import { openStore, type Store } from '../../src/store/store.js';
import { running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf, docker } from '../support/engine.js';
import { createCustomer, invoiceAndPay, sell } from '../support/shop.js';
import { type Subject, subject } from '../support/subject.js';
import { sql } from '../support/time.js';
import { DAEMON, type World, world } from '../support/world.js';

interface Told {
  ok: boolean;
  running: boolean;
  findings: (Finding & { mended: boolean })[];
}

describe('the doctor', function () {
  this.timeout(600_000);
  let w: World;
  let record: SaasRecord;
  let acme: Subject;
  const exportsDir = path.join(DAEMON.dataDir, 'exports');
  const labels = (key: string, name: string, slot = '400') => ({
    ...{ [LABEL.scope]: DAEMON.scope, [LABEL.key]: key, [LABEL.instance]: name, [LABEL.slot]: slot },
  });

  before(async () => {
    w = await world();
    const partner = await createCustomer(w.admin, { name: 'Paciente', email: 'paciente@example.com' });
    const order = await sell(w.admin, partner, 'basico');
    await invoiceAndPay(w.admin, order.id);
    record = await running(w, order.id);
    acme = subject(w, record, 30);
    await settled(w);
  });

  async function doctor(...options: string[]): Promise<Told> {
    const { code, output } = await w.run('doctor', '--json', ...options);
    const told = JSON.parse(output) as Told;
    expect(code, output).to.equal(told.ok ? 0 : 1);
    return told;
  }
  const kindsOf = ({ findings }: Told) => [...new Set(findings.map(({ kind }) => kind))].sort();
  const mendedBy = ({ findings }: Told) => kindsOf({ findings: findings.filter(({ mended }) => mended) } as Told);
  function inStore(work: (store: Store) => void): void {
    const store = openStore(path.join(DAEMON.dataDir, 'bridge.sqlite'), { access: 'beside' });
    work(store);
    store.close();
  }

  it('finds nothing while all is well', async () => {
    expect(await doctor()).to.deep.equal({ ok: true, running: true, findings: [] });
    expect((await w.run('doctor')).output).to.match(
      /^A daemon works on .*\nMaster, engine, disk and store agree; 1 instances\.\n$/,
    );
  });

  it('finds what lies about on engine, disk and in the store, mends what takes nothing away, and leaves data alone', async () => {
    const names = resourceNames(DAEMON.scope, 'nadie');
    const data = `${DAEMON.scope}_odoo_cliente_extrana_pgdata`;
    const foreign = resourceNames(DAEMON.scope, record.name).network.replace(/_net$/, '_db');
    let task = '';
    await w.restart({
      async meanwhile() {
        await docker.createNetwork({ Name: names.network, Labels: labels('sol:99991', 'nadie') });
        inStore((store) => {
          const gone = store.instances.get(record.key);
          if (gone)
            store.instances.upsert({ ...gone, key: 'sol:99994', name: 'ida', phase: 'deleted', placement: null });
        });
        const left = resourceNames(DAEMON.scope, 'ida').network;
        await docker.createNetwork({ Name: left, Labels: labels('sol:99994', 'ida') });
        await docker.createVolume({ Name: data, Labels: labels('sol:99992', 'extrana') });
        await docker.createVolume({ Name: foreign });
        const container = await docker.createContainer({
          ...{ Image: 'postgres:17', Entrypoint: ['sleep', '600'], HostConfig: { NetworkMode: 'none' } },
          // At the place of its instance.
          Labels: { ...labels(record.key, record.name, '0'), [LABEL.role]: 'job' },
        });
        await container.start();
        task = container.id;
        mkdirSync(path.join(DAEMON.dataDir, 'instances', 'vieja'));
        mkdirSync(exportsDir, { recursive: true });
        writeFileSync(path.join(exportsDir, 'vieja.sol-5.zip'), 'a copy');
        writeFileSync(path.join(exportsDir, 'otra.sol-6.zip.until'), '2099-01-01T00:00:00.000Z\n');
        writeFileSync(path.join(exportsDir, 'media.sol-8.zip.part'), 'half');
        const odoo = (await containersOf(record)).find(({ role }) => role === 'odoo');
        await odoo?.stop();
        await sql(`UPDATE saas_instance SET state = 'suspended' WHERE id = ${record.id}`);
        inStore((store) => {
          store.jobs.forget(record.key);
          store.jobs.enqueue('sol:99993', { reason: 'nobody' });
          store.commands.add([
            { id: 999_999, instanceKey: record.key, command: 'retry', requestedBy: 'Ana', planId: null },
          ]);
          const summary = {
            op: 'summary',
            key: 'summary:x',
            message: { code: 'disk_low', params: { free_percent: 3 } },
          } as const;
          store.outbox.put(summary, 'x');
          const [entry] = store.outbox.due(new Date(Date.now() + 1_000), 1);
          store.outbox.refuse(entry?.id ?? 0, 'nobody to tell');
        });
        const expected: Kind[] = [
          ...([
            'command_waits',
            'copy_lost',
            'copy_undated',
            'copy_unfinished',
            'deleted_empty',
            'folder_left',
            'foreign',
          ] as const),
          ...(['job_for_nobody', 'left_task', 'letter', 'not_as_it_must_be', 'record_differs'] as const),
          ...(['stranger_data', 'stranger_empty'] as const),
        ];
        const seen = await doctor();
        expect(seen.running).to.equal(false);
        expect(kindsOf(seen)).to.deep.equal(expected);
        expect(mendedBy(seen)).to.deep.equal([]);

        const mended = await doctor('--fix');
        expect(mended.ok, 'some need a person').to.equal(false);
        expect(mendedBy(mended)).to.deep.equal([
          ...['command_waits', 'copy_undated', 'deleted_empty', 'folder_left', 'job_for_nobody', 'left_task'],
          ...['not_as_it_must_be', 'record_differs', 'stranger_empty'],
        ]);
        expect(kindsOf(await doctor())).to.deep.equal([
          'copy_lost',
          'copy_unfinished',
          'foreign',
          'letter',
          'stranger_data',
        ]);
        expect(await docker.getVolume(data).inspect()).to.have.property('Name', data);
        expect(readdirSync(exportsDir).sort()).to.deep.equal([
          'media.sol-8.zip.part',
          'otra.sol-6.zip.until',
          'vieja.sol-5.zip',
          'vieja.sol-5.zip.until',
        ]);
        await docker.getVolume(data).remove();
        await docker.getVolume(foreign).remove();
        rmSync(exportsDir, { recursive: true });
        await w.run('dead-letters', 'drop', mended.findings.find(({ kind }) => kind === 'letter')?.subject ?? '');
      },
    });
    await settled(w);
    expect((await docker.listContainers({ all: true })).map(({ Id }) => Id)).not.to.include(task);
    expect((await containersOf(record)).map(({ State }) => State)).to.deep.equal(['running', 'running']);
    await acme.inState('running');
    // The command was answered meanwhile, and the master knows none with its number.
    const [letter, ...more] = (await doctor()).findings;
    expect(more).to.deep.equal([]);
    expect(letter?.sentence).to.include('answer to command 999999');
    await w.run('dead-letters', 'drop', letter?.subject ?? '');
    expect(await doctor()).to.deep.equal({ ok: true, running: true, findings: [] });
  });

  it('finds what master and engine know and the store does not, and the other way round', async () => {
    const file = path.join(DAEMON.dataDir, 'bridge.sqlite');
    const marker = `${DAEMON.scope}_saas_bridge_owner`;
    const lost = labels('sol:99997', 'perdida', '301');
    const volume = `${DAEMON.scope}_odoo_cliente_ida_pgdata`;
    const network = resourceNames(DAEMON.scope, 'perdida').network;
    const partner = await createCustomer(w.admin, { name: 'Tardía', email: 'tardia@example.com' });
    const isOfBond = ({ kind }: Finding) => ['master_gone_back', 'master_other', 'store_behind'].includes(kind);
    let order = { id: 0, name: '' };
    await w.restart({
      async meanwhile() {
        order = await sell(w.admin, partner, 'basico');
        await invoiceAndPay(w.admin, order.id);
        await sql(`UPDATE saas_instance SET key = 'sol:99995' WHERE id = ${record.id}`);
        inStore((store) => {
          const stored = store.instances.get(record.key);
          if (!stored?.placement) throw new Error(`${record.key} has no place`);
          const another = { ...stored, placement: { ...stored.placement, slot: 300, httpPort: 1, longpollingPort: 2 } };
          store.instances.upsert({ ...another, key: 'sol:99997', name: 'perdida' });
          store.outbox.put(
            { op: 'summary', key: 'summary:old', message: { code: 'disk_low', params: { free_percent: 3 } } },
            'x',
          );
        });
        await docker.createVolume({ Name: volume, Labels: labels('sol:99994', 'ida') });
        await docker.createNetwork({ Name: network, Labels: lost });
        const { Labels: owner } = await docker.getVolume(marker).inspect();
        await docker.getVolume(marker).remove();
        const inside = new Database(file);
        inside.exec('UPDATE outbox SET created_at = created_at - 3600000');
        inside.exec(
          `UPDATE purchases SET instance_key = 'sol:99996' WHERE instance_key = (SELECT key FROM instances WHERE name = '${record.name}')`,
        );

        const seen = await doctor();
        expect(kindsOf(seen)).to.deep.equal([
          ...(['data_missing', 'deleted_data', 'marker_missing', 'not_as_it_must_be', 'place_differs'] as const),
          ...(['purchase_astray', 'purchase_unread', 'record_missing', 'record_unread', 'writes_wait'] as const),
        ]);
        await sql('INSERT INTO saas_bridge_generation (number) SELECT max(number) + 5 FROM saas_bridge_generation');
        expect((await doctor()).findings.filter(isOfBond).map(({ kind }) => kind)).to.deep.equal(['store_behind']);
        await sql('DELETE FROM saas_bridge_generation WHERE number = (SELECT max(number) FROM saas_bridge_generation)');
        await docker.createVolume({ Name: marker, Labels: { ...owner, 'saas.owner': 'another' } });
        expect((await doctor()).findings.map(({ kind }) => kind)).to.include('marker_other');
        inside.close();
        const removeStore = () => {
          const files = readdirSync(DAEMON.dataDir).filter((name) => name.startsWith('bridge.sqlite'));
          for (const name of files) rmSync(path.join(DAEMON.dataDir, name));
        };
        removeStore();
        writeFileSync(file, 'what a broken disk gives');
        expect((await doctor()).findings.map(({ kind }) => kind)).to.include('unread');
        // The daemon makes another one.
        removeStore();
        await sql(`UPDATE saas_instance SET key = '${record.key}' WHERE id = ${record.id}`);
        await docker.getVolume(marker).remove();
        await docker.createVolume({ Name: marker, Labels: owner });
        await docker.getVolume(volume).remove();
        await docker.getNetwork(network).remove();
      },
    });
    await running(w, order.id);
    await acme.inState('running');
    await settled(w);
    expect(await doctor()).to.deep.equal({ ok: true, running: true, findings: [] });
  });
});
