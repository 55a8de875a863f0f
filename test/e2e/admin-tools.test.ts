/** What an admin has for the days on which something went wrong: dead letters, and a store that is made anew. */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import type { Listed } from '../../src/cli/dead-letters.js';
import { openStore } from '../../src/store/store.js';
import { running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { createCustomer, sell } from '../support/shop.js';
import { todosOn } from '../support/staff.js';
import { sql } from '../support/time.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

describe('the tools of the admin', function () {
  this.timeout(600_000);
  let w: World;
  let record: SaasRecord;
  const storePath = path.join(DAEMON.dataDir, 'bridge.sqlite');

  before(async () => {
    w = await world();
    const partner = await createCustomer(w.admin, { name: 'Cartas Perdidas', email: 'cartas@example.com' });
    const order = await sell(w.admin, partner, 'basico');
    record = await running(w, order.id);
    await settled(w);
  });

  const letters = async () =>
    (JSON.parse((await w.run('dead-letters', '--json')).output) as { letters: Listed[] }).letters;
  /** A to-do for staff that the master refuses, as it does not find the record. */
  async function refusedTodo(kind: string): Promise<Listed> {
    await sql(`UPDATE saas_instance SET key = 'lost' WHERE id = ${record.id}`);
    try {
      const store = openStore(storePath, { access: 'beside' });
      const message = { code: 'copy_failing', params: { instance: record.name, reason: kind } } as const;
      store.outbox.put({ op: 'todo', key: `todo:${kind}`, instance_key: record.key, message }, record.key);
      store.close();
      return await until('it to be refused', async () => (await letters())[0]);
    } finally {
      await sql(`UPDATE saas_instance SET key = '${record.key}' WHERE id = ${record.id}`);
    }
  }

  it('show a write that the master refused, and send it once the cause is mended, beside the running daemon', async () => {
    expect(await letters()).to.deep.equal([]);
    const letter = await refusedTodo('first');
    expect(letter).to.deep.include({
      ...{ state: 'refused', what: 'to-do: copy_failing', instance: record.name },
      ...{ customer: 'Cartas Perdidas <cartas@example.com>' },
    });
    // The master speaks the language of its company.
    expect(letter.reason).to.include(record.key);
    const words = (await w.run('dead-letters')).output;
    expect(words).to.match(/to-do: copy_failing\n {4}Cartas Perdidas <cartas@example\.com>: .*sol:/);
    const retried = await w.run('dead-letters', 'retry', letter.id);
    expect(retried).to.deep.equal({
      code: 0,
      output: `${letter.id}: is tried at once, or when the daemon runs again.\n`,
    });
    const [todo] = await until('the to-do', async () => {
      const found = await todosOn(w.admin, 'saas.instance', record.id);
      return found.length > 0 && found;
    });
    expect(todo?.note).to.match(/first/);
    expect(await letters()).to.deep.equal([]);
  });

  it('drop one that nobody needs, and say when there is none', async () => {
    const letter = await refusedTodo('second');
    expect(await w.run('dead-letters', 'drop', letter.id)).to.deep.equal({
      code: 0,
      output: `${letter.id}: is gone.\n`,
    });
    expect((await w.run('dead-letters', 'drop', letter.id)).code).to.equal(1);
    expect((await w.run('dead-letters', 'retry')).code, 'neither an id nor --all').to.equal(2);
    expect((await w.run('dead-letters', 'drop')).code, 'no id').to.equal(2);
    expect((await w.run('dead-letters')).output).to.match(/^Nothing/);
  });

  it('make a damaged store anew, while the daemon is stopped: places, customers and what they have stay', async () => {
    expect((await w.run('rebuild-store')).code, 'while the daemon runs').to.equal(1);
    const before = (await containersOf(record)).map(({ id, startedAt }) => [id, startedAt]);
    await w.restart({
      async meanwhile() {
        writeFileSync(storePath, 'this is no database');
        expect((await w.run('status')).code).to.equal(1);
        const rebuilt = await w.run('rebuild-store', '--json');
        expect(rebuilt.code, rebuilt.output).to.equal(0);
        const told = JSON.parse(rebuilt.output);
        expect(told.instances).to.deep.equal([
          {
            ...{ name: record.name, key: record.key, state: 'running', port: record.http_port },
            engine: 'Odoo running, PostgreSQL running, data',
          },
        ]);
        expect(told).to.deep.include({ strangers: [], warnings: [] });
        expect(told.former.problem).to.match(/is damaged|is not a database/);
        expect(readdirSync(DAEMON.dataDir)).to.include(path.basename(told.kept));
        const words = (await w.run('rebuild-store')).output;
        expect(words).to.match(new RegExp(`${record.name} +running +${record.http_port} +Odoo running`));
      },
    });
    await settled(w);
    expect((await containersOf(record)).map(({ id, startedAt }) => [id, startedAt])).to.deep.equal(before);
    expect((await w.run('status')).output).to.match(new RegExp(`${record.name} +running +active`));
    expect(await letters()).to.deep.equal([]);
  });

  /** What managers were told, by the inbox or by e-mail. */
  const alarms = async () =>
    Number(
      await sql(`SELECT count(*) FROM mail_message WHERE subject IN
        ('The SaaS daemon waits for an administrator', 'El servicio SaaS espera a un administrador')`),
    );

  it('are not needed for a copy of the data folder on a cloned host: one of the two does nothing, and managers know', async () => {
    const before = await alarms();
    const [daemon] = (await sql('SELECT daemon FROM saas_bridge_heartbeat ORDER BY id DESC LIMIT 1')).split('\n');
    await sql(`INSERT INTO saas_bridge_heartbeat (heard_on, daemon, host, run)
      VALUES (now() at time zone 'utc', '${daemon}', 'clone', 'another process')`);
    const refused = await until('the refusal', () => logged(w.daemon(), 'poll.failed'));
    expect(refused).to.include({ code: 'master.copied', more: 'compose/RUNBOOK.md#two-daemons' });
    const { checks } = (await (await fetch(`${w.daemon().url}/ready`)).json()) as {
      checks: { master: { detail: string } };
    };
    expect(checks.master.detail).to.match(/a copy of this data folder serves the master .*\(on clone\)/);
    expect((await alarms()) - before).to.be.above(0);
    // The clone is stopped, and with it what the master knew of the two.
    await sql('UPDATE saas_bridge_heartbeat SET daemon = NULL');
    await until('the master to be read', () => logged(w.daemon(), 'poll.recovered'));
  });

  it('make no store anew that knows what a restored master has lost', async () => {
    await w.restart({
      async meanwhile() {
        await sql('DELETE FROM saas_bridge_generation');
        expect((await w.run('doctor', '--json')).output).to.include('master_gone_back');
        const refused = await w.run('rebuild-store');
        expect(refused.code).to.equal(1);
        expect((await w.run('reconcile-master', '--yes')).code).to.equal(0);
        expect((await w.run('rebuild-store')).code).to.equal(0);
      },
    });
    await settled(w);
    expect((await w.run('status')).output).to.match(new RegExp(`${record.name} +running +active`));
  });
});
