/** Holes that others who host for customers have had, one by one: each is a way in that must not be one here. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { Engine } from '../../../src/docker/engine/engine.js';
import { assertOurs } from '../../../src/docker/engine/ours.js';
import { compile } from '../../../src/docker/files.js';
import { folderOf, removeFolder, writeFolder } from '../../../src/docker/instance/folder.js';
import { awaitLoginPage } from '../../../src/docker/instance/ready.js';
import { buildTemplate } from '../../../src/docker/template/build.js';
import { createPausedApp } from '../../../src/front/app.js';
import { isValidName, LABEL, resourceNames, suggestName } from '../../../src/instance/naming.js';
import { createIngest } from '../../../src/intake/ingest.js';
import { copiesIn } from '../../../src/keepers/exports.js';
import { Secret } from '../../../src/lib/secret.js';
import { createOdooClient } from '../../../src/odoo/client.js';
import { renderNotice } from '../../../src/odoo/mail.js';
import { readRows } from '../../../src/odoo/rows.js';
import { PROTOCOL } from '../../../src/protocol/poll.js';
import { INSTANCE, PLAN, PURCHASE } from '../../fuzz/targets/samples.js';
import { noticeValues } from '../../support/notices.js';
import { batch, bought, CUSTOMER, keptLog, POLICY, SELLER, PLAN as STORED_PLAN } from '../reconcile/support.js';
import { testStore } from '../store/support.js';

const PATHS = ['../x', '..', '/etc/cron.d/x', 'a/../../b', 'a\0b', '.', '', '-rf', 'a b', '~root'];

const rowsOf = (rows: object) =>
  readRows({ protocol: PROTOCOL, plans: [], purchases: [], instances: [], commands: [], ...rows });

async function served(listener: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

describe('holes of peers', () => {
  const servers: Server[] = [];
  const serve = async (listener: RequestListener) => {
    const { port, server } = await served(listener);
    servers.push(server);
    return port;
  };
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  it('the name of an application is no word of a shell', async () => {
    for (const module of ['crm; id', '$(id)', '`id`', 'crm,--load=x', '--init', 'crm sale']) {
      const plan = { ...PLAN, modules: module };
      const taken = rowsOf({ plans: [plan] }).plans[0]?.modules ?? [];
      for (const word of taken) expect(word).match(/^[a-z0-9_]{1,64}$/);
      // And if it came another way: nothing is made at all.
      const engine = new Proxy({} as Engine, {
        get: () => {
          throw new Error('the engine was asked');
        },
      });
      const release = { odooImage: 'odoo:19.0', postgresImage: 'postgres:17', addons: [] };
      const template = { id: 't', pgdataVolume: 'a', filestoreVolume: 'b' };
      const build = { engine, files: {} as never, base: 'b', labels: {}, template, progress: () => undefined };
      const failure = await buildTemplate({ ...build, spec: { release, modules: [module], languages: [] } }).catch(
        (error) => error.code,
      );
      expect(failure, module).equal('template.spec');
    }
  });

  it('the name of a volume is no path', () => {
    for (const name of PATHS) {
      expect(() => resourceNames('default', name), name).to.throw(RangeError);
      expect(() => resourceNames(name, 'acme'), name).to.throw(RangeError);
    }
  });

  it('the name of an instance is no path of its folder, to write or to remove', async () => {
    const root = mkdtempSync(path.join(tmpdir(), 'saas-peers-'));
    try {
      for (const name of PATHS) {
        expect(() => folderOf(root, name), name).to.throw(RangeError);
        for (const work of [writeFolder(root, name, { compose: 'x', conf: 'x' }), removeFolder(root, name)]) {
          expect(await work.catch((error) => error.constructor.name), name).equal('RangeError');
        }
      }
      expect(readdirSync(root)).empty;
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it('the name of a final copy is no path, by name or by key', () => {
    const copies = copiesIn({ dir: '/exports', keptDays: 1 });
    expect(copies.fileOf({ key: 'rec:3.1768478400', name: 'acme' }, 'zip')).equal('/exports/acme.rec-3.1768478400.zip');
    for (const bad of PATHS) {
      expect(() => copies.fileOf({ key: 'sol:7', name: bad }, 'zip'), bad).to.throw(RangeError);
      expect(() => copies.fileOf({ key: `rec:3/${bad}/../../x`, name: 'acme' }, 'zip'), bad).to.throw(RangeError);
    }
    const { instances, rejected } = rowsOf({ instances: [{ ...INSTANCE, key: 'rec:3/../../../etc/cron.d/x' }] });
    expect(instances).empty;
    expect(rejected[0]?.problem).contain('no key of an instance');
  });

  it('a template does not run what is written into it', () => {
    const hostile = '{{lookup this "secret"}}{{constructor}}{{#with this}}{{/with}}';
    expect(parse(compile('a: {{json value}}')({ value: hostile, secret: 'shown' }))).deep.equal({ a: hostile });
    const { html, text, subject } = renderNotice('plan_changed', 'es_ES', { ...noticeValues, planName: hostile });
    expect(text).contain(hostile).and.not.contain('Kx7');
    expect(html + subject).not.contain('Kx7');
  });

  it('the host that a visitor writes leads nobody anywhere', async () => {
    const ownerUrl = 'https://shop.example.com/my';
    const app = createPausedApp(() => ({ name: 'acme', port: 1, phase: 'suspended', lang: 'es_ES', ownerUrl }));
    const port = await serve(app);
    const forwarded = { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', Accept: 'text/html' };
    for (const target of ['/', '//evil.example/x', '/%0d%0aLocation:%20https://evil.example']) {
      const reply = await fetch(`http://127.0.0.1:${port}${target}`, { headers: forwarded, redirect: 'manual' });
      expect(reply.status).equal(503);
      expect((await reply.text()) + JSON.stringify([...reply.headers])).not.contain('evil.example');
    }
  });

  it("the number or the name of another's object opens nothing", () => {
    const wanted = { [LABEL.scope]: 'default', [LABEL.instance]: 'acme', [LABEL.key]: 'sol:1' };
    expect(() => assertOurs('volume acme', wanted, wanted)).not.to.throw();
    for (const found of [
      { ...wanted, [LABEL.key]: 'sol:2' },
      { ...wanted, [LABEL.scope]: 'other' },
      { [LABEL.instance]: 'acme' },
      JSON.parse('{"__proto__": {"saas.key": "sol:1"}}'),
      undefined,
    ]) {
      expect(() => assertOurs('volume acme', found, wanted)).to.throw('belongs to');
    }
  });

  it('no instance and no master sends the daemon elsewhere', async () => {
    let asked = 0;
    const inside = await serve((_request, response) => {
      asked++;
      response.end('metadata');
    });
    const redirects = await serve((_request, response) => {
      response.writeHead(302, { Location: `http://127.0.0.1:${inside}/latest/meta-data/` }).end();
    });
    const page = await awaitLoginPage('127.0.0.1', redirects, 200).catch((error) => error.code);
    expect(page).equal('instance.not_ready');
    const client = createOdooClient({
      ...{ url: `http://127.0.0.1:${redirects}`, db: 'shop', login: 'bridge', apiKey: new Secret('key') },
      ...{ timeoutMs: 2_000, maxConcurrent: 1 },
    });
    expect(await client.call('saas.bridge', 'hello', []).catch((error) => error.code)).equal('odoo.redirect');
    await client.close();
    expect(asked).equal(0);
    // An address is looked at by nobody but the customer's browser, and is one of the web.
    for (const shop_url of [
      'file:///etc/passwd',
      'unix:/var/run/docker.sock',
      'javascript:alert(1)',
      'https://[',
      '//x',
    ]) {
      const { purchases } = rowsOf({ purchases: [{ ...PURCHASE, seller: { ...PURCHASE.seller, shop_url } }] });
      expect(purchases[0]?.seller.shopUrl, shop_url).equal(null);
    }
  });

  it('an instance has a valid name, whichever way it comes into being', () => {
    const test = testStore();
    try {
      const clock = () => test.now;
      const ingest = createIngest({ store: test.store, policy: POLICY, firstToExpire: false, clock, log: keptLog() });
      ingest.page(batch({ plans: [STORED_PLAN] }), true);
      const record = (id: number, name: string, phase: 'draft' | 'running' | 'deleted') => ({
        ...{ id, key: `rec:${id}`, name, customer: CUSTOMER, seller: SELLER, planId: 1, phase, hold: 'none' as const },
        ...{ startedAt: null, paidUntil: null, suspendedAt: null, storageOverSince: null, requested: true },
      });
      PATHS.forEach((name, at) => {
        const buyer = { ...CUSTOMER, id: 100 + at, name };
        // By its buyer's name, by the name they wished for, by a record of staff, of what runs and of what is gone.
        const purchases = [
          { ...bought({ key: `sol:${1000 + at}`, customer: buyer }), customerId: buyer.id },
          {
            ...bought({ key: `sol:${2000 + at}`, customer: { ...buyer, id: 500 + at }, wantedName: name }),
            customerId: 500 + at,
          },
        ];
        const phases = ['draft', 'running', 'deleted'] as const;
        const instances = phases.map((phase, offset) => record(100 * (offset + 1) + at, name, phase));
        ingest.page(batch({ purchases, instances }), true);
      });
      const names = test.store.instances.all().map(({ name }) => name);
      expect(names).length(5 * PATHS.length);
      expect(names.filter((name) => !isValidName(name))).deep.equal([]);
      for (const hostile of PATHS) expect(isValidName(suggestName(hostile, () => false)), hostile).equal(true);
    } finally {
      test.remove();
    }
  });
});
