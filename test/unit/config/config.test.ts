import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { CONFIG_NAMES, loadConfig } from '../../../src/config/config.js';
import { TerminalError } from '../../../src/lib/errors.js';

describe('configuration', () => {
  const KEY = 'k3y-that-nobody-prints';
  let dir: string;
  let good: Record<string, string>;

  before(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-config-'));
    const file = path.join(dir, 'key');
    writeFileSync(file, `${KEY}\n`);
    good = {
      SAAS_ODOO_URL: 'https://shop.example.com/',
      SAAS_ODOO_DB: 'master',
      SAAS_ODOO_LOGIN: 'bridge',
      SAAS_ODOO_API_KEY_FILE: file,
    };
  });
  after(() => rmSync(dir, { recursive: true }));

  /** The lines of the refusal; none when all is well. */
  function problems(env: Record<string, string>): string[] {
    try {
      loadConfig(env);
      return [];
    } catch (error) {
      expect(error).instanceOf(TerminalError).with.property('code', 'config.invalid');
      const text = `${(error as TerminalError).message} ${(error as TerminalError).advice}`;
      expect(text).not.contain(KEY);
      return (error as TerminalError).message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
    }
  }

  it('needs an address, a database, a login and a key file, and has a default for all else', () => {
    const config = loadConfig({ ...good, PATH: '/bin', SAAS_SCOPE: '' });
    expect(config.odoo).deep.include({
      url: 'https://shop.example.com',
      db: 'master',
      login: 'bridge',
      timeoutMs: 20_000,
    });
    expect(config.odoo.apiKey.reveal()).equal(KEY);
    expect(config.poll).deep.equal({ intervalMs: 2_000, fullIntervalMs: 3_600_000 });
    expect(config.docker).deep.equal({ socketPath: '/var/run/docker.sock', timeoutMs: 60_000 });
    expect(config.instances).deep.equal({
      scope: 'default',
      odooImage: 'odoo:19.0',
      postgresImage: 'postgres:17',
      languages: ['es_ES', 'en_US'],
      bindAddress: '127.0.0.1',
      portBase: 20_000,
      maxSlots: 6_384,
      subnetPool: '10.208.0.0/12',
      urlTemplate: 'http://{name}.localhost:{port}',
      proxyMode: false,
    });
    expect(config.policy).deep.equal({
      timeZone: 'Europe/Madrid',
      unpaidOrderGraceDays: 3,
      expiringSoonDays: 7,
      reminderDays: [7, 3, 1],
      deletionWarningDays: [14, 7, 1],
      pendingPaymentDays: 5,
      vanishedPaymentHours: 24,
      storageGraceDays: 7,
    });
    expect(config.exports).deep.equal({ dir: '/var/lib/saas-bridge/exports', keptDays: 90 });
    expect(config.firstToExpire).equal(false);
    expect(config.monitorIntervalMs).equal(30_000);
    expect(config.usageIntervalMs).equal(6 * 3_600_000);
    expect(config.storePath).equal('/var/lib/saas-bridge/bridge.sqlite');
    expect(config.http).deep.equal({ host: '127.0.0.1', port: 8068 });
    expect(config.log).deep.equal({ level: 'info', format: 'auto', file: null });
    expect(config.clockOffset.toMillis()).equal(0);
    expect(config.concurrency).equal(4);
  });

  it('tells everything that is wrong at once, each with its name and what would be right', () => {
    const found = problems({ SAAS_POLL_INTERVAL: 'soon', SAAS_CONCURRENCY: '0', SAAS_ODOO_ULR: 'http://x' });
    expect(found).members([
      'SAAS_ODOO_ULR: is not a setting; see README.md for their names',
      'SAAS_ODOO_URL: is missing; an address such as https://shop.example.com',
      'SAAS_ODOO_DB: is missing; the name of the master database',
      'SAAS_ODOO_LOGIN: is missing; the login of the API user',
      'SAAS_ODOO_API_KEY_FILE: is missing; the file that holds the API key of SAAS_ODOO_LOGIN',
      'SAAS_POLL_INTERVAL: must be a number of seconds from 0.2 to 3600',
      'SAAS_CONCURRENCY: must be at least 1',
    ]);
  });

  it('says how many settings are wrong', () => {
    expect(() => loadConfig({ ...good, SAAS_SCOPE: 'A' })).throw('1 setting is wrong:');
    expect(() => loadConfig({ ...good, SAAS_SCOPE: 'A', SAAS_PROXY_MODE: 'maybe' })).throw('2 settings are wrong:');
  });

  it('takes the key from a file only', () => {
    const { SAAS_ODOO_API_KEY_FILE: file = '', ...rest } = good;
    const empty = path.join(dir, 'empty');
    writeFileSync(empty, ' \n');
    expect(problems({ ...good, SAAS_ODOO_API_KEY: KEY })).deep.equal([
      'SAAS_ODOO_API_KEY: a secret is not taken from the environment; write it to a file and set SAAS_ODOO_API_KEY_FILE to its path',
    ]);
    expect(problems({ ...rest, SAAS_ODOO_API_KEY_FILE: empty })).deep.equal([
      `SAAS_ODOO_API_KEY_FILE: must be the file that holds the API key of SAAS_ODOO_LOGIN; ${empty} is empty`,
    ]);
    expect(problems({ ...rest, SAAS_ODOO_API_KEY_FILE: `${file}.no` }).join()).match(
      /^SAAS_ODOO_API_KEY_FILE: must be the file .* of SAAS_ODOO_LOGIN; it cannot be read \(ENOENT/,
    );
    expect(problems({ ...rest, SAAS_ODOO_API_KEY_FILE: dir }).join()).match(/cannot be read \(EISDIR/);
  });

  it('never prints the key', () => {
    const { odoo } = loadConfig(good);
    expect(`${odoo.apiKey} ${JSON.stringify(odoo)}`)
      .contain('[redacted]')
      .not.contain(KEY);
  });

  const table: { name: string; good: string[]; bad: string[] }[] = [
    {
      name: 'SAAS_ODOO_URL',
      good: ['http://localhost:8069', 'https://shop.example.com/odoo/'],
      bad: [
        'shop.example.com',
        'ftp://shop',
        'https://',
        'https://me:secret@shop',
        'https://shop/?db=x',
        'https://a#b',
      ],
    },
    { name: 'SAAS_ODOO_TIMEOUT', good: ['1', '300', '2.5'], bad: ['0.9', '301', 'x', 'Infinity'] },
    { name: 'SAAS_POLL_INTERVAL', good: ['0.2', '3600'], bad: ['0.1', '3601', '-1', 'NaN'] },
    { name: 'SAAS_FULL_POLL_INTERVAL', good: ['10', '86400'], bad: ['9', '86401'] },
    { name: 'SAAS_DOCKER_TIMEOUT', good: ['1', '600'], bad: ['0', '601'] },
    {
      name: 'SAAS_SCOPE',
      good: ['a', 'test1', 'a234567890123456'],
      bad: ['1a', 'Test', 'a-b', 'a2345678901234567', '../x'],
    },
    { name: 'SAAS_LANGUAGES', good: ['es_ES', 'es,en_US,ast_ES'], bad: ['spanish', 'es_ES,', 'es_es', 'es en'] },
    {
      name: 'SAAS_EDGE_ADDRESSES',
      good: ['198.51.100.7', '198.51.100.7, 2001:DB8::7'],
      bad: ['edge.example.com', '198.51.100', '198.51.100.7,', '1.1.1.1:443'],
    },
    {
      name: 'SAAS_EDGE_SOCKET',
      good: ['127.0.0.1:443', '[::1]:8443'],
      bad: ['443', 'edge:443', '127.0.0.1:0', '::1:443'],
    },
    {
      name: 'SAAS_DNS_SERVERS',
      good: ['9.9.9.9', '127.0.0.1:5353,[::1]:53', '2001:db8::1'],
      bad: ['dns.example.com', '9.9.9.9:0', '9.9.9.9;1.1.1.1', '1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5'],
    },
    { name: 'SAAS_BIND_ADDRESS', good: ['0.0.0.0', '::', '::1'], bad: ['localhost', '300.0.0.1', '1.2.3'] },
    {
      name: 'SAAS_PORT_RANGE',
      good: ['1024-1025', '20000-65535'],
      bad: ['80-90', '2000', '3000-3000', '3000-2000', '60000-65536', 'a-b'],
    },
    {
      name: 'SAAS_SUBNET_POOL',
      good: ['10.0.0.0/8', '172.16.0.0/12', '192.168.5.0/24', '100.64.0.0/10'],
      bad: [
        '10.0.0.0/7',
        '10.0.0.0/25',
        '10.0.0.0',
        '999.0.0.0/8',
        '8.8.0.0/16',
        '172.0.0.0/8',
        '192.0.2.0/24',
        '10.0.0/16',
      ],
    },
    {
      name: 'SAAS_INSTANCE_URL',
      good: [
        'http://{name}.localhost:{port}',
        'http://localhost:{port}',
        'http://127.0.0.1:{port}',
        'http://[::1]:{port}',
        'https://{name}.example.com',
        'https://odoo-{name}.example.com:8443',
      ],
      bad: [
        // Cookies know no ports.
        'http://203.0.113.7:{port}',
        'https://example.com:{port}',
        'https://{name}.example.com:{port}',
        'https://localhost.example.com:{port}',
        'https://127.0.0.1.example.com:{port}',
        // The name is not in the host.
        'https://{name}@example.com',
        'https://{name}@example.com:{port}',
        'https://example.com?{name}',
        'https://example.com#{name}',
        'http://localhost',
        '{name}.example.com',
        'https://{nmae}.example.com',
        'https://{name}.{x}',
        'https://{name}/a',
      ],
    },
    { name: 'SAAS_PROXY_MODE', good: ['yes', 'no', 'true', 'false', '1', '0'], bad: ['on', 'maybe'] },
    { name: 'SAAS_CONCURRENCY', good: ['1', '64'], bad: ['0', '65', '1.5', 'x'] },
    { name: 'SAAS_TIME_ZONE', good: ['UTC', 'Atlantic/Canary'], bad: ['Madrid', 'Mars/Base'] },
    { name: 'SAAS_UNPAID_ORDER_GRACE_DAYS', good: ['0', '90'], bad: ['-1', '91', '0.5'] },
    { name: 'SAAS_EXPIRING_SOON_DAYS', good: ['0', '90'], bad: ['-1', '91'] },
    { name: 'SAAS_REMINDER_DAYS', good: ['7,3,1', '0', '999', 'none'], bad: ['1000', '7, 3', '7,', '-1', 'x', 'None'] },
    { name: 'SAAS_DELETION_WARNING_DAYS', good: ['14', '1,14', 'none'], bad: ['1.5', ',1', 'never'] },
    { name: 'SAAS_VANISHED_PAYMENT_HOURS', good: ['0', '2160'], bad: ['-1', '2161', '1.5'] },
    { name: 'SAAS_PENDING_PAYMENT_DAYS', good: ['0', '90'], bad: ['-1', '91', '0.5'] },
    { name: 'SAAS_STORAGE_GRACE_DAYS', good: ['0', '365'], bad: ['-1', '366'] },
    { name: 'SAAS_EXPORT_DAYS', good: ['0', '3650'], bad: ['-1', '3651', 'x'] },
    { name: 'SAAS_AMBIGUOUS_RENEWAL', good: ['ask', 'first-to-expire'], bad: ['first', 'yes'] },
    { name: 'SAAS_MONITOR_INTERVAL', good: ['1', '3600'], bad: ['0', '3601', 'x'] },
    { name: 'SAAS_USAGE_INTERVAL', good: ['10', '604800'], bad: ['9', '604801'] },
    { name: 'SAAS_CLOCK_OFFSET', good: ['P7D', 'PT2H', '-P1D', 'P100Y'], bad: ['7d', '7', 'P101Y', '-P1000000Y'] },
    { name: 'SAAS_HTTP_PORT', good: ['0', '65535'], bad: ['-1', '65536', 'http'] },
    { name: 'SAAS_LOG_LEVEL', good: ['debug', 'info', 'warn', 'error'], bad: ['verbose', 'INFO'] },
    { name: 'SAAS_LOG_FORMAT', good: ['auto', 'json', 'pretty'], bad: ['text'] },
  ];
  for (const { name, good: right, bad } of table) {
    it(`${name}: takes ${right.join(' ')}, refuses ${bad.join(' ')}`, () => {
      for (const value of right) expect(problems({ ...good, [name]: value }), value).deep.equal([]);
      for (const value of bad) {
        const found = problems({ ...good, [name]: value });
        expect(found.length, value).least(1);
        for (const problem of found) expect(problem, value).match(new RegExp(`^${name}: must be `));
      }
    });
  }

  it('takes days in any order, each once, and none for no mail at all', () => {
    const { policy } = loadConfig({ ...good, SAAS_REMINDER_DAYS: '1,7,3,7', SAAS_DELETION_WARNING_DAYS: 'none' });
    expect(policy.reminderDays).deep.equal([7, 3, 1]);
    expect(policy.deletionWarningDays).deep.equal([]);
  });

  it('keeps final copies where it is told, for as long as it is told', () => {
    const env = { ...good, SAAS_EXPORT_DIR: '/srv/../srv/copies', SAAS_EXPORT_DAYS: '0' };
    expect(loadConfig(env).exports).deep.equal({ dir: '/srv/copies', keptDays: 0 });
  });

  it('gives no more slots than the ports and the subnets are for', () => {
    const slots = (env: Record<string, string>) => loadConfig({ ...good, ...env }).instances.maxSlots;
    expect(slots({ SAAS_PORT_RANGE: '20000-20004' })).equal(2);
    expect(slots({ SAAS_SUBNET_POOL: '192.168.5.0/24' })).equal(16);
  });

  it('lists its names for --help', () => {
    expect(CONFIG_NAMES).include.members(['SAAS_ODOO_API_KEY_FILE', 'SAAS_LOG_FILE']).not.include('SAAS_ODOO_API_KEY');
  });

  it('behind an edge wants https addresses without a port, and instances that believe it', () => {
    const edge = { ...good, SAAS_EDGE_DIR: '/srv/edge' };
    expect(problems(edge).map((line) => line.split(':')[0])).deep.equal(['SAAS_INSTANCE_URL', 'SAAS_PROXY_MODE']);
    const right = { ...edge, SAAS_INSTANCE_URL: 'https://{name}.example.com', SAAS_PROXY_MODE: 'yes' };
    expect(loadConfig(right).edge.dir).equal('/srv/edge');
    expect(loadConfig(good).edge.dir).equal(null);
  });
});
