import path from 'node:path';
import { expect } from 'chai';
import { showPlan } from '../../../src/cli/plan.js';
import { showInstance, showStatus } from '../../../src/cli/status.js';
import type { Config } from '../../../src/config/config.js';
import { openStore, type Store } from '../../../src/store/store.js';
import { bought, PLAN } from '../reconcile/support.js';
import { newInstance, places, RELEASE } from '../store/support.js';
import { codeOf, out, testConfig } from './support.js';

describe('status', () => {
  let folder: ReturnType<typeof testConfig>;
  let config: Config;
  let store: Store;

  beforeEach(() => {
    folder = testConfig();
    config = folder.config;
    store = openStore(config.storePath);
  });
  afterEach(() => {
    store.close();
    folder.remove();
  });

  async function status(asJson = false): Promise<string> {
    const written = out();
    await showStatus(config, written, asJson);
    return written.text();
  }
  function acme() {
    store.plans.save([PLAN]);
    store.instances.create(
      { ...newInstance('sol:1'), phase: 'running', startedAt: new Date('2026-01-15T12:00:00Z') },
      () => 'acme',
    );
    store.placements.allocate('sol:1', places());
    const startsOn = new Date('2026-01-15T12:00:00Z');
    store.purchases.save([
      bought({ instanceKey: 'sol:1', startsOn, paidOn: startsOn, periodUnit: 'year', quantity: 90 }),
    ]);
  }

  it('has an answer before the first customer', async () => {
    expect(await status()).equal('No instances yet.\n');
    expect(JSON.parse(await status(true))).deep.equal({
      instances: [],
      outbox: { pending: 0, oldestAgeMs: 0, deadLetters: 0, refused: [] },
    });
  });

  it('shows a line for each instance while the daemon has the store open', async () => {
    acme();
    const [header, line, ...rest] = (await status()).trimEnd().split('\n');
    expect(header).match(/^NAME +STATE +SUBSCRIPTION +PLAN +PAID UNTIL \(Europe\/Madrid\) +ORDER +PORT +URL$/);
    expect(line).match(
      /^acme +running +active +basic +2116-01-15 13:00 +S00001 +20000 +http:\/\/acme\.localhost:20000$/,
    );
    expect(rest).empty;
    expect(JSON.parse(await status(true)).instances).deep.equal([
      {
        name: 'acme',
        state: 'running',
        subscription: 'active',
        plan: 'basic',
        paidUntil: '2116-01-15T12:00:00.000Z',
        customer: 'Acme',
        order: 'S00001',
        url: 'http://acme.localhost:20000',
        port: 20000,
        due: null,
        error: null,
      },
    ]);
  });

  it('says which upgrades are due, and which of them have to be asked for', async () => {
    acme();
    const release = { ...RELEASE, odooImage: 'odoo:19.0-20260101' };
    store.instances.update('sol:1', { release });
    expect(await status()).contain(
      'acme: an upgrade is due. It runs odoo:19.0-20260101 and postgres:17 and takes odoo:19.0 and postgres:17 at its next start.',
    );
    store.instances.update('sol:1', { release: { ...RELEASE, postgresImage: 'postgres:16' } });
    expect(JSON.parse(await status(true)).instances[0].due).equal(
      'PostgreSQL 16 to 17 is a major version: its data has to be upgraded first, so it keeps odoo:19.0 and postgres:16.',
    );
    store.instances.update('sol:1', { release: RELEASE, revision: 'of before' });
    expect(await status()).match(/acme: an upgrade is due\. Its containers were made by another version/);
    store.instances.update('sol:1', { release: null, revision: null });
    expect(await status()).not.contain('due');
  });

  it('takes the moved clock for its date', async () => {
    acme();
    config = { ...config, clockOffset: config.clockOffset.plus({ years: 95 }) };
    expect(JSON.parse(await status(true)).instances[0].subscription).equal('expired');
  });

  it('shows errors, writes that wait, and what a missing plan hides, without hiding the others', async () => {
    acme();
    store.instances.create({ ...newInstance('sol:2'), planId: 9 }, () => 'lost');
    store.instances.update('sol:1', { errorMessage: 'no image' });
    store.outbox.put({ op: 'log', key: 'l', instance_key: 'sol:1', lines: [] }, 'sol:1');
    store.outbox.put({ op: 'log', key: 'm', instance_key: 'sol:2', lines: [] }, 'sol:2');
    const [, second] = store.outbox.due(new Date(Date.now() + 1000), 2);
    if (second) store.outbox.refuse(second.id, 'no such instance');
    const lines = (await status()).trimEnd().split('\n');
    expect(lines).length(7).include('acme: no image');
    expect(lines).include('lost: lost is sold as product 9, which is no complete plan');
    expect(lines).include('1 writes wait for the master, 1 were refused: saas-bridge dead-letters');
    expect(lines).include('  refused m: no such instance');
  });

  it('says what is wrong when there is no store, no such instance, or no engine', async () => {
    acme();
    const written = out();
    expect(await codeOf(() => showInstance(config, 'nobody', written, false))).equal('instance.unknown');
    expect(await codeOf(() => showInstance(config, 'acme', written, false))).match(/^docker\./);
    expect(await codeOf(() => showPlan(config, null, written, false))).match(/^docker\./);
    const elsewhere = { ...config, storePath: path.join(folder.dir, 'none.sqlite') };
    expect(await codeOf(() => showStatus(elsewhere, written, false))).equal('store.missing');
    expect(written.text()).equal('');
  });
});
