import { expect } from 'chai';
import { loadTemplates, sqlText, type Templates } from '../../../../src/docker/files.js';
import { containerOptions, parseCompose } from '../../../../src/docker/instance/compose.js';
import { personaliseSql } from '../../../../src/docker/instance/personalise.js';
import {
  DEFAULT_RELEASE,
  DEFAULT_SETTINGS,
  limits,
  renderInstance,
} from '../../../../src/docker/instance/rendering.js';
import { deriveSecrets } from '../../../../src/instance/secrets.js';
import type { InstanceSpec } from '../../../../src/instance/spec.js';
import { TerminalError } from '../../../../src/lib/errors.js';
import { placementAt } from '../../store/support.js';

const MB = 1024 * 1024;
const SPEC: InstanceSpec = {
  key: 'sol:7',
  name: 'acme',
  placement: placementAt(3),
  release: DEFAULT_RELEASE,
  cpu: 1,
  memoryMb: 1024,
  storageGb: 5,
  modules: ['crm'],
  url: 'https://acme.example.com',
  companyName: 'Acme "Ñ"\n$(id) {{x}} \'',
  contactName: 'Zoë',
  email: 'zoe@example.com',
  lang: 'es_ES',
  maxUsers: 3,
  egress: 'web',
  accountUrl: 'https://shop.example.com/my/saas',
};
const SECRETS = deriveSecrets(Buffer.alloc(32, 7), SPEC.key);

describe('renderInstance', () => {
  let files: Templates;
  before(async () => {
    files = await loadTemplates();
  });
  const render = (spec: InstanceSpec = SPEC) => renderInstance(files, DEFAULT_SETTINGS, spec, SECRETS);
  const labels = { 'saas.scope': 'default', 'saas.instance': 'acme', 'saas.key': 'sol:7', 'saas.slot': '3' };

  it('makes the database container from exactly this', () => {
    const { services, hashes } = render();
    expect(containerOptions(services.db)).to.deep.equal({
      name: 'odoo_cliente_acme_db',
      Image: 'postgres:17',
      User: 'postgres',
      Entrypoint: ['postgres'],
      Cmd: [
        'listen_addresses=*',
        'unix_socket_directories=',
        'shared_buffers=16MB',
        'max_connections=20',
        'jit=off',
        'wal_level=minimal',
        'max_wal_senders=0',
        'max_worker_processes=2',
        'max_parallel_workers=0',
        'max_logical_replication_workers=0',
        'autovacuum_max_workers=1',
        'max_wal_size=64MB',
        'temp_file_limit=2GB',
        'min_wal_size=4MB',
      ].flatMap((setting) => ['-c', setting]),
      Env: ['PGDATA=/var/lib/postgresql/data'],
      Labels: { ...labels, 'saas.role': 'db', 'saas.spec': hashes.db, 'saas.size': services.db.labels['saas.size'] },
      StopSignal: 'SIGINT',
      StopTimeout: 30,
      Healthcheck: {
        Test: ['CMD', 'pg_isready', '-q', '-h', '127.0.0.1', '-U', 'odoo'],
        Interval: 60e9,
        Timeout: 5e9,
        Retries: 3,
      },
      ExposedPorts: {},
      HostConfig: {
        Mounts: [
          {
            Type: 'volume',
            Source: 'odoo_cliente_acme_pgdata',
            Target: '/var/lib/postgresql/data',
            ReadOnly: false,
            VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: {} },
          },
        ],
        PortBindings: {},
        NetworkMode: 'odoo_cliente_acme_net',
        Memory: 256 * MB,
        MemorySwap: 256 * MB,
        NanoCpus: 5e8,
        PidsLimit: 100,
        CapDrop: ['ALL'],
        CapAdd: [],
        SecurityOpt: ['no-new-privileges:true'],
        ReadonlyRootfs: true,
        RestartPolicy: { Name: 'unless-stopped' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '5m', 'max-file': '2' } },
      },
      NetworkingConfig: { EndpointsConfig: { odoo_cliente_acme_net: { Aliases: ['db'] } } },
    });
  });

  it('makes the Odoo container from exactly this', () => {
    const { services, hashes } = render();
    const { Healthcheck, ...options } = containerOptions(services.odoo);
    expect(Healthcheck?.Test?.[0]).to.equal('CMD-SHELL');
    expect(options).to.deep.equal({
      name: 'odoo_cliente_acme',
      Image: 'odoo:19.0',
      User: 'odoo',
      Entrypoint: ['odoo'],
      Cmd: ['--config=/etc/odoo/odoo.conf', `--limit-memory-soft=${2048 * MB}`, `--limit-memory-hard=${2560 * MB}`],
      Env: ['MALLOC_ARENA_MAX=2'],
      Labels: {
        ...labels,
        'saas.role': 'odoo',
        'saas.conf': services.odoo.labels['saas.conf'],
        'saas.spec': hashes.odoo,
        'saas.size': services.odoo.labels['saas.size'],
      },
      StopTimeout: 30,
      ExposedPorts: { '8069/tcp': {} },
      HostConfig: {
        Mounts: [
          ...[
            { Source: 'odoo_cliente_acme_filestore', Target: '/var/lib/odoo', ReadOnly: false },
            { Source: 'odoo_cliente_acme_config', Target: '/etc/odoo', ReadOnly: true },
          ].map((mount) => ({
            Type: 'volume',
            ...mount,
            VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: {} },
          })),
          ...[
            { Target: '/tmp', ReadOnly: false, TmpfsOptions: { SizeBytes: 128 * MB, Mode: 0o1777 } },
            { Target: '/mnt/extra-addons', ReadOnly: true, TmpfsOptions: { SizeBytes: 4096, Mode: 0o1777 } },
          ].map((mount) => ({ Type: 'tmpfs', Source: '', ...mount })),
        ],
        PortBindings: {
          '8069/tcp': [
            { HostIp: '127.0.0.1', HostPort: '20006' },
            { HostIp: '127.0.0.1', HostPort: '20007' },
          ],
        },
        NetworkMode: 'odoo_cliente_acme_net',
        Memory: 768 * MB,
        MemorySwap: 768 * MB,
        NanoCpus: 1e9,
        PidsLimit: 200,
        CapDrop: ['ALL'],
        CapAdd: [],
        SecurityOpt: ['no-new-privileges:true'],
        ReadonlyRootfs: true,
        Init: true,
        RestartPolicy: { Name: 'unless-stopped' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      },
      NetworkingConfig: {
        EndpointsConfig: {
          odoo_cliente_acme_net: { Aliases: ['odoo'], IPAMConfig: { IPv4Address: '10.0.3.6' } },
        },
      },
    });
  });

  it('writes the file that the services were made from', () => {
    const { compose, services } = render();
    expect(parseCompose(compose)).to.deep.equal(services);
  });

  it('keeps secrets and what customers type out of the compose file', () => {
    const { compose } = render();
    const { dbPassword, adminPasswd, adminPassword, databaseSecret } = SECRETS;
    for (const secret of [dbPassword, adminPasswd, adminPassword, databaseSecret]) {
      expect(compose).not.to.contain(secret.reveal());
    }
    expect(compose).not.to.contain('Acme').and.not.to.contain('zoe');
  });

  it('hashes what a running container must be made again for, and its size apart', () => {
    const labelsOf = (change: Partial<InstanceSpec>) => {
      const { services, hashes } = render({ ...SPEC, ...change });
      return { hashes, sizes: [services.db.labels['saas.size'], services.odoo.labels['saas.size']] };
    };
    const { hashes, sizes } = labelsOf({});
    expect(labelsOf({})).to.deep.equal({ hashes, sizes });
    expect(labelsOf({ companyName: 'Renamed', maxUsers: 9, accountUrl: '' })).to.deep.equal({ hashes, sizes });
    for (const size of [{ memoryMb: 2048 }, { cpu: 2 }]) {
      const other = labelsOf(size);
      expect(other.hashes, JSON.stringify(size)).to.deep.equal(hashes);
      expect(other.sizes[0]).not.to.equal(sizes[0]);
      expect(other.sizes[1]).not.to.equal(sizes[1]);
    }
    expect(labelsOf({ placement: placementAt(4) }).hashes.odoo).not.to.equal(hashes.odoo);
    expect(labelsOf({ placement: placementAt(4) }).sizes).to.deep.equal(sizes);
  });

  it('makes Odoo again for another version of the module that limits users', () => {
    const [first, ...rest] = files.limitsModule;
    const changed = { ...files, limitsModule: [{ name: first?.name ?? '', content: 'changed' }, ...rest] };
    const hash = renderInstance(changed, DEFAULT_SETTINGS, SPEC, SECRETS).hashes;
    expect(hash.db).to.equal(render().hashes.db);
    expect(hash.odoo).not.to.equal(render().hashes.odoo);
  });

  it('trusts forwarded headers only behind a proxy', () => {
    const { services } = renderInstance(files, { ...DEFAULT_SETTINGS, proxyMode: true }, SPEC, SECRETS);
    expect(services.odoo.command).to.include('--proxy-mode');
  });

  it('refuses what no container can be made from', () => {
    for (const change of [{ name: '../x' }, { memoryMb: 10 }, { cpu: 0 }]) {
      expect(() => render({ ...SPEC, ...change }), JSON.stringify(change)).to.throw(TerminalError);
    }
  });

  it('refuses a compose file with a key it would not carry over', () => {
    const { compose } = render();
    expect(() => parseCompose(compose.replace('    init: true\n', '    privileged: true\n'))).to.throw('privileged');
  });
});

describe('limits', () => {
  it('share out exactly the memory that was sold', () => {
    for (const memoryMb of [256, 512, 1024, 4096, 32_768]) {
      const { db, odoo } = limits({ cpu: 2, memoryMb }, 8);
      expect(db.memoryBytes + odoo.memoryBytes).to.equal(memoryMb * MB);
    }
  });

  it('give a plan that is larger than the host all the processors there are', () => {
    const large = { cpu: 4, memoryMb: 1024 };
    expect(limits(large, 2)).to.deep.equal(limits({ ...large, cpu: 2 }, 2));
    expect(limits(large, 8).odoo.cpus).to.equal(4);
  });
});

describe('personaliseSql', () => {
  it('holds every value as hexadecimal digits only', async () => {
    const files = await loadTemplates();
    const sql = personaliseSql(files, SPEC, SECRETS, { passwordHash: '$pbkdf2$x', timeZone: 'Europe/Madrid' });
    for (const text of [SPEC.companyName, SPEC.contactName, SPEC.email, SPEC.url, SECRETS.databaseUuid, '$pbkdf2$x']) {
      expect(sql).to.contain(sqlText(text)).and.not.to.contain(text);
    }
    // Single-user mode ends a statement string at a semicolon before an empty line.
    expect(sql.trimEnd()).not.to.match(/;\s*\n\s*\n/);
  });
});
