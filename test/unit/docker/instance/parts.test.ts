import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { BOUNDS, type Bounds, copyLimitBytes } from '../../../../src/docker/engine/bounds.js';
import { engineError, NotFoundError } from '../../../../src/docker/engine/errors.js';
import { tar } from '../../../../src/docker/engine/tar.js';
import { type Job, jobOptions } from '../../../../src/docker/engine/task.js';
import { closeJob } from '../../../../src/docker/instance/close.js';
import { exportJobs } from '../../../../src/docker/instance/export.js';
import { limitsJob } from '../../../../src/docker/instance/limits.js';
import { collect } from '../../../../src/docker/instance/observe.js';
import { rawCopyJob } from '../../../../src/docker/instance/raw-copy.js';
import { secretsJob } from '../../../../src/docker/instance/secrets.js';
import { seedJob } from '../../../../src/docker/instance/seed.js';
import { settingsJob } from '../../../../src/docker/instance/settings.js';
import { measureJob, parseStored, parseUsage } from '../../../../src/docker/instance/usage.js';
import { templateId, templateModules } from '../../../../src/docker/template/spec.js';
import { resourceNames } from '../../../../src/instance/naming.js';
import { PlaceTakenError } from '../../../../src/lib/errors.js';
import { Secret } from '../../../../src/lib/secret.js';
import { RELEASE } from '../../store/support.js';

describe('tar', () => {
  it('is read by tar', () => {
    const input = tar([
      { name: 'run/a', content: 'ñandú', mode: 0o400, uid: 999, gid: 998 },
      { name: 'b', content: Buffer.alloc(1024, 120), mode: 0o555 },
      { name: 'empty', content: '', mode: 0o644 },
    ]);
    const list = execFileSync('tar', ['-tv', '--numeric-owner', '-f', '-'], { input }).toString();
    expect(list).to.match(
      /^-r-------- 999\/998 +7 .* run\/a\n-r-xr-xr-x 0\/0 +1024 .* b\n-rw-r--r-- 0\/0 +0 .* empty\n$/,
    );
    expect(execFileSync('tar', ['-xO', '-f', '-', 'run/a'], { input }).toString()).to.equal('ñandú');
  });

  it('refuses names it cannot hold', () => {
    expect(() => tar([{ name: 'x'.repeat(101), content: '', mode: 0 }])).to.throw(RangeError);
  });
});

describe('engineError', () => {
  const fault = (statusCode: number | undefined, message: string, code?: string): Error =>
    Object.assign(new Error(message), { statusCode, code });
  const cases: [Error, code: string, retryable: boolean][] = [
    [fault(undefined, 'connect ENOENT', 'ENOENT'), 'docker.unreachable', true],
    [fault(undefined, 'connect EACCES', 'EACCES'), 'docker.unreachable', true],
    [new DOMException('late', 'TimeoutError'), 'docker.timeout', true],
    [fault(404, 'No such image: odoo:99'), 'docker.image_missing', false],
    [fault(404, 'No such container: x'), 'docker.not_found', true],
    [fault(409, 'Conflict. The container name "/x" is already in use'), 'docker.conflict', true],
    [fault(500, 'Bind for 127.0.0.1:80 failed: port is already allocated'), 'docker.port_taken', false],
    [fault(403, 'Pool overlaps with other one on this address space'), 'docker.subnet_taken', false],
    [fault(500, 'write /x: no space left on device'), 'docker.no_space', true],
    [fault(400, 'invalid reference'), 'docker.refused', false],
    [fault(500, 'failed to write 1 to memory.limit_in_bytes: device or resource busy'), 'docker.memory_in_use', true],
    [fault(500, 'oops'), 'docker.failed', true],
  ];
  for (const [error, code, retryable] of cases) {
    it(`${error.message} → ${code}`, () => {
      const mapped = engineError('start x', error);
      expect([mapped.code, mapped.retryable]).to.deep.equal([code, retryable]);
      expect(mapped.message).to.contain('start x');
      expect(mapped.advice).to.not.equal('');
    });
  }

  it('types what callers branch on', () => {
    expect(engineError('x', fault(500, 'port is already allocated'))).to.be.instanceOf(PlaceTakenError);
    expect(engineError('x', fault(404, 'gone'))).to.be.instanceOf(NotFoundError);
  });
});

describe('seedJob', () => {
  it('has five capabilities, no network, and the template read-only', () => {
    const release = RELEASE;
    const rendered = { names: resourceNames('default', 'acme'), labels: { 'saas.instance': 'acme' }, release };
    const from = { pgdataVolume: 't_pg', filestoreVolume: 't_fs' };
    const stdin = Promise.resolve(Buffer.alloc(0));
    const how = { from, mustExist: false, stdin };
    const job = seedJob({ seedScript: 'true' }, rendered, how);
    const volume = (Source: string, Target: string, ReadOnly: boolean) => ({
      Type: 'volume',
      Source,
      Target,
      ReadOnly,
      VolumeOptions: { NoCopy: true },
    });
    expect(jobOptions(job, '01234567', 'run')).to.deep.equal({
      name: 'odoo_cliente_acme_seed_01234567',
      Image: 'postgres:17',
      Entrypoint: ['bash', '-c', 'true', 'seed'],
      Cmd: ['fill'],
      Labels: { 'saas.instance': 'acme', 'saas.role': 'job', 'saas.run': 'run' },
      User: 'root',
      Healthcheck: { Test: ['NONE'] },
      AttachStdin: true,
      OpenStdin: true,
      StdinOnce: true,
      HostConfig: {
        AutoRemove: true,
        NetworkMode: 'none',
        CapDrop: ['ALL'],
        CapAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': 'size=16m,mode=1777,nosuid,nodev,noexec' },
        PidsLimit: 100,
        NanoCpus: BOUNDS.seed.cpus * 1e9,
        Memory: 512 * 1024 ** 2,
        MemorySwap: 512 * 1024 ** 2,
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
        Mounts: [
          volume('t_pg', '/template/pgdata', true),
          volume('t_fs', '/template/filestore', true),
          volume('odoo_cliente_acme_pgdata', '/instance/pgdata', false),
          volume('odoo_cliente_acme_filestore', '/instance/filestore', false),
          volume('odoo_cliente_acme_config', '/instance/config', false),
        ],
      },
    });
  });
});

describe('the other one-shot containers', () => {
  const rendered = { names: resourceNames('default', 'acme'), labels: { 'saas.instance': 'acme' } };
  const images = { postgresImage: 'postgres:17', odooImage: 'odoo:19.0' };
  const reach = (job: Job) => {
    const { User, HostConfig } = jobOptions(job, '01234567', 'run');
    const mounts = (HostConfig?.Mounts ?? []).map(({ Source, ReadOnly }) => `${Source}${ReadOnly ? ' read-only' : ''}`);
    return { User, NetworkMode: HostConfig?.NetworkMode, CapAdd: HostConfig?.CapAdd, mounts };
  };

  it('reach what they need and nothing else', () => {
    const limits = limitsJob({ limitsScript: 'true' }, images, { ...rendered, limitsJson: '{}' });
    expect(reach(limits)).to.deep.equal({
      User: 'root',
      NetworkMode: 'none',
      CapAdd: [],
      mounts: ['odoo_cliente_acme_config'],
    });
    const dbPassword = new Secret('hunter2');
    const measure = measureJob({ measureScript: 'true' }, images, rendered, { dbPassword });
    expect(reach(measure)).to.deep.equal({
      User: 'root',
      NetworkMode: 'odoo_cliente_acme_net',
      CapAdd: ['DAC_READ_SEARCH'],
      mounts: ['odoo_cliente_acme_pgdata read-only', 'odoo_cliente_acme_filestore read-only'],
    });
    expect(JSON.stringify(jobOptions(measure, '01234567', 'run'))).not.to.contain('hunter2');
    const close = closeJob({ files: { closeScript: 'true' }, release: images }, rendered);
    expect(reach(close)).to.deep.equal({
      User: 'postgres',
      NetworkMode: 'none',
      CapAdd: [],
      mounts: ['odoo_cliente_acme_pgdata'],
    });
    const raw = rawCopyJob({ files: { rawCopyScript: 'true' }, release: images, mostBytes: 7 }, rendered);
    expect(reach(raw)).to.deep.equal({
      User: 'root',
      NetworkMode: 'none',
      CapAdd: ['DAC_READ_SEARCH'],
      mounts: ['odoo_cliente_acme_pgdata read-only', 'odoo_cliente_acme_filestore read-only'],
    });
    const files = { dumpScript: 'true', packScript: 'pass' };
    const [dump, pack] = exportJobs({ files, release: images, mostBytes: 7 }, rendered);
    expect(pack.command).to.deep.equal(['7']);
    expect(reach(dump)).to.deep.equal({
      User: 'postgres',
      NetworkMode: 'none',
      CapAdd: [],
      mounts: ['odoo_cliente_acme_pgdata'],
    });
    expect(reach(pack)).to.deep.equal({
      User: 'odoo',
      NetworkMode: 'none',
      CapAdd: [],
      mounts: ['odoo_cliente_acme_filestore read-only'],
    });
  });
});

describe('secretsJob', () => {
  it("has the database volume alone, and no right on it but its owner's", () => {
    const rendered = { names: resourceNames('default', 'acme'), labels: {} };
    const job = secretsJob({ secretsScript: 'echo' }, RELEASE, rendered, Buffer.from('ALTER'));
    const { User, Env, Entrypoint, Cmd, HostConfig } = jobOptions(job, '0', 'run');
    expect({ User, network: HostConfig?.NetworkMode, added: HostConfig?.CapAdd }).to.deep.equal({
      ...{ User: 'postgres', network: 'none', added: [] },
    });
    expect(HostConfig?.Mounts?.map(({ Source }) => Source)).to.deep.equal(['odoo_cliente_acme_pgdata']);
    expect(JSON.stringify([Env, Entrypoint, Cmd])).to.not.contain('ALTER');
  });
});

describe('settingsJob', () => {
  it('has no volume, and the password nowhere but on its input', () => {
    const rendered = { names: resourceNames('default', 'acme'), labels: {} };
    const secrets = { dbPassword: new Secret('s3cret') };
    const job = settingsJob({ settingsScript: 'true' }, RELEASE, rendered, secrets, 'SELECT 1;');
    const { HostConfig, ...options } = jobOptions(job, '0', 'run');
    expect(HostConfig?.Mounts).to.deep.equal([]);
    expect(HostConfig).to.include({ NetworkMode: 'odoo_cliente_acme_net' });
    expect(String(job.stdin)).to.equal('*:*:*:*:s3cret\nSELECT 1;');
    expect(JSON.stringify([options, HostConfig]))
      .to.not.contain('s3cret')
      .and.not.contain('SELECT');
  });
});

describe('the bounds of tasks', () => {
  for (const [kind, bounds] of Object.entries<Bounds>(BOUNDS)) {
    it(`of ${kind} have an end, and none is the host's root`, () => {
      const { memoryMb, cpus, processes, seconds, capabilities } = bounds;
      expect(memoryMb).to.be.within(16, 4096);
      expect(cpus).to.be.within(0.1, 2);
      expect(processes).to.be.within(1, 200);
      expect(seconds).to.be.within(1, 6 * 3600);
      expect(capabilities.filter((name) => /SYS_|NET_|MKNOD|SETPCAP/.test(name))).to.deep.equal([]);
    });
  }

  const job = (changes: Partial<Job>): Job => ({
    ...{ name: 'x', image: 'x', entrypoint: ['x'], labels: {}, bounds: BOUNDS.seed },
    ...changes,
  });

  it('let nobody reach a network, or write to a root, who need not', () => {
    expect(() => jobOptions(job({ network: 'bridge' }), '0', 'run')).to.throw('x may not reach a network');
    const files = [{ name: 'a', content: '', mode: 0o400 }];
    expect(() => jobOptions(job({ files }), '0', 'run')).to.throw('x has no root');
  });

  it('of a copy follow from the plan', () => {
    const GB = 1024 ** 3;
    expect(copyLimitBytes(5)).to.equal(21 * GB);
    expect(copyLimitBytes(0)).to.equal(4097 * GB);
  });
});

describe('parseUsage', () => {
  const whole = 'users 3\ndatabase 22132403\nmodule web\nmodule base\nfilestore 31801344\n';

  it('reads what measure.sh prints', () => {
    expect(parseUsage(whole)).to.deep.equal({
      users: 3,
      databaseBytes: 22_132_403,
      filestoreBytes: 31_801_344,
      modules: ['base', 'web'],
    });
  });

  it('reads what is on the disk where the database says nothing, and only from where no database writes', () => {
    const stored = { databaseBytes: 5, filestoreBytes: 7 };
    expect(parseStored('database 5\nfilestore 7\nERROR: x\n')).to.deep.equal(stored);
    for (const other of ['', 'database \nfilestore 7\n', 'x\ndatabase 5\nfilestore 7\n', 'filestore 7\ndatabase 5\n']) {
      expect(parseStored(other), other).to.equal(null);
    }
  });

  it('reads when the administrator logged in last, if that is a time', () => {
    const of = (line: string) => parseUsage(`${line}\n${whole}`)?.loggedInAt;
    expect(of('login 1767225600')).to.equal('2026-01-01T00:00:00.000Z');
    for (const none of ['login ', 'login x', 'login -1', `login ${'9'.repeat(11)}`])
      expect(of(none)).to.equal(undefined);
  });

  it('leaves out what cannot be a module, and stops at 2000', () => {
    const strange = [
      'module a b',
      'module Ñ',
      'module ../x',
      `module ${'x'.repeat(65)}`,
      'module ',
      'users x',
      '\u0000',
    ];
    expect(parseUsage(`${strange.join('\n')}\n${whole}`)?.modules).to.deep.equal(['base', 'web']);
    const many = Array.from({ length: 5000 }, (_value, number) => `module m${number}\n`).join('');
    expect(parseUsage(many + whole)?.modules).to.have.length(2000);
  });

  it('takes nothing for a part of it', () => {
    for (const name of ['users', 'database', 'filestore']) {
      expect(parseUsage(whole.replace(name, `no_${name}`)), name).to.equal(null);
    }
    for (const wrong of ['-1', '1.5', '1e9', '', '9'.repeat(16)]) {
      expect(parseUsage(whole.replace('users 3', `users ${wrong}`)), wrong).to.equal(null);
    }
  });
});

describe('templates', () => {
  it('install base and web first, the rest once and sorted', () => {
    expect(templateModules(['sale', 'crm', 'web', 'crm'])).to.deep.equal(['base', 'web', 'crm', 'sale']);
  });

  it('have an id that depends on content, not on order', () => {
    const spec = { modules: ['sale', 'crm'], languages: ['es_ES', 'en_US'] };
    const id = templateId(['sha256:1', 'sha256:2'], spec);
    expect(id).to.match(/^[0-9a-f]{12}$/);
    expect(templateId(['sha256:1', 'sha256:2'], { modules: ['crm', 'sale'], languages: ['en_US', 'es_ES'] })).to.equal(
      id,
    );
    expect(templateId(['sha256:1', 'sha256:3'], spec)).not.to.equal(id);
    expect(templateId(['sha256:1', 'sha256:2'], { ...spec, modules: ['crm'] })).not.to.equal(id);
  });
});

describe('collect', () => {
  const labels = { 'saas.scope': 'default', 'saas.instance': 'acme', 'saas.key': 'sol:7', 'saas.slot': '3' };

  it('puts the lists together by instance', () => {
    const container = (role: string, State: string, Status: string) => ({
      Id: `id-${role}`,
      Names: [`/odoo_cliente_acme_${role}`],
      Image: `${role}:1`,
      Labels: { ...labels, 'saas.role': role, 'saas.spec': 'abc' },
      State,
      Status,
    });
    const found = collect(
      [
        container('db', 'running', 'Up 3 seconds'),
        container('odoo', 'exited', 'Exited (137) 2 hours ago'),
        container('job', 'running', ''),
      ],
      [{ labels }],
      [{ labels: { ...labels, 'saas.instance': 'gone', 'saas.key': 'sol:8', 'saas.slot': 'x' } }],
    );
    expect(Object.fromEntries(found)).to.deep.equal({
      'sol:7': {
        name: 'acme',
        key: 'sol:7',
        slot: 3,
        network: true,
        volumes: false,
        db: {
          id: 'id-db',
          name: 'odoo_cliente_acme_db',
          image: 'db:1',
          running: true,
          specHash: 'abc',
          exitCode: null,
          restarting: false,
        },
        odoo: {
          id: 'id-odoo',
          name: 'odoo_cliente_acme_odoo',
          image: 'odoo:1',
          running: false,
          specHash: 'abc',
          exitCode: 137,
          restarting: false,
        },
      },
      'sol:8': { name: 'gone', key: 'sol:8', slot: null, network: false, volumes: true, db: null, odoo: null },
    });
  });

  const states: [state: string, status: string, running: boolean, restarting: boolean][] = [
    ['running', 'Up 3 hours', true, false],
    ['restarting', 'Restarting (1) 2 seconds ago', true, true],
    ['exited', 'Exited (0) 5 seconds ago', false, false],
    ['paused', 'Up 5 seconds (Paused)', false, false],
  ];
  for (const [State, Status, running, restarting] of states) {
    it(`${Status} → ${running ? 'runs' : 'does not run'}${restarting ? ' and is restarted' : ''}`, () => {
      const Labels = { ...labels, 'saas.role': 'odoo' };
      const found = collect([{ Id: 'x', Names: ['/x'], Image: 'x:1', Labels, State, Status }], [], []).get(
        'sol:7',
      )?.odoo;
      expect(found).to.include({ running, restarting });
    });
  }
});
