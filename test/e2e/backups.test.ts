/** Backups, as staff and a customer meet them: made, proven, and what brings the data back. */
import path from 'node:path';
import { expect } from 'chai';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { LABEL } from '../../src/instance/naming.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { openStore } from '../../src/store/store.js';
import { inState, leaveMark, ownOdoo, running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf, docker } from '../support/engine.js';
import { createCustomer, sell } from '../support/shop.js';
import { answered, confirmDialog, managerOf, pressButton, todosOn } from '../support/staff.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

const EMAIL = 'copias@example.com';
/** Trials are made in it; so are nightly ones. */
const ALL_DAY = { SAAS_BACKUP_HOURS: '00:00-00:00' };

describe('backups', function () {
  this.timeout(600_000);
  let w: World;
  let manager: OdooClient;
  let odoo: OdooClient;
  let orderId: number;
  let record: SaasRecord;
  let markIs: (again: OdooClient) => Promise<string>;
  let firstMade: string;

  before(async () => {
    w = await world();
    manager = managerOf(w);
    const partner = await createCustomer(w.admin, { name: 'Copias', email: EMAIL });
    orderId = (await sell(w.admin, partner, 'basico')).id;
    record = await running(w, orderId);
    odoo = await ownOdoo(w, record, EMAIL);
    markIs = await leaveMark(odoo, 'Typed in by the customer');
    await settled(w);
  });
  after(async () => {
    await odoo?.close();
    await manager?.close();
  });

  const seen = async () => {
    const fields = ['backup_on', 'backup_mb', 'backup_error', 'backup_proven_on', 'backup_proof_error'];
    const [row] = (await manager.call('saas.instance', 'read', [[record.id], fields])) as [Record<string, unknown>];
    return row;
  };
  async function backUp(): Promise<string> {
    await pressButton(manager, record, 'action_back_up');
    const { state, message } = await answered(manager, record, 'back_up');
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

  it('bring back an older state when a manager wants it, and keep the one that was there', async () => {
    const overwritten = 'Written after the backup';
    const [{ id }] = (await odoo.call('res.partner', 'search_read', [[['name', '=', 'Typed in by the customer']]], {
      fields: ['id'],
    })) as [{ id: number }];
    await odoo.call('res.partner', 'write', [[id], { name: overwritten }]);
    await restore(firstMade);
    expect(await markIs(odoo)).equal('Typed in by the customer');
    await restore(false);
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
