/** Two customers who are against each other: each is the administrator of an Odoo, and has code execution in its containers. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { BrowserContext } from 'playwright-core';
import { runCommand } from '../../compose/demo/daemon.js';
import { mailsTo, passwordIn, script } from '../../compose/demo/master.js';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { resourceNames } from '../../src/instance/naming.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { theBrowser } from '../support/chromium.js';
import { inState, ownOdoo, running, welcomeMail } from '../support/customer.js';
import { containersOf, docker, remainsOf, runIn, type SeenContainer } from '../support/engine.js';
import { type Internet, internet, runInside } from '../support/hostile.js';
import { type Door, openDoor } from '../support/proxy.js';
import { createCustomer, createPlan, invoiceAndPay, planTemplate, sell } from '../support/shop.js';
import { logIn } from '../support/shopping.js';
import { answered, confirmDialog, managerOf, pressButton, refusalOf, todosOn } from '../support/staff.js';
import { travel } from '../support/time.js';
import { DAEMON, logged, until, type World, world } from '../support/world.js';

const run = promisify(execFile);

interface Customer {
  email: string;
  orderId: number;
  record: SaasRecord;
  own: OdooClient;
  odoo: SeenContainer;
  db: SeenContainer;
}

describe('of two customers on one engine', function () {
  this.timeout(600_000);
  let w: World;
  let attacker: Customer;
  let victim: Customer;

  async function serve(name: string, email: string): Promise<Customer> {
    const partner = await createCustomer(w.admin, { name, email });
    const { id: orderId } = await sell(w.admin, partner, 'hostil');
    await invoiceAndPay(w.admin, orderId);
    const record = await running(w, orderId);
    return { email, orderId, record, own: await ownOdoo(w, record, email), ...(await pairOf(record)) };
  }

  before(async () => {
    w = await world();
    await createPlan(w.admin, 'hostil', { name: 'Hostil', list_price: 30, saas_storage_gb: 2 });
    [attacker, victim] = await Promise.all([
      serve('Atacante S.L.', 'atacante@example.com'),
      serve('Víctima S.L.', 'victima@example.com'),
    ]);
  });

  after(async () => {
    await attacker?.own.close();
    await victim?.own.close();
  });

  describe('a browser', () => {
    let context: BrowserContext;
    const addressOf = ({ record }: Customer, path = '/web/login') => `${record.url}${path}`;
    const sessionAt = async (url: string) =>
      (await context.cookies(url)).find(({ name }) => name === 'session_id')?.value ?? '';
    /** What the attacker's server was sent, as its login page now shows it. */
    const stolenAt = async (url: string, visitor = context) => {
      const page = await visitor.newPage();
      const answer = await page.goto(url);
      const seen = page.locator('#stolen');
      if ((await seen.count()) === 0)
        throw new Error(`${url}: ${answer?.status()} ${page.url()} ${(await page.content()).slice(0, 3000)}`);
      const text = (await seen.textContent()) ?? '';
      await page.close();
      return text;
    };

    before(async () => {
      const [login] = (await attacker.own.call('ir.ui.view', 'search', [[['key', '=', 'web.login']]])) as number[];
      const arch = `<data><xpath expr="//form" position="before"><p id="stolen" t-out="request.httprequest.headers.get('Cookie') or 'none'"/>
        <script>for (const domain of ['', 'localhost', '.localhost', '${victim.record.name}.localhost', '127.0.0.1'])
          document.cookie = 'session_id=evil-script; path=/' + (domain &amp;&amp; '; domain=' + domain);</script>
        <t t-foreach="['localhost', '${victim.record.name}.localhost', '127.0.0.1']" t-as="domain">
          <t t-set="set" t-value="request.future_response.set_cookie('session_id', 'evil-header', domain=domain)"/></t>
        </xpath></data>`;
      await attacker.own.call('ir.ui.view', 'create', [{ name: 'x', inherit_id: login, type: 'qweb', arch }]);
      context = await (await theBrowser()).newContext();
      context.setDefaultTimeout(90_000);
      const page = await context.newPage();
      await page.goto(addressOf(victim));
      await logIn(page, victim.email, passwordIn(await welcomeMail(w, victim.email)));
      await page.close();
    });

    after(() => context?.close());

    it('that follows a link to an Odoo with a hostile login page brings no session of another', async () => {
      const session = await sessionAt(victim.record.url);
      expect(session).to.have.length.above(20);
      await stolenAt(addressOf(attacker));
      const seen = await stolenAt(addressOf(attacker));
      expect(seen, 'its own cookies').to.include('session_id=');
      expect(seen).not.to.include(session);
    });

    it('would bring it to any port of the same name: why no address has a port but on this machine', async () => {
      const session = await sessionAt(victim.record.url);
      const careless = await (await theBrowser()).newContext({ storageState: await context.storageState() });
      const link = `http://${victim.record.name}.localhost:${attacker.record.http_port}/web/login`;
      expect(await stolenAt(link, careless)).to.include(session);
      await careless.close();
      const refused = await runCommand(
        w.master,
        { ...DAEMON, settings: { SAAS_INSTANCE_URL: 'https://{name}.example.net:{port}' } },
        ['check'],
      );
      expect(refused.code).to.equal(2);
    });

    it('takes no cookie of one Odoo for another, nor for the shop', async () => {
      const shop = await context.newPage();
      await shop.goto(`${w.master.master_url}/web/login`);
      const atShop = await sessionAt(w.master.master_url);
      const before = await sessionAt(addressOf(victim));
      await stolenAt(addressOf(attacker));
      expect(await sessionAt(w.master.master_url)).to.equal(atShop);
      expect(await sessionAt(addressOf(victim))).to.equal(before);
      expect(
        (await context.cookies()).filter(({ value }) => value.startsWith('evil')).map(({ domain }) => domain),
      ).to.satisfy((domains: string[]) => domains.every((domain) => domain === `${attacker.record.name}.localhost`));
      await shop.goto(addressOf(victim, '/odoo'));
      await shop.locator('.o_main_navbar').waitFor();
      await shop.close();
    });
  });

  describe('what an Odoo reaches, behind the rules of compose/firewall.sh,', () => {
    const rules = (...args: string[]) => script('firewall.sh', [...args, '--pool', DAEMON.subnetPool]);
    let outside: Internet;
    let host: Server;
    let hostPort: number;
    /** Of these exactly the expected ones answer, from a container: the others never, these as soon as the machine has time. */
    const reaches = async ({ id }: SeenContainer, targets: Record<string, string>, expected: string[]) => {
      const asked = Object.entries(targets).map(([name, target]) => `${name}=${target}`);
      const wrong = await until(`${expected} to answer`, async () => {
        const seen = (await runInside(id, TRY, ...asked)).split('\n').filter(Boolean);
        const others = seen.filter((name) => !expected.includes(name));
        return others.length > 0 ? others : expected.every((name) => seen.includes(name)) && 'none';
      });
      expect(wrong, 'what must not answer').to.equal('none');
    };
    const inside = () => ({
      gateway: `${gatewayOf(attacker)}:${hostPort}`,
      host: `${outside.hostAddress}:${hostPort}`,
      metadata: '169.254.169.254:80',
      private: `${outside.privateAddress}:80`,
      'other odoo': `${victim.odoo.address}:8069`,
      'other db': `${victim.db.address}:5432`,
    });
    const public_ = () => ({
      web: `${outside.address}:80`,
      smtp: `${outside.address}:25`,
      mail: `${outside.address}:587`,
    });

    before(async () => {
      host = createServer((socket) => socket.end());
      host.listen(0, '0.0.0.0');
      await once(host, 'listening');
      hostPort = (host.address() as { port: number }).port;
      outside = await internet();
    });

    after(async () => {
      await rules('down');
      await outside?.remove();
      host?.close();
    });

    it('is everything that the host routes without them, and check says so', async () => {
      const { gateway, host: ofHost, private: closed } = inside();
      const routed = { gateway, host: ofHost, private: closed, ...public_() };
      await reaches(attacker.odoo, routed, Object.keys(routed));
      const { findings } = JSON.parse((await w.run('check', '--json')).output) as { findings: Finding[] };
      const finding = findings.find(({ part }) => part === 'egress');
      expect(finding).to.include({ ok: true, isWarning: true });
      expect(finding?.advice).to.include(`compose/firewall.sh up --pool ${DAEMON.subnetPool}`);
    });

    it('is the web and its own database, and never what is private', async () => {
      await rules('up');
      await reaches(attacker.odoo, { db: 'db:5432', ...inside(), ...public_() }, ['db', 'mail', 'web']);
      await reaches(attacker.db, { self: `${attacker.odoo.address}:8069`, ...inside(), ...public_() }, ['self']);
      expect((await fetch(`http://127.0.0.1:${attacker.record.http_port}/web/login`)).status).to.equal(200);
      const { findings } = JSON.parse((await w.run('check', '--json')).output) as { findings: Finding[] };
      const finding = findings.find(({ part }) => part === 'egress');
      expect(finding).to.include({ ok: true }).and.not.have.property('isWarning');
    });

    it('is what the plan says, from the next start', async () => {
      const manager = managerOf(w);
      const plan = await planTemplate(w.admin, 'hostil');
      for (const [egress, expected] of [
        ['closed', ['db']],
        ['all', ['db', 'mail', 'smtp', 'web']],
      ] as const) {
        await w.admin.call('product.template', 'write', [[plan], { saas_egress: egress }]);
        await pressButton(manager, attacker.record, 'action_restart');
        expect((await answered(manager, attacker.record, 'restart')).state).to.equal('done');
        Object.assign(attacker, await pairOf(attacker.record));
        await reaches(attacker.odoo, { db: 'db:5432', ...inside(), ...public_() }, [...expected]);
      }
      await manager.close();
    });

    it('is as before when they are taken away', async () => {
      await rules('down');
      await reaches(victim.odoo, public_(), ['mail', 'smtp', 'web']);
    });
  });

  describe('code in an Odoo', () => {
    const inOdoo = (command: string) => runInside(attacker.odoo.id, `{ ${command}; } 2>&1`);
    /** What PostgreSQL answers to the role of the customer, statement by statement. */
    const asRole = async (...statements: string[]): Promise<string[]> => {
      const answers = await runInside(
        attacker.odoo.id,
        `python3 - "$@" <<'PYTHON'
import configparser, json, sys, psycopg2
conf = configparser.RawConfigParser()
conf.read("/etc/odoo/odoo.conf")
get = lambda name: conf.get("options", name)
db = psycopg2.connect(host="db", user=get("db_user"), password=get("db_password"), dbname="odoo")
db.autocommit = True
def answer(statement):
    try:
        cursor = db.cursor()
        cursor.execute(statement)
        return str(cursor.fetchall() if cursor.description else "done")
    except psycopg2.Error as error:
        return str(error.pgerror or error)
print(json.dumps([answer(statement) for statement in sys.argv[1:]]))
PYTHON`,
        ...statements,
      );
      return JSON.parse(answers) as string[];
    };

    it('has no capability, no root, no device, no engine, and writes to its own files alone', async () => {
      expect(await inOdoo('grep -E "^(CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status')).to.equal(
        'CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n',
      );
      expect(await inOdoo('id -u')).not.to.equal('0\n');
      for (const place of [
        '/x',
        '/mnt/extra-addons/x',
        '/etc/odoo/addons/saas_limits/limits.py',
        '/usr/bin/x',
        '/etc/odoo/odoo.conf',
      ]) {
        expect(await inOdoo(`echo x >${place}`), place).to.match(/Read-only file system|Permission denied/);
      }
      expect(
        await inOdoo('find / -xdev -perm -4000 -newer /proc/1 2>/dev/null; ls /dev | grep -E "sd|vd|nvme|mem$"'),
      ).to.equal('');
      expect(await inOdoo('find / -name "docker.sock" -not -path "/proc/*" 2>/dev/null')).to.equal('');
      expect(await inOdoo('mknod /var/lib/odoo/disk b 254 0')).to.match(/not permitted/);
      expect(await inOdoo('unshare -m true; mount -t proc proc /tmp')).to.match(
        /not permitted|must be superuser|denied/,
      );
    });

    it('finds no secret but its own, in no variable and no process', async () => {
      const environment = await inOdoo("tr '\\0' '\\n' </proc/1/environ; env; cat /proc/*/cmdline | tr '\\0' ' '");
      expect(environment)
        .to.include('PATH=')
        .and.not.match(/pass|secret|key|token|SAAS_/i);
      const conf = await inOdoo('cat /etc/odoo/odoo.conf');
      const theirs = await runInside(victim.odoo.id, 'cat /etc/odoo/odoo.conf');
      const secrets = (text: string) =>
        [...text.matchAll(/^(?:db_password|admin_passwd) = (\S+)$/gm)].map(([, value]) => value);
      expect(secrets(conf)).to.have.length(2);
      for (const value of secrets(theirs)) expect(conf).not.to.include(value);
    });

    it('is nobody in PostgreSQL but the owner of one database', async () => {
      const refused = [
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY (SELECT 1) TO '/var/lib/postgresql/data/x'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT pg_ls_dir('/')",
        'SELECT * FROM pg_authid',
        'SELECT * FROM pg_hba_file_rules',
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(1, '/var/lib/postgresql/data/x')",
        "ALTER SYSTEM SET archive_command = 'id'",
        'SELECT pg_reload_conf()',
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS NULL LIMIT 1',
        "SELECT pg_create_physical_replication_slot('x', true)",
        "SELECT pg_create_logical_replication_slot('x', 'pgoutput')",
        "CREATE SUBSCRIPTION x CONNECTION 'host=db' PUBLICATION x",
        'SET temp_file_limit = -1',
        "SET session_preload_libraries = '/var/lib/odoo/x'",
        'SET SESSION AUTHORIZATION postgres',
        'SET ROLE postgres',
        'CREATE DATABASE x',
        'ALTER DATABASE odoo RENAME TO x',
        'CREATE EXTENSION file_fdw',
        'CREATE EXTENSION dblink',
        'CREATE EXTENSION postgres_fdw',
        'CREATE EXTENSION plpython3u',
        'CREATE ROLE root SUPERUSER',
        'ALTER ROLE odoo SUPERUSER',
        "CREATE TABLESPACE x LOCATION '/tmp'",
        'GRANT pg_execute_server_program TO odoo',
        "LOAD '/var/lib/postgresql/data/x'",
        "CREATE FUNCTION x() RETURNS int LANGUAGE c AS '/var/lib/postgresql/data/x'",
        'CREATE EVENT TRIGGER x ON ddl_command_start EXECUTE FUNCTION pg_reload_conf()',
        'UPDATE pg_database SET datallowconn = false',
      ];
      const [rights, ...answers] = await asRole(
        "SELECT rolsuper, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = 'odoo'",
        ...refused,
      );
      expect(rights).to.equal('[(False, False, False, False)]');
      for (const [number, statement] of refused.entries()) {
        expect(answers[number], statement).to.match(
          /permission denied|must be superuser|Only roles with|not available|is not allowed/,
        );
      }
    });

    it('fills no log of writes: it is bounded, however much is written', async () => {
      const done = await asRole(
        'CREATE TABLE wal (n int, t text)',
        'INSERT INTO wal SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, 200000) n',
        'UPDATE wal SET n = n + 1',
        'DROP TABLE wal',
      );
      expect(done).to.deep.equal(['done', 'done', 'done', 'done']);
      const log = async () =>
        Number(await runInside(attacker.db.id, 'du -sm /var/lib/postgresql/data/pg_wal | cut -f1'));
      await until('the log of writes to be short again', async () => (await log()) < 200);
    });

    it('gets nowhere by the sandbox of server actions', async () => {
      const action = (code: string) =>
        attacker.own.call('ir.actions.server', 'create', [{ name: 'x', state: 'code', code, model_id: 1 }]);
      const fine = await action("action = {'type': 'ir.actions.act_window_close'}");
      expect(await attacker.own.call('ir.actions.server', 'run', [[fine]])).to.include({
        type: 'ir.actions.act_window_close',
      });
      for (const code of [
        '().__class__.__base__.__subclasses__()',
        'env.__class__._cr',
        'import os',
        "open('/etc/odoo/odoo.conf')",
        'exec("1")',
      ]) {
        const tried = action(code).then((id) => attacker.own.call('ir.actions.server', 'run', [[id]]));
        expect(await refusalOf(tried), code).not.to.include('db_password');
      }
    });
  });

  describe('a module that is uploaded', () => {
    /** Uploads a zip that Python has made; what Odoo says. */
    const upload = async (python: string): Promise<string> => {
      const zip = await runInside(
        attacker.odoo.id,
        `python3 - <<'PYTHON'
import base64, io, stat, zipfile
data = io.BytesIO()
with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("evil/__manifest__.py", "{'name': 'evil', 'license': 'LGPL-3', 'data': ['data.xml'], 'depends': ['base']}")
    z.writestr("evil/data.xml", "<odoo/>")
${python.replace(/^/gm, '    ')}
print(base64.b64encode(data.getvalue()).decode())
PYTHON`,
      );
      const wizard = await attacker.own.call('base.import.module', 'create', [[{ module_file: zip.trim() }]]);
      return attacker.own.call('base.import.module', 'import_module', [wizard]).then(
        () => 'imported',
        (error: unknown) => String(error),
      );
    };

    before(async () => {
      const module = await attacker.own.call('ir.module.module', 'search', [[['name', '=', 'base_import_module']]]);
      await attacker.own.call('ir.module.module', 'button_immediate_install', [module]);
    });

    it('runs no Python, follows no link, and leaves no file beside its own', async () => {
      const said = await upload(`for python in ("__init__.py", "models/x.py", "hooks.py"):
    z.writestr("evil/" + python, "open('/var/lib/odoo/pwned', 'w')")
z.writestr("evil/static/fine.txt", "fine")
for name in ("../../../../var/lib/odoo/static/pwned", "evil/static/../../../../../var/lib/odoo/pwned", "/var/lib/odoo/pwned"):
    z.writestr(name, "x")
link = zipfile.ZipInfo("evil/static/link.txt")
link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
z.writestr(link, "/etc/odoo/odoo.conf")`);
      expect(said).to.equal('imported');
      const stored = (await attacker.own.call(
        'ir.attachment',
        'search_read',
        [[['url', '=like', '/evil/static/%.txt']]],
        { fields: ['url', 'raw'], order: 'url' },
      )) as { url: string; raw: string }[];
      expect(stored.map(({ url, raw }) => [url, raw])).to.deep.equal([
        ['/evil/static/fine.txt', 'fine'],
        // The text of the link, and not what it leads to.
        ['/evil/static/link.txt', '/etc/odoo/odoo.conf'],
      ]);
      expect(await runInside(attacker.odoo.id, 'find / -xdev -name "pwned*" 2>/dev/null; ls /tmp')).to.equal('');
    });

    it('that unpacks to gigabytes ends in the memory and the temporary files of its own container', async () => {
      expect(await upload('z.writestr("evil/static/x", bytes(101 << 20))')).to.include('evil/static/x');
      const bomb = 'for number in range(20):\n    z.writestr(f"evil/static/{number}", bytes(99 << 20))';
      expect(await upload(bomb)).to.include('No space left on device');
      expect(await runInside(attacker.odoo.id, 'ls /tmp')).to.equal('');
      for (const { record } of [attacker, victim]) {
        expect((await fetch(`http://127.0.0.1:${record.http_port}/web/login`)).status).to.equal(200);
      }
    });
  });

  describe('what the host has for all', () => {
    const login = async () => {
      const own = await ownOdoo(w, victim.record, victim.email);
      expect(await own.call('res.users', 'search_count', [[]])).to.be.a('number');
      await own.close();
    };

    it('is not used up by processes and memory of one', async () => {
      await runInside(attacker.odoo.id, '(bomb() { bomb | bomb & }; bomb) >/dev/null 2>&1 & sleep 3');
      const { pids_stats: processes } = await docker.getContainer(attacker.odoo.id).stats({ stream: false });
      expect(processes?.current).to.be.within(100, 200);
      await login();
      await docker.getContainer(attacker.odoo.id).restart({ t: 1 });
      const hoard = 'x = []\nwhile True: x.append(bytearray(64 << 20))';
      await runInside(attacker.odoo.id, `python3 -c "$1"`, hoard);
      await login();
      const { State } = await docker.getContainer(victim.odoo.id).inspect();
      expect(State.StartedAt).to.equal(victim.odoo.startedAt);
      await until('the attacker to be up again', async () => {
        return (await fetch(`http://127.0.0.1:${attacker.record.http_port}/web/login`)).status === 200;
      });
    });

    it('and counts for each user id is enough for another Odoo to start: all of them run as one', async () => {
      const held = runInside(
        attacker.odoo.id,
        `timeout 60 python3 - <<'PYTHON'
import array, ctypes, fcntl, os, socket, time
libc, kept = ctypes.CDLL(None), []
while libc.inotify_init() >= 0:
    pass
end, other = os.pipe()
try:
    while True:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        kept.append(pair)
        for _ in range(10):
            pair[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [end] * 253))])
except OSError:
    pass
try:
    while True:
        kept.append(os.pipe())
        fcntl.fcntl(kept[-1][1], fcntl.F_SETPIPE_SZ, 1 << 20)
except OSError:
    pass
open("/var/lib/odoo/held", "w").write(str(os.getpid()))
time.sleep(50)
PYTHON`,
      );
      await until('all to be held', async () =>
        (await runInside(attacker.odoo.id, 'ls /var/lib/odoo')).includes('held'),
      );
      const taken = 'import ctypes; print(ctypes.CDLL(None).inotify_init())';
      expect(await runInside(victim.odoo.id, `python3 -c "$1"`, taken), 'none is left').to.equal('-1\n');
      await docker.getContainer(victim.odoo.id).restart({ t: 10 });
      await until('the victim to be up', async () => {
        return (await fetch(`http://127.0.0.1:${victim.record.http_port}/web/login`)).status === 200;
      });
      await login();
      await runInside(attacker.odoo.id, 'kill $(cat /var/lib/odoo/held); rm /var/lib/odoo/held');
      await held;
    });
  });

  describe('the disk', () => {
    const socket = path.join(tmpdir(), `saas-bridge-hostile-${process.pid}.sock`);
    let door: Door;
    /** Stands for the disk of the engine: the daemon asks the file system there how much is free. */
    let disk: string;

    before(async () => {
      const { DockerRootDir: root } = (await docker.info()) as { DockerRootDir: string };
      disk = `/tmp/${'d'.repeat(root.length - '/tmp/'.length)}`;
      mkdirSync(disk, { recursive: true });
      await run('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'saas-hostile', disk]);
      door = await openDoor({ path: socket }, { path: '/var/run/docker.sock' });
      door.rewrite(`"DockerRootDir":"${root}"`, `"DockerRootDir":"${disk}"`);
      await w.restart({ settings: { SAAS_DOCKER_SOCKET: socket } });
    });

    after(async () => {
      await w.restart();
      await door?.end();
      await run('umount', [disk]);
      rmSync(disk, { recursive: true });
    });

    const readiness = async () => (await fetch(`${w.daemon().url}/ready`)).status;

    it('that a customer fills far beyond the plan in seconds ends that customer, and nobody else', async () => {
      await until('the disk to be looked at', async () => (await readiness()) === 200);
      // The log of writes has this name in the database's volume, where it is not counted.
      await runInside(attacker.odoo.id, 'mkdir /var/lib/odoo/pg_wal && fallocate -l 2400M /var/lib/odoo/pg_wal/full');
      writeFileSync(path.join(disk, 'full'), Buffer.alloc(59 * 1024 ** 2));
      await until('a warning', async () => (await readiness()) === 503);
      // Days of grace are for those who do not take the disk from all others.
      await inState(w, attacker.orderId, 'suspended');
      for (const { State } of await containersOf(attacker.record)) expect(State).to.equal('exited');
      expect((await running(w, victim.orderId)).state).to.equal('running');
      expect(logged(w.daemon(), 'instance.stopped_for_space')?.instance).to.equal(attacker.record.name);
      const todos = await until('the to-do', async () => {
        const found = await todosOn(w.admin, 'saas.instance', attacker.record.id);
        return found.length === 2 && found;
      });
      expect(todos, 'that it is over its plan, and that it was stopped').to.have.length(2);
    });

    it('that is free again leaves it to staff to bring the customer back', async () => {
      rmSync(path.join(disk, 'full'));
      await runIn(resourceNames(DAEMON.scope, attacker.record.name).filestore, 'rm -r /volume/pg_wal');
      await until('the daemon to be ready', async () => (await readiness()) === 200);
      const manager = managerOf(w);
      await pressButton(manager, attacker.record, 'action_resume');
      await manager.close();
      Object.assign(attacker, await pairOf(await running(w, attacker.orderId)));
    });
  });

  describe('files', () => {
    it('of a hundred thousand, with the oddest names and kinds, hold up no measure and no other customer', async () => {
      await runInside(
        attacker.odoo.id,
        `mkdir /var/lib/odoo/filestore/odoo/many && cd /var/lib/odoo/filestore/odoo/many && python3 - <<'PYTHON'
import os, socket
for folder in range(100):
    os.mkdir(f"{folder}")
    for number in range(1000):
        os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY, 0o600) if number < 5 else open(f"{folder}/{number}", "w").close()
for name in (b"line\\nbreak", b"\\xff\\xfe", b"$(touch pwned)", b"-rf", b";id;", b"a" * 255):
    os.close(os.open(name, os.O_CREAT))
os.mkfifo("pipe")
os.symlink("/etc/passwd", "link")
os.symlink("loop", "loop")
socket.socket(socket.AF_UNIX).bind("socket")
os.mkdir("closed", 0)
deep = "."
for level in range(200):
    deep += "/d"
    os.mkdir(deep)
PYTHON`,
      );
      await w.restart({ settings: { SAAS_USAGE_INTERVAL: '10' } });
      for (const { record } of [attacker, victim]) {
        await until('a measure', () => logged(w.daemon(), 'usage.measured', record.name));
      }
      expect(
        w
          .daemon()
          .lines()
          .filter(({ event }) => event === 'usage.failed'),
      ).to.deep.equal([]);
    });

    it('and all that is in them is copied when it is deleted, or left out by name, within bounds', async () => {
      const manager = managerOf(w);
      await confirmDialog(manager, attacker.record, 'action_delete', {
        confirm_name: attacker.record.name,
        reason: 'x',
      });
      const started = Date.now();
      const line = await until('the copy', () => logged(w.daemon(), 'instance.exported', attacker.record.name));
      expect(Date.now() - started).to.be.lessThan(180_000);
      await manager.close();
      const file = String(line.file);
      const { stdout } = await run('unzip', ['-p', file, 'left_out.txt'], { maxBuffer: 2 ** 26 });
      for (const name of ['pipe', 'link', 'loop', 'socket']) expect(stdout).to.include(`'many/${name}': it is no file`);
      expect(stdout).to.include("'many/closed");
      expect(existsSync('/tmp/pwned') || existsSync('pwned')).to.equal(false);
      await inState(w, attacker.orderId, 'deleted');
      expect(await remainsOf(attacker.record)).to.deep.equal([]);
      expect((await running(w, victim.orderId)).state).to.equal('running');
    });
  });

  describe('what a customer is called', () => {
    const name = `Mala <img src=x onerror="window.pwned=1"> {{password}} \${1} "'><script>window.pwned=2</script>\nBcc: otra@example.com`;
    const email = 'mala@example.com';
    const password = 'Portal-de-prueba-7';
    let record: SaasRecord;
    let orderId: number;
    let context: BrowserContext | undefined;

    before(async () => {
      const partner = await createCustomer(w.admin, { name, email });
      const [group] = (await w.admin.call(
        'ir.model.data',
        'search_read',
        [
          [
            ['module', '=', 'base'],
            ['name', '=', 'group_portal'],
          ],
        ],
        { fields: ['res_id'] },
      )) as { res_id: number }[];
      await w.admin.call('res.users', 'create', [
        { partner_id: partner, login: email, name, password, group_ids: [[6, 0, [group?.res_id]]] },
      ]);
      ({ id: orderId } = await sell(w.admin, partner, 'hostil'));
      await invoiceAndPay(w.admin, orderId);
      record = await running(w, orderId);
    });

    after(() => context?.close());

    /** Opens it, waits for what must be there, and for what would have run. */
    const look = async (url: string, selector: string) => {
      if (!context) throw new Error('nobody is logged in');
      const page = await context.newPage();
      await page.goto(url);
      await page.locator(selector).first().waitFor();
      // What an image of theirs would have done comes before what one of ours does, which is asked for after it.
      await page.evaluate(`{
        const ours = new Image();
        ours.onerror = () => (window.asked = true);
        ours.src = '/no-such-image-' + Date.now();
        document.body.append(ours);
      }`);
      await page.waitForFunction('window.asked');
      expect(await page.evaluate('window.pwned ?? null'), url).to.equal(null);
      expect(await page.locator('img[src=x]').count(), url).to.equal(0);
      const text = await page.locator('body').innerText();
      await page.close();
      return text;
    };
    const enter = async (login: string, secret: string) => {
      // Nothing is left of who was here before.
      await context?.close();
      context = await (await theBrowser()).newContext({ baseURL: w.master.master_url });
      // The first visit has styles compiled.
      context.setDefaultTimeout(240_000);
      const page = await context.newPage();
      await page.goto('/web/login');
      await page.locator('body[is-ready=true]').waitFor({ state: 'attached' });
      await logIn(page, login, secret);
      await page.waitForURL((url) => !url.pathname.startsWith('/web/login'));
      await page.close();
    };

    it('stays text in the lists and forms of staff', async () => {
      await enter(w.master.manager_login, w.master.manager_password);
      const action = '/odoo/action-saas_bridge.saas_instance_action';
      expect(await look(`${action}?view_type=list`, '.o_list_view .o_data_row')).to.include('<img src=x');
      await look(`${action}?view_type=kanban`, '.o_kanban_view .o_kanban_record');
      expect(await look(`/odoo/saas.instance/${record.id}`, '.o_form_view .o_form_sheet')).to.include(record.name);
    });

    it('stays text on the pages of the portal', async () => {
      await enter(email, password);
      await look('/my/instances', '.o_portal, main');
      expect(await look(`/my/instances/named/${record.name}`, 'main')).to.include(record.name);
      await look('/my/orders', 'main');
      expect(await look(`/my/orders/${orderId}`, '#portal_sale_content, main')).to.include('<img src=x');
    });

    it('is on one line of one mail to one person, and in no mail as markup', async () => {
      await welcomeMail(w, email);
      for (const mail of await mailsTo(w.master.mail_url, email)) {
        expect(mail.subject).not.to.match(/[\r\n]/);
        expect(mail.to.map(({ address }) => address)).to.deep.equal([email]);
        expect(mail.html).not.to.match(/<img src=x|<script>window/);
      }
      expect(await mailsTo(w.master.mail_url, 'otra@example.com')).to.deep.equal([]);
    });

    it('is no markup in what the managers are told of the night', async () => {
      await travel(w, 33);
      await inState(w, orderId, 'suspended');
      await until('the nightly summary', () => logged(w.daemon(), 'nightly.summary'));
      const told = await until('the message of the night', async () => {
        const mails = await mailsTo(w.master.mail_url, 'gestor@nubefacil.example');
        return mails.some(({ text }) => text.includes('Noche del')) && mails;
      });
      for (const { html, subject } of told) {
        expect(html).not.to.match(/<img src=x|<script>window/);
        expect(subject).not.to.match(/[\r\n]/);
      }
    });
  });
});

interface Finding {
  part: string;
  ok: boolean;
  isWarning?: boolean;
  advice?: string;
}

async function pairOf(record: SaasRecord): Promise<Pick<Customer, 'odoo' | 'db'>> {
  const containers = await containersOf(record);
  const byRole = (role: string) => containers.find((one) => one.role === role) ?? expect.fail(`no container ${role}`);
  return { odoo: byRole('odoo'), db: byRole('db') };
}

/** The host's own address in the network of a customer. */
function gatewayOf({ db }: Customer): string {
  const [a, b, c, d = 0] = db.address.split('.').map(Number);
  return [a, b, c, d - (d % 16) + 1].join('.');
}

const TRY = `for target; do
  (timeout 4 bash -c 'exec 3<>"/dev/tcp/\${1%:*}/\${1##*:}"' try "\${target#*=}" 2>/dev/null && echo "\${target%%=*}") &
done
wait`;
