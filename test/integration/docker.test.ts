/** The real engine, the real images: everything a customer's instance goes through. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, statfs, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { BOUNDS, type Bounds } from '../../src/docker/engine/bounds.js';
import { createEngine, type Engine } from '../../src/docker/engine/engine.js';
import { removeBusy } from '../../src/docker/engine/retry.js';
import { runJob, startJob } from '../../src/docker/engine/task.js';
import { loadTemplates } from '../../src/docker/files.js';
import { createFleet, type Fleet } from '../../src/docker/fleet.js';
import { sharedOut } from '../../src/docker/instance/addresses.js';
import { exportInstance } from '../../src/docker/instance/export.js';
import { placementAt, type Ranges } from '../../src/docker/instance/placement.js';
import { login } from '../../src/docker/instance/ready.js';
import { DEFAULT_RELEASE, DEFAULT_SETTINGS, type DockerSettings } from '../../src/docker/instance/rendering.js';
import type { EngineRuntime } from '../../src/docker/instance/runtime.js';
import { createTemplateStore } from '../../src/docker/template/store.js';
import { DEFAULT_SCOPE, instanceLabels, LABEL, resourceNames } from '../../src/instance/naming.js';
import type { ContainerChange, FillOptions, InstanceRef } from '../../src/instance/ports.js';
import { deriveSecrets } from '../../src/instance/secrets.js';
import type { InstanceSpec } from '../../src/instance/spec.js';
import type { UnreadableError } from '../../src/instance/unreadable.js';
import { PlaceTakenError } from '../../src/lib/errors.js';
import { Secret } from '../../src/lib/secret.js';
import { createStop } from '../../src/lib/stop.js';
import { loadDaemonKey } from '../../src/store/daemon-key.js';
import { queryJob } from '../support/query.js';

const SOCKET = process.env.SAAS_DOCKER_SOCKET ?? '/var/run/docker.sock';
const COMPANY = `Müller's "Best" \\ $(id) {{x}}\n'); DROP TABLE res_users; -- 🚀 株式会社 ${'x'.repeat(300)}`;
const READY_MS = 120_000;
const MB = 1024 * 1024;
const GB = 1024 * MB;
/** What the tests' own tasks may. */
const AT_WORK: Bounds = { ...BOUNDS.install, user: 'root', capabilities: ['DAC_OVERRIDE'], seconds: 120 };

describe('instances on the engine', function () {
  this.timeout(600_000);

  const scope = `t${randomBytes(4).toString('hex')}`;
  const release = {
    odooImage: process.env.ODOO_IMAGE ?? DEFAULT_RELEASE.odooImage,
    postgresImage: process.env.POSTGRES_IMAGE ?? DEFAULT_RELEASE.postgresImage,
    addons: [],
  };
  const settings: DockerSettings & Ranges = {
    ...DEFAULT_SETTINGS,
    scope,
    // Below what Linux takes for outgoing connections.
    portBase: 30_000 + 16 * randomInt(170),
    subnetPool: `10.${224 + randomInt(16)}.${randomInt(256)}.0/24`,
  };
  const spec = (slot: number, name: string): InstanceSpec => ({
    key: `sol:${slot}`,
    name,
    placement: placementAt(settings, slot),
    release,
    cpu: 2,
    memoryMb: 1024,
    storageGb: 2,
    modules: [],
    url: `https://${name}.example.com`,
    companyName: COMPANY,
    contactName: "Zoë O'Neill",
    email: `zoe@${name}.example.com`,
    lang: 'es_ES',
    maxUsers: 0,
    egress: 'web',
    accountUrl: 'https://shop.example.com/my/saas',
  });
  const acme = spec(0, 'acme');
  const other = spec(1, 'other');
  const labels = { [LABEL.scope]: scope };

  let engine: Engine;
  let instances: EngineRuntime;
  let templates: Fleet['templates'];
  let secretsOf: Fleet['secretsOf'];
  let dataDir: string;

  before(async () => {
    engine = createEngine({ socketPath: SOCKET });
    await engine.ping().catch((error: unknown) => {
      throw new Error(`these tests need a Docker engine on ${SOCKET}: run compose/engine.sh`, { cause: error });
    });
    dataDir = await mkdtemp(join(tmpdir(), 'saas-'));
    ({ runtime: instances, templates, secretsOf } = await fleetOn(engine));
    await templates.ensure(template([]));
  });

  after(async () => {
    for (const target of [acme, other]) await remove(target);
    await rm(dataDir, { recursive: true, force: true });
  });

  const template = (modules: string[]) => ({ release, languages: settings.languages, modules });
  const fill = (target: InstanceSpec, how: FillOptions, on = instances) =>
    on.fill(target, { kind: 'template', modules: target.modules }, how);

  /** The template is the one that all daemons of a machine share; everything else goes. */
  async function fleetOn(at: Engine, keyFile = 'key'): Promise<Fleet> {
    const daemonKey = await loadDaemonKey(join(dataDir, keyFile));
    return createFleet({
      ...{ engine: at, settings, capacity: 8, dataDir, templateScope: DEFAULT_SCOPE },
      secretsOf: (instanceKey) => deriveSecrets(daemonKey, instanceKey),
    });
  }

  async function provision(target: InstanceSpec): Promise<void> {
    await instances.ensureNetwork(target);
    await fill(target, { mustExist: false });
    await instances.startBoth(target);
    await instances.awaitReady(target, { login: true, timeoutMs: READY_MS });
  }

  async function remove(target: InstanceRef): Promise<void> {
    await instances.removeContainers(target);
    await instances.removeVolumes(target);
    await instances.removeNetwork(target);
  }

  /** Rows of a query, run over the instance's network with a password. */
  async function query(
    target: InstanceSpec,
    sql: string,
    password = secretsOf(target.key).dbPassword.reveal(),
    codes = [0, 2],
  ) {
    const { network } = resourceNames(scope, target.name);
    const job = queryJob({ ...{ scope, labels, network, password, sql }, image: release.postgresImage });
    return runJob(engine, job, codes);
  }
  /** Does as a customer can who is the administrator: commands in the folder of their files. */
  async function inFilestore(script: string, target = acme): Promise<void> {
    await runJob(engine, {
      name: `${scope}_files`,
      image: release.postgresImage,
      entrypoint: ['bash', '-c', `set -e; mkdir -p /filestore/filestore; cd /filestore/filestore; ${script}`],
      labels,
      bounds: AT_WORK,
      mounts: [{ volume: resourceNames(scope, target.name).filestore, target: '/filestore' }],
    });
  }
  /** Statements as the superuser, while no server runs on acme's database volume. */
  async function inDatabase(sql: string, database: string): Promise<void> {
    await runJob(engine, {
      name: `${scope}_single`,
      image: release.postgresImage,
      entrypoint: ['postgres', '--single', '-D', '/pgdata', '-c', 'exit_on_error=on', database],
      labels,
      bounds: { ...AT_WORK, user: 'postgres', capabilities: [] },
      mounts: [{ volume: resourceNames(scope, acme.name).pgdata, target: '/pgdata' }],
      stdin: Buffer.from(sql),
    });
  }
  const value = async (target: InstanceSpec, sql: string): Promise<string> => (await query(target, sql)).output.trim();

  it('refuses a plan whose modules this Odoo does not have, instead of selling less', async () => {
    const refused = await rejection(templates.ensure(template(['no_such_module'])));
    expect(refused).to.include({ code: 'template.module_missing' });
    expect(String(refused)).to.contain('no_such_module');
  });

  it('heals a copy that was killed half-way', async () => {
    await instances.ensureNetwork(acme);
    // It waits for the customer's values, and so is not done when it is killed.
    const attach = async (id: string) => ({ ...(await engine.attach(id)), stdin: new PassThrough() });
    const { runtime } = await fleetOn(engineWith(engine, { attach }));
    const seeding = fill(acme, { mustExist: false }, runtime).then(
      () => 'done',
      (error: Error) => error.message,
    );
    const jobs = [`${LABEL.scope}=${scope}`, `${LABEL.role}=job`];
    for (let running: string | undefined; !running; await sleep(5)) {
      running = (await engine.listContainers(jobs)).find((job) => job.State === 'running')?.Id;
      if (running) await engine.removeContainer(running);
    }
    expect(await seeding).to.match(/ended with code|No such container|removal/i);
    await provision(acme);
  });

  it('tells when somebody has visited it, and takes neither our own looks nor a tab that is open for a visit', async () => {
    const look = (page: string) => fetch(`http://127.0.0.1:${acme.placement.httpPort}${page}`);
    for (const page of ['/web/health', '/websocket/health', '/bus/x', '/favicon.ico']) await look(page);
    expect(await instances.lastVisit(acme)).to.equal(null);
    const before = Math.floor(Date.now() / 1000) * 1000;
    expect((await look('/web/login')).status).to.equal(200);
    expect(Number(await instances.lastVisit(acme))).to.be.within(before, Date.now());
  });

  it('logs the customer in with the derived password, and nobody with another one', async () => {
    const { httpPort: http } = acme.placement;
    const { adminPassword } = secretsOf(acme.key);
    expect(await login('127.0.0.1', http, acme.email, adminPassword)).to.be.a('number');
    expect(await login('127.0.0.1', http, acme.email, new Secret('admin'))).to.equal(null);
    expect(await login('127.0.0.1', http, 'admin', new Secret('admin'))).to.equal(null);
    // Odoo has replaced the first hash by one with its own number of rounds.
    expect(
      await value(acme, `SELECT split_part(password, '$', 3)::int >= 350000 FROM res_users WHERE id = 2`),
    ).to.equal('t');
  });

  it('needs less than 150 MB, idle after the login', async () => {
    const { db, odoo } = await instances.memoryBytes(acme);
    expect((db ?? 0) + (odoo ?? 0))
      .to.be.greaterThan(10e6)
      .and.lessThan(150e6);
  });

  it("writes the customer's values exactly", async () => {
    const hex = (text: string): string => Buffer.from(text).toString('hex');
    const encoded = (column: string): string => `encode(convert_to(${column}, 'UTF8'), 'hex')`;
    expect(await value(acme, `SELECT ${encoded('name')} FROM res_company`)).to.equal(hex(COMPANY));
    expect(
      await value(acme, `SELECT ${encoded('p.name')} FROM res_company c JOIN res_partner p ON p.id = c.partner_id`),
    ).to.equal(hex(COMPANY));
    const admin = 'FROM res_users u JOIN res_partner p ON p.id = u.partner_id WHERE u.id = 2';
    expect(await value(acme, `SELECT ${encoded('p.name')}, u.login, p.email, p.lang, p.tz ${admin}`)).to.equal(
      [hex(acme.contactName), acme.email, acme.email, 'es_ES', settings.timeZone].join('|'),
    );
    expect(await value(acme, `SELECT value FROM ir_config_parameter WHERE key = 'web.base.url'`)).to.equal(acme.url);
    expect(
      await value(acme, `SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = 'odoo'`),
    ).to.equal('f');
  });

  it('removes the template that no plan needs, and no other', async () => {
    const library = createTemplateStore(engine, {} as never, scope);
    const namesOf = (id: string) =>
      ['ready', 'x_pgdata', 'x_filestore'].map((end) => `${scope}_odoo_template_${id}_${end}`);
    for (const id of ['old', 'sold']) {
      const [marker = '', pgdata = '', filestore = ''] = namesOf(id);
      const labels = { [LABEL.scope]: scope, [LABEL.template]: id };
      for (const name of [pgdata, filestore]) await engine.ensureVolume(name, labels);
      const contents = { 'saas.template.pgdata': pgdata, 'saas.template.filestore': filestore };
      await engine.ensureVolume(marker, { ...labels, ...contents });
    }
    const left = async () =>
      (await engine.listVolumes([LABEL.template, `${LABEL.scope}=${scope}`])).map(({ name }) => name);
    expect(await left()).to.have.length(6);
    await library.remove('old');
    await library.remove('old');
    expect(await left()).to.have.members(namesOf('sold'));
    await library.remove('sold');
    expect(await left()).to.deep.equal([]);
  });

  it('changes nothing when it is repeated', async () => {
    const look = () => instances.observe(acme);
    const before = await look();
    const facts = `SELECT string_agg(key || value, ',' ORDER BY key) FROM ir_config_parameter`;
    const was = await value(acme, facts);
    await provision(acme);
    expect(await look()).to.deep.equal(before);
    expect(await value(acme, facts)).to.equal(was);
    expect(before.db?.specHash).to.equal(instances.hashesOf(acme).db);
    expect(before.odoo?.specHash).to.equal(instances.hashesOf(acme).odoo);
  });

  /** A call to the customer's Odoo as its administrator; the message of the error when it is refused. */
  async function call(target: InstanceSpec, model: string, method: string, args: unknown[], lang = 'es_ES') {
    const { httpPort: http } = target.placement;
    const { adminPassword } = secretsOf(target.key);
    const uid = await login('127.0.0.1', http, target.email, adminPassword);
    const params = {
      service: 'object',
      method: 'execute_kw',
      args: ['odoo', uid, adminPassword.reveal(), model, method, args, { context: { lang } }],
    };
    const response = await fetch(`http://127.0.0.1:${http}/jsonrpc`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', method: 'call', params }),
    });
    const answer = (await response.json()) as { result?: unknown; error?: { data: { message: string } } };
    return answer.error ? answer.error.data.message : answer.result;
  }
  const group = async (name: string): Promise<number> =>
    Number(await value(acme, `SELECT res_id FROM ir_model_data WHERE module = 'base' AND name = '${name}'`));

  const user = (name: string, more: object = {}) => ({ name, login: `${name}@example.com`, ...more });
  const create = (values: object, lang?: string) => call(acme, 'res.users', 'create', [[values]], lang);
  const write = (ids: unknown, values: object) => call(acme, 'res.users', 'write', [ids, values]);
  const FULL = 'Su plan incluye 2 usuarios y ya están todos en uso. Archive un usuario o cambie de plan en';

  it('limits users while it runs, and the administrator is told why', async () => {
    await instances.applyLimits({ ...acme, maxUsers: 2 });
    const second = await create(user('second'));
    expect(second, JSON.stringify(second)).to.be.an('array');
    expect(await create(user('third'))).to.equal(`${FULL} ${acme.accountUrl}.`);
    expect(await create(user('third'), 'en_US')).to.equal(
      `Your plan includes 2 users and all of them are in use. Archive a user or change your plan at ${acme.accountUrl}.`,
    );
    expect(await write(second, { name: 'Second' }), 'other changes').to.equal(true);
    expect(await write(second, { active: false }), 'archived').to.equal(true);
    expect(await create(user('third'))).to.be.an('array');
    expect(await write(second, { active: true }), 'activated again').to.contain(FULL);
    expect(await value(acme, `SELECT active FROM res_users WHERE login = 'second@example.com'`)).to.equal('f');
  });

  it('limits users: counts no portal user until it is made an internal one, in whichever way', async () => {
    const [portal, internal] = [await group('group_portal'), await group('group_user')];
    const visitor = await create(user('portal', { group_ids: [[6, 0, [portal]]] }));
    expect(visitor, JSON.stringify(visitor)).to.be.an('array');
    expect(await write(visitor, { group_ids: [[6, 0, [internal]]] })).to.contain(FULL);
    const [id] = visitor as number[];
    await write(visitor, { group_ids: [[5]] });
    expect(await call(acme, 'res.groups', 'write', [[internal], { user_ids: [[4, id]] }])).to.contain(FULL);
    const implying = [{ name: 'implying', implied_ids: [[4, internal]], user_ids: [[4, id]] }];
    expect(await call(acme, 'res.groups', 'create', [implying])).to.contain(FULL);
    const [plain] = (await call(acme, 'res.groups', 'create', [[{ name: 'plain', user_ids: [[4, id]] }]])) as number[];
    expect(await call(acme, 'res.groups', 'write', [[plain], { implied_ids: [[4, internal]] }])).to.contain(FULL);
  });

  it('limits users, but never stands in the way of installing modules', async () => {
    const [module] = (await call(acme, 'ir.module.module', 'search', [[['name', '=', 'auth_signup']]])) as number[];
    const done = await call(acme, 'ir.module.module', 'button_immediate_install', [[module]]);
    expect(done, JSON.stringify(done)).to.be.an('object');
    const installable = [
      ['name', '=', 'saas_limits'],
      ['state', '!=', 'uninstallable'],
    ];
    expect(await call(acme, 'ir.module.module', 'search', [installable]), 'not an app').to.deep.equal([]);
    // Modules have overrides of their own: the limit is below them all.
    expect(await create(user('fourth'))).to.contain(FULL);
  });

  it('limits users: tells a visitor who signs up no more than that', async () => {
    const [template] = (await call(acme, 'ir.model.data', 'search_read', [
      [['name', '=', 'template_portal_user_id']],
      ['res_id'],
    ])) as { res_id: number }[];
    const internal = await group('group_user');
    await call(acme, 'res.users', 'write', [[template?.res_id], { group_ids: [[6, 0, [internal]]] }]);
    await call(acme, 'ir.config_parameter', 'set_param', ['auth_signup.invitation_scope', 'b2c']);
    const page = `http://127.0.0.1:${acme.placement.httpPort}/web/signup`;
    const form = await fetch(page, { headers: { 'Accept-Language': 'es-ES' } });
    const token = /name="csrf_token"[^>]*value="([^"]+)"/.exec(await form.text())?.[1] ?? '';
    const cookie = form.headers.getSetCookie().map((line) => line.split(';')[0]);
    const sent = { name: 'New', login: 'new@example.com', password: 'new-pass-1', confirm_password: 'new-pass-1' };
    const answer = await fetch(page, {
      method: 'POST',
      headers: { 'Accept-Language': 'es-ES', Cookie: cookie.join('; ') },
      body: new URLSearchParams({ ...sent, csrf_token: token }),
    });
    expect(await answer.text())
      .to.contain('No se pueden crear más cuentas por ahora.')
      .and.not.contain('Su plan');
  });

  it('limits users: follows another plan at once, also down, and a broken file stops nobody', async () => {
    await instances.applyLimits({ ...acme, maxUsers: 3 });
    expect(await create(user('fourth'))).to.be.an('array');
    await instances.applyLimits({ ...acme, maxUsers: 1 });
    expect(await create(user('fifth'))).to.contain('Su plan incluye 1 usuario');
    const [config] = [resourceNames(scope, acme.name).config];
    const breakIt = { volume: config, target: '/config' };
    const entrypoint = ['bash', '-c', 'echo "{" >/config/limits.json'];
    const job = { name: `${scope}_break`, image: release.postgresImage, entrypoint, labels, bounds: AT_WORK };
    await runJob(engine, { ...job, mounts: [breakIt] });
    expect(await create(user('fifth'))).to.be.an('array');
    await instances.applyLimits({ ...acme, maxUsers: 1 });
    expect(await create(user('sixth'))).to.contain('Su plan incluye 1 usuario');
    await instances.applyLimits(acme);
  });

  it('is told another address while it runs, and the like, which it knows at once', async () => {
    const moved = { ...acme, url: 'https://moved.example.com', accountUrl: 'https://other-shop.example.com' };
    const parameter = (key: string) => call(acme, 'ir.config_parameter', 'get_param', [key]);
    // What it has in memory is read anew.
    expect(await parameter('web.base.url')).to.equal(acme.url);
    const before = await instances.observe(acme);
    for (let times = 0; times < 2; times++) await instances.applySettings(moved);
    expect(await parameter('web.base.url')).to.equal(moved.url);
    expect(await parameter('web.base.url.freeze')).to.equal('True');
    const limits = await runJob(engine, {
      ...{ name: `${scope}_look`, image: release.postgresImage, entrypoint: ['cat', '/config/limits.json'], labels },
      ...{ bounds: BOUNDS.limits, mounts: [{ volume: resourceNames(scope, acme.name).config, target: '/config' }] },
      keepBytes: 1000,
    });
    expect(limits.output).to.contain(moved.accountUrl);
    await instances.applySettings(acme);
    expect(await parameter('web.base.url')).to.equal(acme.url);
    expect((await instances.observe(acme)).odoo?.id).to.equal(before.odoo?.id);
  });

  it('prints with its style: it reaches itself, whatever its public address is', async () => {
    const base = `http://127.0.0.1:${acme.placement.httpPort}`;
    const params = { db: 'odoo', login: acme.email, password: secretsOf(acme.key).adminPassword.reveal() };
    const entered = await fetch(`${base}/web/session/authenticate`, {
      ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
      body: JSON.stringify({ jsonrpc: '2.0', params }),
    });
    const cookie = entered.headers.getSetCookie().map((line) => line.split(';')[0]);
    // wkhtmltopdf draws what it gets: without its style the page is another one.
    const print = async () => {
      const headers = { Cookie: cookie.join('; ') };
      const pdf = await fetch(`${base}/report/pdf/base.report_irmodeloverview/1`, { headers });
      const content = Buffer.from(await pdf.arrayBuffer());
      expect(content.subarray(0, 4).toString(), `status ${pdf.status}`).to.equal('%PDF');
      return content.length;
    };
    const asMade = await print();
    await call(acme, 'ir.config_parameter', 'set_param', ['report.url', 'http://127.0.0.1:9']);
    const unstyled = await print();
    await instances.applySettings(acme);
    const again = await print();
    expect(Math.abs(again - asMade)).to.be.lessThan(Math.abs(unstyled - asMade) / 4);
  });

  it('measures what it uses', async () => {
    const before = await instances.measure(acme);
    expect(before.users).to.equal(
      Number(await value(acme, 'SELECT count(*) FROM res_users WHERE active AND NOT share AND id > 1')),
    );
    expect(before.databaseBytes).to.be.within(10e6, 200e6);
    const installed = await value(acme, `SELECT name FROM ir_module_module WHERE state = 'installed'`);
    expect(before.modules).to.deep.equal(installed.split('\n').sort()).and.include('base');
    // A test before this one logged the administrator in, as a customer does.
    expect(Date.now() - Date.parse(before.loggedInAt ?? '')).to.be.within(0, 600_000);
    const content = Buffer.alloc(3e6, 'x');
    const values = { name: 'big', datas: content.toString('base64'), mimetype: 'application/octet-stream' };
    const attachment = await call(acme, 'ir.attachment', 'create', [[values]]);
    // A running Odoo writes and clears away other files meanwhile.
    await instances.stopOdoo(acme);
    const full = await instances.measure(acme);
    const checksum = createHash('sha1').update(content).digest('hex');
    await inFilestore(`rm odoo/${checksum.slice(0, 2)}/${checksum}`);
    const cleared = await instances.measure(acme);
    expect(full.filestoreBytes - cleared.filestoreBytes).to.be.within(3e6, 3.2e6);
    await provision(acme);
    expect(await call(acme, 'ir.attachment', 'unlink', [attachment])).to.equal(true);
  });

  it('counts whoever works as an internal user, whatever the column share says', async () => {
    const { users } = await instances.measure(acme);
    await query(acme, 'UPDATE res_users SET share = true WHERE active AND id > 2');
    expect((await instances.measure(acme)).users).to.equal(users);
    await instances.applyLimits({ ...acme, maxUsers: users });
    expect(await create(user('hidden'))).to.contain('Su plan incluye');
    await instances.applyLimits(acme);
    await query(
      acme,
      `UPDATE res_users SET share = NOT EXISTS (SELECT FROM res_groups_users_rel WHERE uid = res_users.id
        AND gid = ${await group('group_user')}) WHERE id > 2`,
    );
    expect((await instances.measure(acme)).users).to.equal(users);
  });

  it('lets nobody store anything beside their own database, in an instance of a former version too', async () => {
    const attempt = async (database: string, sql: string) =>
      (await query(acme, `\\connect ${database}\n${sql}`, undefined, [0, 2, 3])).output;
    const closed = async () => {
      expect(await attempt('template1', 'SELECT 1')).to.contain('permission denied for database "template1"');
      expect(await attempt('postgres', 'SELECT lo_create(0)')).to.contain('permission denied for function lo_create');
      expect(await attempt('postgres', 'CREATE TEMP TABLE t (a int)')).to.contain(
        'permission denied to create temporary',
      );
      // Odoo itself waits there for notifications.
      expect(await attempt('postgres', 'LISTEN imbus')).to.match(/LISTEN\n$/);
    };
    await closed();
    await instances.removeContainers(acme);
    await inDatabase('GRANT ALL ON DATABASE template1, postgres TO PUBLIC\n', 'template1');
    await inDatabase('GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC\n', 'postgres');
    await runJob(engine, {
      ...{
        name: `${scope}_open`,
        image: release.postgresImage,
        entrypoint: ['rm', '/pgdata/.closed'],
        labels,
        bounds: AT_WORK,
      },
      mounts: [{ volume: resourceNames(scope, acme.name).pgdata, target: '/pgdata' }],
    });
    await instances.ensureNetwork(acme);
    await fill(acme, { mustExist: true });
    await provision(acme);
    await closed();
  });

  it('measures a hostile database without being flooded, held up or led astray', async () => {
    const swap = (table: string, view: string) =>
      query(acme, `ALTER TABLE ${table} RENAME TO hidden_${table}; CREATE VIEW ${table} AS ${view};`);
    const restore = (table: string) =>
      query(acme, `DROP VIEW ${table}; ALTER TABLE hidden_${table} RENAME TO ${table};`);
    const names = `SELECT 'installed' AS state, CASE WHEN n % 2 = 0 THEN 'm' || n
      ELSE repeat(chr(27) || E'\\n' || 'users 0' || n, 1000) END AS name FROM generate_series(1, 20000) AS n`;
    await query(
      acme,
      'ALTER ROLE odoo SET statement_timeout = 0; ALTER ROLE odoo SET search_path = public, pg_catalog',
    );
    await query(acme, 'CREATE FUNCTION pg_database_size(name) RETURNS bigint LANGUAGE sql AS $$ SELECT 7::bigint $$');
    await swap('ir_module_module', names);
    const usage = await instances.measure(acme);
    expect(usage.modules).to.have.length(2000);
    expect(usage.modules.every((name) => /^m\d+$/.test(name))).to.equal(true);
    expect(usage.users).to.be.greaterThan(0);
    expect(usage.databaseBytes).to.be.greaterThan(7);
    await restore('ir_module_module');
    await swap('res_users', `SELECT true AS active, false AS share, 7 AS id FROM pg_sleep(300)`);
    const heldUp = await rejection(instances.measure(acme));
    expect(heldUp).to.include({ code: 'usage.unreadable', retryable: true });
    // The server ended it after ten seconds; by itself it would have taken five minutes.
    expect(String(heldUp)).to.include('canceling statement due to statement timeout');
    await restore('res_users');
    await query(acme, 'ALTER ROLE odoo RESET ALL; DROP FUNCTION pg_database_size(name)');
    expect((await instances.measure(acme)).modules).to.include('base');
  });

  it('counts files as much as bytes, and hides none by its name or by what the database says', async () => {
    const { bsize, blocks, files } = await statfs(await engine.rootDir());
    const inodeBytes = (bsize * blocks) / files;
    expect(inodeBytes, 'a disk with a number of inodes').to.be.within(256, 65_536);
    await provision(acme);
    await instances.stopOdoo(acme);
    try {
      await inFilestore('mkdir -p odoo/pg_wal && fallocate -l 800000000 odoo/pg_wal/hidden');
      await inFilestore('cd odoo/pg_wal; for n in $(seq 30); do ln hidden same$n; done');
      const bytes = (await instances.measure(acme)).filestoreBytes;
      expect(bytes, 'one file of 800 MB with 31 names').to.be.within(8e8, 9e8);
      await inFilestore('rm -r odoo/pg_wal; mkdir odoo/many; cd odoo/many; seq 1 20000 | xargs touch');
      await query(acme, 'ALTER TABLE res_users RENAME TO hidden_res_users');
      const unreadable = await rejection(instances.measure(acme));
      expect(unreadable).to.include({ code: 'usage.unreadable', retryable: true });
      const stored = (unreadable as UnreadableError).stored?.filestoreBytes;
      expect(stored, '20,000 files of no length').to.be.within(20_000 * inodeBytes, 22_000 * inodeBytes);
      await query(acme, 'ALTER TABLE hidden_res_users RENAME TO res_users');
      expect((await instances.measure(acme)).filestoreBytes).to.equal(stored);
    } finally {
      await inFilestore('rm -rf odoo/pg_wal odoo/many');
      await query(acme, 'ALTER TABLE IF EXISTS hidden_res_users RENAME TO res_users');
      await provision(acme);
    }
  });

  it('says that what does not run cannot be measured', async () => {
    await instances.stopOdoo(acme);
    await instances.stopDb(acme);
    expect(await rejection(instances.measure(acme))).to.include({ code: 'usage.unreadable', retryable: true });
    await provision(acme);
  });

  it('gives two customers nothing in common, and no way to each other', async () => {
    await provision(other);
    const secret = `SELECT key, value FROM ir_config_parameter WHERE key IN ('database.uuid', 'database.secret') ORDER BY key`;
    const [mine, theirs] = [await value(acme, secret), await value(other, secret)];
    for (const line of mine.split('\n')) expect(theirs).not.to.contain(line);
    const details = await engine.inspectContainer(resourceNames(scope, acme.name).db);
    const address = Object.values(details.NetworkSettings.Networks)[0]?.IPAddress ?? '';
    const reach = async (network: string): Promise<number> => {
      const entrypoint = ['pg_isready', '-h', address, '-t', '3'];
      const job = {
        name: `${scope}_reach`,
        image: release.postgresImage,
        entrypoint,
        labels,
        network,
        bounds: AT_WORK,
      };
      return (await runJob(engine, job, [0, 2])).exitCode;
    };
    expect(await reach(resourceNames(scope, acme.name).network), 'own network').to.equal(0);
    expect(await reach(resourceNames(scope, other.name).network), "another instance's network").to.equal(2);
    expect(await reach('bridge'), 'another network').to.equal(2);
  });

  it('refuses a wrong database password', async () => {
    const result = await query(acme, 'SELECT 1', 'wrong');
    expect(result.exitCode).to.equal(2);
    expect(result.output).to.contain('password authentication failed');
  });

  it('sets the passwords of another key, cut off or repeated, and the customer logs in as before', async () => {
    await provision(other);
    const { adminPassword } = secretsOf(other.key);
    const { runtime: after, secretsOf: anew } = await fleetOn(engine, 'new-key');
    expect(await rejection(after.setSecrets(other, { admin: false }))).to.include({ code: 'docker.volume_in_use' });
    const start = async (on: EngineRuntime) => {
      await on.startDb(other);
      await on.startOdoo(other);
      await on.awaitReady(other, { login: false, timeoutMs: READY_MS });
    };
    const stop = async () => {
      await after.stopOdoo(other);
      await after.stopDb(other);
    };
    await stop();
    const attach = async (id: string) => ({ ...(await engine.attach(id)), stdin: new PassThrough() });
    const { runtime: killed } = await fleetOn(engineWith(engine, { attach }), 'new-key');
    const cutOff = rejection(killed.setSecrets(other, { admin: false }));
    const jobs = [`${LABEL.scope}=${scope}`, `${LABEL.role}=job`];
    for (let running: string | undefined; !running; await sleep(5)) {
      running = (await engine.listContainers(jobs)).find((job) => job.State === 'running')?.Id;
      if (running) await engine.removeContainer(running);
    }
    await cutOff;
    for (let times = 0; times < 2; times++) await after.setSecrets(other, { admin: false });
    await start(after);
    const works = async (password: Secret) => (await query(other, 'SELECT 1', password.reveal())).exitCode === 0;
    expect(await works(anew(other.key).dbPassword), 'the new password').to.equal(true);
    expect(await works(secretsOf(other.key).dbPassword), 'the old password').to.equal(false);
    expect(await login('127.0.0.1', other.placement.httpPort, other.email, adminPassword)).to.be.a('number');
    // Of one that nobody has used yet, the first password too.
    await stop();
    await after.setSecrets(other, { admin: true });
    await start(after);
    const first = anew(other.key).adminPassword;
    expect(await login('127.0.0.1', other.placement.httpPort, other.email, first)).to.be.a('number');
    await stop();
    await instances.setSecrets(other, { admin: true });
    await start(instances);
    expect((await instances.measure(other)).modules).to.include('base');
  });

  it('shows no secret and keeps no privilege', async () => {
    const { db, odoo } = resourceNames(scope, acme.name);
    for (const [role, name] of Object.entries({ db, odoo })) {
      const details = await engine.inspectContainer(name);
      for (const secret of Object.values(secretsOf(acme.key))) {
        if (secret instanceof Secret) expect(JSON.stringify(details)).not.to.contain(secret.reveal());
      }
      expect(details.HostConfig.CapDrop).to.deep.equal(['ALL']);
      expect(details.HostConfig.CapAdd ?? []).to.deep.equal([]);
      expect(details.HostConfig.ReadonlyRootfs).to.equal(true);
      expect(details.RestartCount).to.equal(0);
      // What the image declares to be a volume, too, is measured or cannot be written.
      const own = resourceNames(scope, acme.name);
      const others = details.Mounts.filter(({ RW, Name }) => RW && Name !== own.pgdata && Name !== own.filestore);
      const seen = others.map(({ Type, Destination }) => `${Type} ${Destination}`);
      expect(seen).to.deep.equal(role === 'odoo' ? ['tmpfs /tmp'] : []);
    }
    const folder = join(dataDir, 'instances', acme.name);
    expect((await stat(folder)).mode & 0o777).to.equal(0o700);
    expect((await stat(join(folder, 'odoo.conf'))).mode & 0o777).to.equal(0o600);
  });

  it('gives a running pair the memory and CPU of another plan at once, and restarts nothing', async () => {
    const look = async () => {
      const { db, odoo } = resourceNames(scope, acme.name);
      const [one, two] = await Promise.all([db, odoo].map((name) => engine.inspectContainer(name)));
      return [one, two].map((details) => ({
        same: [details?.Id, details?.State.StartedAt, details?.RestartCount],
        memoryMb: (details?.HostConfig.Memory ?? 0) / MB,
        swapMb: (details?.HostConfig.MemorySwap ?? 0) / MB,
        cpus: (details?.HostConfig.NanoCpus ?? 0) / 1e9,
      }));
    };
    const before = await look();
    const bigger = { ...acme, memoryMb: 2048, cpu: 1 };
    await instances.applyLimits(bigger);
    const [db, odoo] = before.map(({ same }) => same);
    expect(await look()).to.deep.equal([
      { same: db, memoryMb: 512, swapMb: 512, cpus: 0.5 },
      { same: odoo, memoryMb: 1536, swapMb: 1536, cpus: 1 },
    ]);
    expect(instances.hashesOf(bigger)).to.deep.equal(instances.hashesOf(acme));
    const compose = await readFile(join(dataDir, 'instances', acme.name, 'docker-compose.yml'), 'utf8');
    expect(compose).to.contain(`mem_limit: ${1536 * MB}`);
    // What is limited: the containers are the same, and so is the work left to do.
    await instances.startDb(bigger);
    await instances.startOdoo(bigger);
    await instances.applyLimits(acme);
    expect(await look()).to.deep.equal(before);
  });

  it('tells of each container that ends or starts, until nobody listens', async () => {
    const told: ContainerChange[] = [];
    const watch = await instances.watch((change) => void told.push(change));
    await instances.stopOdoo(acme);
    await instances.startOdoo(acme);
    await instances.awaitReady(acme, { login: true, timeoutMs: READY_MS });
    expect(told).to.deep.equal([
      { key: acme.key, died: true },
      { key: acme.key, died: false },
    ]);
    watch.close();
    await watch.ended;
  });

  it('keeps data over a stop, and over another plan', async () => {
    await query(acme, `UPDATE res_partner SET website = 'https://kept.example.com' WHERE id = 1`);
    await instances.stopOdoo(acme);
    await instances.stopDb(acme);
    const stopped = await instances.observe(acme);
    expect([stopped.db?.running, stopped.odoo?.running]).to.deep.equal([false, false]);
    const bigger = { ...acme, memoryMb: 2048 };
    await instances.applyLimits(bigger);
    const { db } = resourceNames(scope, acme.name);
    expect((await engine.inspectContainer(db)).HostConfig.Memory, 'while it is stopped').to.equal(512 * MB);
    await instances.startDb(bigger);
    expect((await engine.inspectContainer(db)).Config.Cmd, 'made again').to.include('shared_buffers=32MB');
    await instances.startOdoo(bigger);
    await instances.awaitReady(bigger, { login: true, timeoutMs: READY_MS });
    expect(await value(acme, 'SELECT website FROM res_partner WHERE id = 1')).to.equal('https://kept.example.com');
    const { odoo } = await instances.observe(acme);
    expect(odoo?.specHash).to.equal(instances.hashesOf(bigger).odoo);
  });

  it('exports what Odoo restores: the rows and the files', async () => {
    const text = 'kept 🚀';
    const checksum = createHash('sha1').update(text).digest('hex');
    await query(acme, `UPDATE res_partner SET website = 'https://exported.example.com' WHERE id = 1`);
    const datas = Buffer.from(text).toString('base64');
    expect(await call(acme, 'ir.attachment', 'create', [[{ name: 'kept.bin', datas }]])).to.be.an('array');
    await query(
      acme,
      'CREATE TABLE walled (x int); ALTER TABLE walled ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
    );
    const file = join(dataDir, 'exports', 'acme.zip');
    expect(await rejection(instances.exportData(acme, file)), 'while it runs').to.include({
      code: 'docker.volume_in_use',
    });
    await instances.removeContainers(acme);
    const { bytes } = await instances.exportData(acme, file);
    const { size, mode } = await stat(file);
    expect({ size, mode: mode & 0o777 }).to.deep.equal({ size: bytes, mode: 0o600 });
    expect(await readdir(join(dataDir, 'exports'))).to.deep.equal(['acme.zip']);
    expect(await restored(await readFile(file), checksum)).to.equal(`https://exported.example.com\n${text}`);
    // It changes nothing: the customer could come back.
    await provision(acme);
    expect(await value(acme, 'SELECT website FROM res_partner WHERE id = 1')).to.equal('https://exported.example.com');
  });

  /** Restores a zip with Odoo's own command into a new PostgreSQL; the website of the company, and the file. */
  async function restored(zip: Buffer, checksum: string): Promise<string> {
    const network = `${scope}_restore`;
    await engine.createNetwork(network, labels, sharedOut(`10.${200 + randomInt(7)}.${randomInt(256)}.0/28`));
    const db = await engine.createContainer({
      name: `${scope}_restore_db`,
      Image: release.postgresImage,
      Entrypoint: ['docker-entrypoint.sh', 'postgres'],
      Env: ['POSTGRES_USER=odoo', 'POSTGRES_PASSWORD=restore'],
      Labels: labels,
      HostConfig: { NetworkMode: network },
      NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: ['db'] } } },
    });
    try {
      await engine.startContainer(db);
      const script = `set -e
        for try in $(seq 100); do pg_isready -q -h db -t 1 && break; sleep 0.2; done
        odoo db -c /run/odoo.conf load restored /run/export.zip >&2
        export PGPASSWORD=restore
        psql -h db -U odoo -d restored -At -c 'SELECT website FROM res_partner WHERE id = 1'
        cat /tmp/data/filestore/restored/${checksum.slice(0, 2)}/${checksum}`;
      const conf = '[options]\ndb_host = db\ndb_user = odoo\ndb_password = restore\ndata_dir = /tmp/data\n';
      const { output } = await runJob(engine, {
        name: `${scope}_restore`,
        image: release.odooImage,
        entrypoint: ['bash', '-c', script],
        labels,
        bounds: BOUNDS.install,
        network,
        files: [
          { name: 'run/odoo.conf', content: conf, mode: 0o444 },
          { name: 'run/export.zip', content: zip, mode: 0o444 },
        ],
        keepBytes: 100_000,
      });
      return output.trim().split('\n').slice(-2).join('\n');
    } finally {
      await engine.removeContainer(db);
      await removeBusy(() => engine.removeNetwork(network));
    }
  }

  it('exports each file once and no holes, however a customer makes it look', async () => {
    await instances.removeContainers(acme);
    const hostile = `mkdir -p odoo/zz && cd odoo/zz
      head -c 20000000 /dev/urandom >one
      for n in $(seq 30); do ln one same$n; done
      truncate -s 1T hole
      truncate -s 3M small_hole && printf end >>small_hole
      ln -s /etc/passwd link && mkfifo pipe
      touch $'line\\nbreak' $'\\xff'`;
    const file = join(dataDir, 'exports', 'hostile.zip');
    try {
      await inFilestore(hostile);
      const started = Date.now();
      const { bytes } = await instances.exportData(acme, file);
      expect(bytes).to.be.within(20e6, 60e6);
      expect(Date.now() - started).to.be.lessThan(120_000);
      const unzip = async (...words: string[]) =>
        (await promisify(execFile)('unzip', [...words], { maxBuffer: 64 * MB, encoding: 'buffer' })).stdout;
      await unzip('-tq', file);
      const small = await unzip('-p', file, 'filestore/zz/small_hole');
      expect(createHash('sha1').update(small).digest('hex')).to.equal(
        createHash('sha1')
          .update(Buffer.concat([Buffer.alloc(3 * MB), Buffer.from('end')]))
          .digest('hex'),
      );
      const leftOut = (await unzip('-p', file, 'left_out.txt')).toString();
      expect(leftOut.match(/another name of a file/g)).to.have.length(30);
      for (const line of [
        "'zz/hole': most of it was never written",
        "'zz/link': it is no file",
        "'zz/pipe': it is no file",
      ]) {
        expect(leftOut).to.contain(line);
      }
      expect(leftOut).to.match(/^'zz\/\\udcff': its name is no text$/m);
    } finally {
      await inFilestore('rm -rf odoo/zz');
      await rm(file, { force: true });
    }
  });

  it('exports no more than the plan bounds, and says what is too much', async () => {
    const files = await loadTemplates();
    const labelled = instanceLabels(scope, { ...acme, slot: acme.placement.slot });
    const parts = { names: resourceNames(scope, acme.name), labels: labelled };
    const file = join(dataDir, 'exports', 'large.zip');
    for (const mostBytes of [MB, 45 * MB]) {
      if (mostBytes > MB) await inFilestore('head -c 40000000 /dev/zero >odoo/large');
      const refused = await rejection(exportInstance({ engine, files, release, mostBytes }, parts, file));
      expect(refused, `${mostBytes}`).to.include({ code: 'export.too_large', retryable: true });
    }
    await inFilestore('rm odoo/large');
    expect(await readdir(join(dataDir, 'exports'))).to.deep.equal(['acme.zip']);
  });

  it('exports a database whose owner has set what would make each dump fail', async () => {
    await provision(acme);
    await query(
      acme,
      `CREATE TABLE mine (x int); INSERT INTO mine VALUES (7);
       ALTER TABLE mine ENABLE ROW LEVEL SECURITY; ALTER TABLE mine FORCE ROW LEVEL SECURITY;
       ALTER DATABASE odoo SET role = odoo; ALTER DATABASE odoo SET statement_timeout = 1;
       ALTER ROLE odoo IN DATABASE odoo SET row_security = on`,
    );
    await instances.removeContainers(acme);
    // As a customer can from another database.
    await inDatabase('ALTER DATABASE odoo ALLOW_CONNECTIONS false\n', 'template1');
    const file = join(dataDir, 'exports', 'set.zip');
    await instances.exportData(acme, file);
    const unzip = promisify(execFile)('unzip', ['-p', file, 'dump.sql'], { maxBuffer: 512 * MB });
    expect((await unzip).stdout).to.match(/COPY public\.mine \(x\) FROM stdin;\n7\n/);
    await rm(file);
    await provision(acme);
    await query(acme, 'DROP TABLE mine');
  });

  it('takes no setting from a database volume: none keeps a copy from being made, nor new passwords', async () => {
    const inVolume = (script: string) =>
      runJob(engine, {
        name: `${scope}_volume`,
        image: release.postgresImage,
        entrypoint: ['bash', '-c', `set -e; cd /pgdata; ${script}`],
        labels,
        bounds: { ...AT_WORK, user: 'postgres', capabilities: [] },
        mounts: [{ volume: resourceNames(scope, acme.name).pgdata, target: '/pgdata' }],
      });
    await provision(acme);
    await instances.removeContainers(acme);
    const settings = `archive_mode = on\narchive_command = 'touch /var/lib/postgresql/data/archived'\nwal_level = replica
      shared_preload_libraries = '/var/lib/postgresql/data/mine'\nssl = on\nssl_key_file = 'endless'
      restore_command = 'touch /var/lib/postgresql/data/restored'\ninclude 'endless'\n`;
    await inVolume(`cp postgresql.conf kept.conf; cp pg_hba.conf kept_hba.conf; rm .closed; mkfifo -m 600 endless
      printf '%b' ${JSON.stringify(settings)} | tee postgresql.auto.conf >postgresql.conf
      touch recovery.signal standby.signal; rm pg_hba.conf; ln -s endless pg_hba.conf`);
    const file = join(dataDir, 'exports', 'settings.zip');
    try {
      const started = Date.now();
      await instances.setSecrets(acme, { admin: false });
      await instances.exportData(acme, file);
      expect(Date.now() - started).to.be.lessThan(120_000);
      const { stdout } = await promisify(execFile)('unzip', ['-p', file, 'dump.sql'], { maxBuffer: 512 * MB });
      expect(stdout).to.contain('COPY public.res_users ');
    } finally {
      await inVolume('rm -f endless pg_hba.conf && mv kept.conf postgresql.conf && mv kept_hba.conf pg_hba.conf');
      await rm(file, { force: true });
    }
    const { output } = await runJob(engine, {
      name: `${scope}_look`,
      image: release.postgresImage,
      entrypoint: ['ls', '/pgdata'],
      labels,
      bounds: AT_WORK,
      keepBytes: 10_000,
      mounts: [{ volume: resourceNames(scope, acme.name).pgdata, target: '/pgdata', readOnly: true }],
    });
    expect(output)
      .to.contain('PG_VERSION')
      .and.not.match(/archived|restored|signal/);
    // It runs on, closed once more.
    await provision(acme);
  });

  it('says why a database cannot be dumped, whatever else its server says', async () => {
    // A row that is more than a gigabyte as text, and some megabytes on the disk. A warning comes before the failure.
    await provision(acme);
    await query(
      acme,
      `CREATE TABLE egg (id int PRIMARY KEY, hen int); CREATE TABLE hen (id int PRIMARY KEY, egg int REFERENCES egg);
       ALTER TABLE egg ADD FOREIGN KEY (hen) REFERENCES hen;
       CREATE TABLE long_row (c1 bytea); INSERT INTO long_row VALUES (decode(repeat('00', 20000000), 'hex'));
       DO $$ BEGIN FOR n IN 2..30 LOOP
         EXECUTE format('ALTER TABLE long_row ADD c%1$s bytea', n);
         EXECUTE format('UPDATE long_row SET c%1$s = c1', n);
       END LOOP; END $$`,
    );
    expect(await value(acme, 'SELECT length(c30) FROM long_row')).to.equal('20000000');
    await instances.removeContainers(acme);
    const refused = await rejection(instances.exportData(acme, join(dataDir, 'exports', 'never.zip')));
    expect(refused).to.include({ code: 'export.failed', retryable: true });
    expect(String(refused)).to.match(/the export failed: pg_dump: error: .*[\s\S]*public\.long_row/);
    expect(String(refused)).to.not.match(/LOG:|warning/);
    // What no dump can hold is copied as it lies on the disk.
    const raw = join(dataDir, 'exports', 'acme.tgz');
    await inFilestore('truncate -s 1T odoo/hole && ln odoo/hole odoo/same');
    const { bytes } = await instances.copyVolumes(acme, raw);
    expect(bytes).to.be.within(1e6, 200e6);
    expect((await stat(raw)).mode & 0o777).to.equal(0o600);
    const { stdout: list } = await promisify(execFile)('tar', ['-tzf', raw], { maxBuffer: 64 * MB });
    for (const name of ['pgdata/PG_VERSION', 'filestore/filestore/odoo/hole'])
      expect(list.split('\n')).to.include(name);
    await inFilestore('rm odoo/hole odoo/same');
    await rm(raw);
    await provision(acme);
    await query(acme, 'DROP TABLE long_row; DROP TABLE egg, hen');
  });

  it('never exports nothing', async () => {
    const file = join(dataDir, 'exports', 'nothing.zip');
    const gone = spec(3, 'gone');
    const { pgdata, filestore } = resourceNames(scope, gone.name);
    const refused = async (when: string) =>
      expect(await rejection(instances.exportData(gone, file)), when).to.include({ code: 'export.no_data' });
    await refused('no volumes');
    await engine.ensureVolume(pgdata, labels);
    await refused('one volume');
    await engine.ensureVolume(filestore, labels);
    await refused('empty volumes');
    const left = join(dataDir, 'exports', 'left.tgz');
    expect(await instances.copyLeft(gone, left), 'nothing is left').to.equal(null);
    // The database is gone, the files are there.
    await removeBusy(() => engine.removeVolume(pgdata));
    await inFilestore('echo typed-in >of-the-customer', gone);
    expect((await instances.copyLeft(gone, left))?.bytes).to.be.greaterThan(0);
    const { stdout } = await promisify(execFile)('tar', ['-xzOf', left, 'filestore/filestore/of-the-customer']);
    expect(stdout).to.equal('typed-in\n');
    expect(await engine.volumeLabels(pgdata), 'it is not made').to.equal(null);
    expect(existsSync(file)).to.equal(false);
    expect((await engine.listVolumes([`${LABEL.scope}=${scope}`])).length).to.be.greaterThan(0);
    for (const name of [pgdata, filestore]) await removeBusy(() => engine.removeVolume(name));
  });

  it('leaves no part of an export that fails', async () => {
    const folder = join(dataDir, 'exports', 'failed');
    await instances.stopOdoo(acme);
    await instances.stopDb(acme);
    const jobs = [`${LABEL.instance}=${acme.name}`, `${LABEL.scope}=${scope}`, `${LABEL.role}=job`];
    const files = await loadTemplates();
    const labelled = instanceLabels(scope, { ...acme, slot: acme.placement.slot });
    const parts = { names: resourceNames(scope, acme.name), labels: labelled };
    // What is dumped is not read, and so it is not done when it is killed.
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const attachStreams = async (id: string) => {
      const streams = await engine.attachStreams(id);
      const stdout = new PassThrough();
      void opened.then(() => pipeline(streams.stdout, stdout)).catch(() => undefined);
      return { ...streams, stdout };
    };
    const mostBytes = 10 * GB;
    const dammed = { engine: engineWith(engine, { attachStreams }), files, release, mostBytes };
    const exporting = rejection(exportInstance(dammed, parts, join(folder, 'acme.zip')));
    for (let killed = false; !killed; await sleep(5)) {
      const dump = (await engine.listContainers(jobs)).find(
        ({ Names, State }) => State === 'running' && Names[0]?.includes('_dump_'),
      );
      if (dump) await engine.removeContainer(dump.Id);
      killed = dump !== undefined;
    }
    open();
    expect(await exporting).to.include({ code: 'export.failed', retryable: true });
    expect(await readdir(folder)).to.deep.equal([]);
    await settled(async () => (await engine.listContainers(jobs)).length === 0);
    const hurried = exportInstance({ engine, files, release, mostBytes, stallMs: 1 }, parts, join(folder, 'acme.zip'));
    expect(await rejection(hurried)).to.include({ code: 'export.stalled', retryable: true });
    await symlink('/dev/full', join(folder, 'acme.zip.part'));
    const full = await rejection(instances.exportData(acme, join(folder, 'acme.zip')));
    expect(full).to.include({ code: 'export.no_space', retryable: true });
    expect(await readdir(folder)).to.deep.equal([]);
    const { bytes } = await instances.exportData(acme, join(folder, 'acme.zip'));
    expect(bytes).to.be.greaterThan(1e6);
    await provision(acme);
  });

  it('ends a copy when the daemon is told to stop, and leaves nothing of it', async () => {
    await instances.removeContainers(acme);
    await inFilestore('head -c 400000000 /dev/urandom >odoo/large');
    const folder = join(dataDir, 'exports', 'stopped');
    const stop = createStop();
    const { runtime } = await fleetOn(createEngine({ socketPath: SOCKET, stop }));
    const exporting = rejection(runtime.exportData(acme, join(folder, 'acme.zip')));
    await settled(async () => (await stat(join(folder, 'acme.zip.part')).catch(() => ({ size: 0 }))).size > 1e6);
    const told = Date.now();
    stop.tell();
    expect(await exporting).to.include({ code: 'worker.stopped' });
    expect(Date.now() - told).to.be.lessThan(10_000);
    expect(await readdir(folder)).to.deep.equal([]);
    await settled(
      async () => (await engine.listContainers([`${LABEL.scope}=${scope}`, `${LABEL.role}=job`])).length === 0,
    );
    await inFilestore('rm odoo/large');
    await provision(acme);
  });

  it('ends what a daemon that was killed has left at work, and not what this one does', async () => {
    const labelled = instanceLabels(scope, { ...acme, slot: acme.placement.slot });
    const job = { name: `${scope}_task`, image: release.postgresImage, labels: labelled, bounds: AT_WORK };
    const dead = createEngine({ socketPath: SOCKET });
    const left = await startJob(dead, { ...job, entrypoint: ['sleep', '60'] });
    const own = runJob(engine, { ...job, entrypoint: ['sleep', '2'] });
    await settled(
      async () => (await engine.listContainers([`${LABEL.scope}=${scope}`, `${LABEL.role}=job`])).length === 2,
    );
    expect(await instances.endLeftTasks()).to.equal(1);
    expect((await own).exitCode).to.equal(0);
    expect(await left.exitCode).to.equal(137);
    await left.end(0);
    expect(await instances.endLeftTasks()).to.equal(0);
  });

  it('can be started by hand from its compose file', async () => {
    await provision(other);
    const file = join(dataDir, 'instances', other.name, 'docker-compose.yml');
    const env = { ...process.env, DOCKER_HOST: `unix://${SOCKET}` };
    const run = (...words: string[]) => promisify(execFile)(composeCommand(), ['-f', file, ...words], { env });
    await run('config', '--quiet');
    await instances.removeContainers(other);
    await run('up', '-d');
    await instances.awaitReady(other, { login: true, timeoutMs: READY_MS });
    const { db, odoo } = await instances.observe(other);
    expect({ db: db?.specHash, odoo: odoo?.specHash }).to.deep.equal(instances.hashesOf(other));
  });

  it('says when a port belongs to somebody else', async () => {
    const third = spec(2, 'third');
    const server: Server = createServer().listen(placementAt(settings, 2).httpPort, '127.0.0.1');
    try {
      expect(await rejection(instances.startOdoo(third))).to.be.instanceOf(PlaceTakenError);
    } finally {
      server.close();
    }
  });

  it('finds a place free where no other program has a port and no other network a part of the subnet', async () => {
    const free = async (slot: number) => (await instances.freePlaces())(placementAt(settings, slot));
    expect(await free(4)).to.equal(true);
    const server: Server = createServer().listen(placementAt(settings, 4).longpollingPort, '0.0.0.0');
    const network = `${scope}_in_the_way`;
    try {
      expect(await free(4)).to.equal(false);
      await engine.createNetwork(network, labels, sharedOut(placementAt(settings, 5).subnet));
      expect(await free(5)).to.equal(false);
    } finally {
      server.close();
      for (const { id } of (await engine.listNetworks([])).filter(({ name }) => name === network)) {
        await engine.removeNetwork(id);
      }
    }
    expect(await free(5)).to.equal(true);
  });

  it('touches nothing that it has not made', async () => {
    const name = resourceNames(scope, 'third').db;
    const id = await engine.createContainer({ name, Image: release.postgresImage });
    try {
      const error = (await rejection(instances.startDb(spec(2, 'third')))) as { code?: string };
      expect(error.code).to.equal('docker.foreign');
      await instances.removeContainers(spec(2, 'third'));
      expect((await engine.inspectContainer(id)).Id).to.equal(id);
    } finally {
      await engine.removeContainer(id);
    }
  });

  it('tells the store all it needs from labels', async () => {
    const { key, slot, volumes } = (await instances.observeAll()).get(acme.key) ?? {};
    expect({ key, slot, volumes }).to.deep.equal({ key: acme.key, slot: acme.placement.slot, volumes: true });
  });

  it("never puts an empty database in the place of a customer's lost one", async () => {
    const { pgdata, filestore } = resourceNames(scope, other.name);
    await instances.removeContainers(other);
    await removeBusy(() => engine.removeVolume(pgdata));
    for (const mustExist of [true, false]) {
      const refused = await rejection(fill(other, { mustExist }));
      expect(refused, `mustExist ${mustExist}`).to.include({ code: 'instance.data_missing' });
    }
    await removeBusy(() => engine.removeVolume(filestore));
    expect(await rejection(fill(other, { mustExist: true }))).to.include({
      code: 'instance.data_missing',
    });
  });

  it('touches nothing that another instance of the same name has, and says whose it is', async () => {
    await provision(acme);
    const namesake = { ...acme, key: 'sol:999' };
    const before = await instances.observe(acme);
    const work = {
      network: () => instances.ensureNetwork(namesake),
      volumes: () => fill(namesake, { mustExist: false }),
      database: () => instances.startDb(namesake),
      limits: () => instances.applyLimits(namesake),
      settings: () => instances.applySettings(namesake),
      usage: () => instances.measure(namesake),
      copy: () => instances.exportData(namesake, join(dataDir, 'stolen.zip')),
    };
    for (const [what, run] of Object.entries(work)) {
      const refused = await rejection(run());
      expect(refused, what).to.include({ code: 'docker.foreign' });
      expect(String(refused), what).to.contain(`the key ${acme.key}, not to sol:999`);
    }
    const nothing = { network: false, db: null, odoo: null, volumes: false, slot: null };
    expect(await instances.observe(namesake)).to.deep.equal(nothing);
    await instances.stopOdoo(namesake);
    await instances.stopDb(namesake);
    await remove(namesake);
    expect((await instances.observe(acme)).db).to.include({ id: before.db?.id, running: true });
    expect((await instances.observe(acme)).odoo).to.include({ id: before.odoo?.id, running: true });
    for (const volume of Object.values(resourceNames(scope, acme.name)).filter((name) =>
      /(pgdata|filestore)$/.test(name),
    )) {
      expect(await engine.volumeLabels(volume)).to.have.property(LABEL.key, acme.key);
    }
  });

  it('leaves nothing when it is removed', async () => {
    for (const target of [acme, other]) {
      await remove(target);
      await remove(target);
    }
    await settled(async () => (await instances.observeAll()).size === 0);
    expect(await engine.listContainers([`${LABEL.scope}=${scope}`])).to.deep.equal([]);
    expect(existsSync(join(dataDir, 'instances', acme.name))).to.equal(false);
  });
});

describe('an engine that is not well', () => {
  it('is unreachable when nothing listens', async () => {
    const error = (await rejection(createEngine({ socketPath: '/nonexistent.sock' }).ping())) as { code?: string };
    expect(error.code).to.equal('docker.unreachable');
  });

  it('times out when it is silent', async () => {
    const path = join(tmpdir(), `saas-${randomBytes(4).toString('hex')}.sock`);
    const server = createServer(() => undefined).listen(path);
    try {
      const error = (await rejection(createEngine({ socketPath: path, timeoutMs: 200 }).listContainers([]))) as {
        code?: string;
      };
      expect(error.code).to.equal('docker.timeout');
    } finally {
      server.close();
    }
  });
});

describe('the daemon key', () => {
  it('is made once, for the owner only, also by two at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'saas-key-'));
    try {
      const path = join(folder, 'deep', 'key');
      const [one, two] = await Promise.all([loadDaemonKey(path), loadDaemonKey(path)]);
      expect(one.length).to.equal(32);
      expect(one.equals(two)).to.equal(true);
      expect((await readFile(path, 'utf8')).trim()).to.equal(one.toString('hex'));
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  );
}

async function settled(check: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await check()); attempt++) {
    if (attempt > 600) expect.fail('something is left');
    await sleep(100);
  }
}

/** The real engine, with some of its methods replaced. */
function engineWith(engine: Engine, replaced: Partial<Engine>): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const value = Reflect.get(replaced, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The plugin is a program of its own; compose 2 is also packaged under the old name. */
function composeCommand(): string {
  const folders = ['/usr/local/lib', '/usr/libexec', '/usr/lib'].map((root) => `${root}/docker/cli-plugins`);
  const found = [...folders, '/usr/local/bin', '/usr/bin'].map((at) => join(at, 'docker-compose')).find(existsSync);
  return found ?? expect.fail('this test needs Docker Compose: run compose/engine.sh');
}
