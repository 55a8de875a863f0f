/** Backups on the real engine, with restic, of an instance whose customer works. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type Docker from 'dockerode';
import S3rver from 's3rver';
import { type Credentials, NO_CREDENTIALS, repositoriesIn } from '../../src/backup/repositories.js';
import { parseTarget } from '../../src/backup/target.js';
import { BOUNDS, type Bounds } from '../../src/docker/engine/bounds.js';
import type { Engine } from '../../src/docker/engine/engine.js';
import { plainLog } from '../../src/docker/engine/streams.js';
import { type JobMount, runJob } from '../../src/docker/engine/task.js';
import type { Fleet } from '../../src/docker/fleet.js';
import { BACKUP_IMAGE } from '../../src/docker/instance/backups.js';
import { secretsArchive, targetMounts, WAY_OUT } from '../../src/docker/instance/repository-task.js';
import type { BackupOptions, Repository } from '../../src/instance/backups.js';
import { LABEL } from '../../src/instance/naming.js';
import { deriveSecrets } from '../../src/instance/secrets.js';
import type { InstanceSpec } from '../../src/instance/spec.js';
import { messageOf } from '../../src/lib/errors.js';
import { Secret } from '../../src/lib/secret.js';
import { docker } from '../support/engine.js';
import { loneInstance } from '../support/lone.js';
import { queryJob } from '../support/query.js';

const KEY = randomBytes(32);
const KEEP = { daily: 7, weekly: 4, monthly: 12 };
const FIRST: BackupOptions = { mustExist: false, tag: 'nightly', keep: null };
const AGAIN: BackupOptions = { mustExist: true, tag: 'nightly', keep: { ...KEEP, prune: true } };
const AT_WORK: Bounds = {
  ...BOUNDS.install,
  user: 'root',
  capabilities: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'],
  seconds: 120,
};

/** A rest-server behind a login, and an SFTP server that lets a key in. */
const SERVERS = `printf 'saas:{SHA}%s\\n' "$(printf 'p:@/w' | openssl dgst -sha1 -binary | base64)" >/srv/htpasswd
ssh-keygen -A >/dev/null
install -d -m 700 /root/.ssh /srv/sftp /srv/rest
ssh-keygen -q -t ed25519 -N '' -f /srv/key
cp /srv/key.pub /root/.ssh/authorized_keys
restic-rest-server --path /srv/rest --htpasswd-file /srv/htpasswd &
exec /usr/sbin/sshd -D -e`;

describe('backups', function () {
  this.timeout(300_000);
  const lone = loneInstance('acme', KEY);
  const { scope, release, spec: acme, names, labels } = lone;
  const volume = `${scope}_target`;

  let engine: Engine;
  let fleet: Fleet;
  let stop: () => Promise<void>;

  before(async () => {
    ({ engine, fleet, stop } = await lone.start());
  });

  after(() => stop());

  function repositoryIn(text: string, credentials: Credentials = NO_CREDENTIALS, key = KEY): Repository {
    const target = parseTarget(text);
    if (!target) return expect.fail(text);
    const secretsOf = (instanceKey: string) => deriveSecrets(key, instanceKey);
    return repositoriesIn({ target, credentials, scope, fingerprint: 'f'.repeat(16), secretsOf })(acme.key);
  }
  const own = () => repositoryIn(`volume:${volume}`);
  const make = (repository: Repository, options: BackupOptions = FIRST) =>
    fleet.backups.make(acme, repository, options);
  const refusal = (work: Promise<unknown>): Promise<{ code?: string; message?: string }> =>
    work.then(
      () => expect.fail('it was done'),
      (error) => error,
    );

  /** The script sees what targets.sh prepares, and the repository to write. */
  async function inRepository(script: string, repository = own(), more: JobMount[] = []): Promise<string> {
    const open = `values=/dev/shm/values; mkdir $values; tar -x -C $values
      export RESTIC_REPOSITORY_FILE=$values/repository RESTIC_PASSWORD_FILE=$values/password; set -e`;
    const { output } = await runJob(engine, {
      name: `${scope}_look`,
      image: BACKUP_IMAGE,
      entrypoint: ['bash', '-c', `${open}; ${script}`],
      labels,
      bounds: AT_WORK,
      mounts: [...targetMounts(repository, false), ...more],
      stdin: secretsArchive(repository),
      keepBytes: 100_000,
    });
    return output.trim();
  }
  const sql = async (text: string): Promise<string> => {
    const password = fleet.secretsOf(acme.key).dbPassword.reveal();
    const { network } = names;
    const job = queryJob({ ...{ scope, labels, network, password }, image: release.postgresImage, sql: text });
    const { output } = await runJob(engine, job);
    return output.trim();
  };

  const inFilestore = (script: string) =>
    runJob(engine, {
      name: `${scope}_files`,
      image: release.postgresImage,
      entrypoint: ['bash', '-c', `set -e; cd /filestore; ${script}`],
      labels,
      bounds: AT_WORK,
      mounts: [{ volume: names.filestore, target: '/filestore' }],
    });

  it('hold database and files of one moment, and how many rows each table had', async () => {
    await sql("UPDATE res_partner SET name = 'Typed in by the customer' WHERE id = 3");
    const first = await make(own());
    expect(first.bytes).above(1e6);
    expect(first.kept).equal(null);
    expect(await inRepository('restic dump -q latest /scratch/odoo.sql | tail -n 20')).to.contain(
      'database dump complete',
    );
    expect(await inRepository('restic dump -q latest /scratch/odoo.sql | grep -c "Typed in by the customer"')).equal(
      '1',
    );
    const rows = (await inRepository('restic dump -q latest /scratch/rows')).split('\n');
    expect(rows).to.include(`public.res_partner ${await sql('SELECT count(*) FROM res_partner')}`);
    expect(rows.length).equal(Number(await sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")));
    const files = await inRepository(
      'restic ls -q latest /data/filestore/odoo --recursive | grep -cE "/[0-9a-f]{40}$"',
    );
    expect(Number(files)).above(50);
  });

  it('add little when little has changed, in a second or two', async () => {
    const startedAt = performance.now();
    const { addedBytes, kept, moments } = await make(own(), AGAIN);
    expect(addedBytes).below(3e6);
    expect(kept).equal(null);
    const listed = (await fleet.backups.list(acme, own())).map(({ at }) => at);
    expect(moments, 'the newest first').deep.equal(listed.toReversed());
    expect(performance.now() - startedAt).below(60_000);
    expect(JSON.parse(await inRepository('restic snapshots -q --json'))).to.have.length(2);
    expect(await inRepository('restic check -q && echo whole')).equal('whole');
  });

  it('keep what there was before a restore for months, not for ever', async () => {
    const before = (time: string) => `restic backup -q --host instance --tag before --time '${time}' /etc/hostname`;
    await inRepository(`${before('2020-01-01 00:00:00')}; ${before('2026-01-01 00:00:00')}`);
    await make(own(), AGAIN);
    const there = JSON.parse(await inRepository('restic snapshots -q --json --tag before')) as { time: string }[];
    expect(there.map(({ time }) => time.slice(0, 10))).deep.equal(['2026-01-01']);
    await inRepository('restic forget -q --host instance --tag before --unsafe-allow-remove-all');
  });

  it('are proven by a restore: files, rows, and an Odoo that lets a user in', async () => {
    const { snapshot } = await make(own());
    await fleet.backups.prove(acme, own(), snapshot);
    const left = ((await docker.listVolumes({ filters: { name: [`${scope}_odoo_cliente_acme_trial`] } })).Volumes ?? [])
      .length;
    expect(left).equal(0);
  });

  it('are found not to be whole: rows and files that are missing', async () => {
    const [file] = (await sql('SELECT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL LIMIT 1')).split(
      '\n',
    );
    const inFiles = (script: string) => inFilestore(`cd filestore/odoo; ${script}`);
    await inFiles(`mv ${file} /filestore/aside`);
    const { snapshot: without } = await make(own());
    expect(await refusal(fleet.backups.prove(acme, own(), without))).to.include({ code: 'backup.not_whole' });
    await inFiles(`cp -a /filestore/aside ${file}; echo more >>${file}`);
    const { snapshot: other } = await make(own());
    const wrong = await refusal(fleet.backups.prove(acme, own(), other));
    expect(wrong).to.include({ code: 'backup.not_whole' });
    expect(wrong.message).to.contain('not what its name says');
    await inFiles(`mv /filestore/aside ${file}`);
  });

  it('are found to be damaged on the disk of the target', async () => {
    const { snapshot } = await make(repositoryIn(`volume:${scope}_damaged`));
    const damaged = repositoryIn(`volume:${scope}_damaged`);
    await inRepository(
      `file=$(find /repository/*/*/data -type f -size +500k | head -n 1)
      chmod u+w $file; printf XXXXXXXX | dd of=$file bs=1 seek=300000 conv=notrunc status=none`,
      damaged,
    );
    const found = await refusal(fleet.backups.prove(acme, damaged, snapshot));
    expect(found.code).to.match(/^backup\.(damaged|not_whole)$/);
  });

  it('are found to be damaged where only an older one needs what is gone', async () => {
    const repository = repositoryIn(`volume:${scope}_older`);
    const big = 'filestore/aa/of-the-older-one';
    await inFilestore(`mkdir -p $(dirname ${big}); head -c 9000000 /dev/urandom >${big}`);
    await make(repository);
    await inFilestore(`rm ${big}`);
    const { snapshot } = await make(repository, AGAIN);
    // The largest is the one with the file that no newer backup has.
    await inRepository(
      'file=$(find /repository/*/*/data -type f -printf "%s %p\\n" | sort -n | tail -n 1 | cut -d" " -f2); rm -f $file',
      repository,
    );
    expect(await refusal(fleet.backups.prove(acme, repository, snapshot))).to.include({ code: 'backup.damaged' });
  });

  it('show neither password nor address of a login to anybody who looks at the engine', async () => {
    const seen: string[] = [];
    const making = make(own(), AGAIN);
    for (let done = false; !done; ) {
      done = await Promise.race([
        making.then(() => true),
        new Promise<false>((resolve) => setTimeout(resolve, 50, false)),
      ]);
      for (const { Id } of await docker.listContainers({
        all: true,
        filters: { label: [`${LABEL.scope}=${scope}`, 'saas.role=job'] },
      })) {
        seen.push(
          JSON.stringify(
            await docker
              .getContainer(Id)
              .inspect()
              .catch(() => ''),
          ),
        );
      }
    }
    expect(seen.some((text) => text.includes('_backup'))).equal(true);
    const { backupPassword, dbPassword } = fleet.secretsOf(acme.key);
    for (const secret of [backupPassword, dbPassword]) expect(seen.join()).not.to.contain(secret.reveal());
  });

  it('never begin anew where there were some', async () => {
    const lost = repositoryIn(`volume:${scope}_lost`);
    expect(await refusal(make(lost, AGAIN))).to.include({ code: 'backup.missing' });
    await make(lost);
  });

  it('say that the repository was made with another key', async () => {
    const other = repositoryIn(`volume:${volume}`, NO_CREDENTIALS, randomBytes(32));
    expect(await refusal(make(other))).to.include({ code: 'backup.password' });
  });

  it('go on where a dead client has left its lock', async () => {
    // A prune that is killed leaves an exclusive one.
    await inRepository(`mkfifo /tmp/hold; (restic prune -q --repack-cacheable-only & p=$!
      for i in $(seq 500); do ls /repository/*/*/locks | grep -q . && break; sleep 0.01; done; kill -9 $p) || true`);
    expect(Number(await inRepository('ls /repository/*/*/locks | wc -l'))).above(0);
    await make(own(), AGAIN);
  });

  it('say that the target is full, and are whole again when it has room', async () => {
    await docker.createVolume({
      Name: `${scope}_small`,
      DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=3m' },
    } as never);
    const failed = await refusal(make(repositoryIn(`volume:${scope}_small`)));
    expect(failed).to.include({ code: 'backup.full' });
  });

  it('say that the target cannot be reached, and do not wait for it', async () => {
    const startedAt = performance.now();
    const away = repositoryIn('rest:http://127.0.0.1:9/');
    expect(await refusal(make(away))).to.include({ code: 'backup.unreachable' });
    expect(performance.now() - startedAt).below(90_000);
  });

  it('say that the database cannot be read', async () => {
    await fleet.runtime.stopDb(acme);
    expect(await refusal(make(own(), AGAIN))).to.include({ code: 'backup.database' });
    await fleet.runtime.startDb(acme);
  });

  it('leave a whole repository behind when the task is killed', async () => {
    const making = refusal(make(own(), AGAIN));
    const jobs = [`${LABEL.scope}=${scope}`, `${LABEL.role}=job`];
    for (let id: string | undefined; !id; ) {
      id = (await engine.listContainers(jobs)).find(({ State }) => State === 'running')?.Id;
      if (id) await engine.removeContainer(id);
    }
    expect(messageOf(await making)).to.match(/code 137|No such container|removal|backup/i);
    await make(own(), AGAIN);
    expect(await inRepository('restic check -q && echo whole')).equal('whole');
  });

  describe('in a target elsewhere', () => {
    let targets: Docker.Container;
    let address = '';
    const inside = async (script: string): Promise<string> => {
      const exec = await targets.exec({ Cmd: ['bash', '-c', script], AttachStdout: true, AttachStderr: true });
      const stream = await exec.start({});
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return plainLog(Buffer.concat(chunks));
    };

    before(async () => {
      await engine.createNetwork(WAY_OUT, {}).catch(() => undefined);
      targets = await docker.createContainer({
        Image: 'saas-bridge/targets',
        name: `${scope}_targets`,
        Labels: labels,
        Cmd: ['bash', '-c', SERVERS],
        HostConfig: { NetworkMode: WAY_OUT },
      });
      await targets.start();
      const { NetworkSettings } = await targets.inspect();
      address = NetworkSettings.Networks[WAY_OUT]?.IPAddress ?? expect.fail('it has no address');
      const servers = 'exec 3<>/dev/tcp/127.0.0.1/8000 && exec 4<>/dev/tcp/127.0.0.1/22 && echo both';
      for (let tries = 0; tries < 100 && !(await inside(servers)).includes('both'); tries++) await sleep(200);
    });
    after(() => targets.remove({ force: true }));

    it('are in a rest-server, behind a login, and a wrong one is told', async () => {
      const of = (login: string) =>
        repositoryIn(`rest:http://${address}:8000`, { ...NO_CREDENTIALS, login: new Secret(login) });
      await fleet.backups.probe(of('saas:p:@/w'));
      expect(await refusal(make(of('saas:wrong')))).to.include({ code: 'backup.refused' });
      const { snapshot } = await make(of('saas:p:@/w'));
      expect((await fleet.backups.list(acme, of('saas:p:@/w'))).map(({ id }) => id)).deep.equal([snapshot]);
    });

    it('are on an SFTP server whose key is known, and on no other', async () => {
      const login = new Secret(await inside('cat /srv/key'));
      const hostKey = (await inside('cat /etc/ssh/ssh_host_ed25519_key.pub')).trim();
      const of = (key: string) => {
        const knownHosts = new Secret(`${address} ${key}`);
        return repositoryIn(`sftp:root@${address}:/srv/sftp`, { ...NO_CREDENTIALS, login, knownHosts });
      };
      const other = (await inside('cat /srv/key.pub')).split(' ').slice(0, 2).join(' ');
      expect(await refusal(make(of(other)))).to.include({ code: 'backup.refused' });
      await make(of(hostKey.split(' ').slice(0, 2).join(' ')));
    });
  });

  describe('in S3', () => {
    let server: S3rver;
    let folder: string;
    let address = '';
    let ca: Secret;

    before(async () => {
      await engine.createNetwork(WAY_OUT, {}).catch(() => undefined);
      const { IPAM } = (await docker.getNetwork(WAY_OUT).inspect()) as { IPAM: { Config: { Gateway?: string }[] } };
      // The host, as seen from there.
      const host = IPAM.Config[0]?.Gateway ?? expect.fail('the network has no gateway');
      folder = await mkdtemp(join(tmpdir(), 'saas-s3-'));
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const subject = ['-subj', '/CN=s3', '-addext', `subjectAltName=IP:${host}`];
      await promisify(execFile)('openssl', [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject],
      ]);
      ca = new Secret(await readFile(cert, 'utf8'));
      server = new S3rver({
        ...{
          address: '0.0.0.0',
          port: 0,
          silent: true,
          directory: join(folder, 'buckets'),
          allowMismatchedSignatures: true,
        },
        ...{
          key: await readFile(key),
          cert: await readFile(cert),
          configureBuckets: [{ name: 'backups', configs: [] }],
        },
      });
      const { port } = await server.run();
      address = `s3:https://${host}:${port}/backups/saas`;
    });
    after(async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('are made over TLS, listed, restored on trial, and removed for good', async () => {
      const login = new Secret('S3RVER:S3RVER');
      const repository = repositoryIn(address, { ...NO_CREDENTIALS, login, ca });
      await fleet.backups.probe(repository);
      await make(repository);
      const { snapshot } = await make(repository, AGAIN);
      expect((await fleet.backups.list(acme, repository)).at(-1)?.id).equal(snapshot);
      await fleet.backups.prove(acme, repository, snapshot);
      await fleet.backups.remove(repository);
      expect(await fleet.backups.list(acme, repository)).deep.equal([]);
    });

    it('are refused where the key is wrong, at once', async () => {
      const login = new Secret('NOBODY:knows-it');
      const wrong = repositoryIn(address, { ...NO_CREDENTIALS, login, ca });
      const startedAt = performance.now();
      const refused = await refusal(make(wrong));
      expect(refused, refused.message).to.include({ code: 'backup.refused' });
      expect(await refusal(fleet.backups.probe(wrong))).to.include({ code: 'backup.refused' });
      expect(performance.now() - startedAt).below(45_000);
    });
  });

  it('are removed for good, with their folder, where that is asked for twice as well', async () => {
    const repository = repositoryIn(`volume:${scope}_gone`);
    await make(repository);
    for (const _time of [1, 2]) await fleet.backups.remove(repository);
    expect(await inRepository('ls /repository/*', repository)).equal('');
    expect(await refusal(make(repository, AGAIN))).to.include({ code: 'backup.missing' });
  });

  describe('of a former state', () => {
    it('bring a former state back: beside the instance, then in its place in seconds', async () => {
      const { runtime, backups } = fleet;
      const name = () => sql('SELECT name FROM res_partner WHERE id = 3');
      await sql("UPDATE res_partner SET name = 'Typed in' WHERE id = 3");
      const { snapshot } = await make(own());
      await sql("UPDATE res_partner SET name = 'Overwritten' WHERE id = 3");
      expect((await backups.list(acme, own())).at(-1)?.id).equal(snapshot);
      const restored: InstanceSpec = { ...acme, generation: 1 };
      await backups.restore(restored, own(), snapshot);
      // Its customer works on meanwhile.
      expect(await name()).equal('Overwritten');
      await runtime.removeContainers(acme);
      await runtime.fill(restored, { kind: 'template', modules: [] }, { mustExist: true });
      await runtime.startBoth(restored);
      await runtime.awaitReady(restored, { login: true, timeoutMs: 120_000 });
      await runtime.removeOthers(restored);
      expect(await name()).equal('Typed in');
      expect(await runtime.observe(acme)).to.include({ generation: 1 });
      const volumes = (await engine.listVolumes([`${LABEL.key}=${acme.key}`, `${LABEL.scope}=${scope}`])).map(
        (it) => it.name,
      );
      expect(volumes.sort()).deep.equal([names.config, `${names.filestore}_1`, `${names.pgdata}_1`].sort());
      // And what it has now is backed up as before.
      await backups.make(restored, own(), AGAIN);
    });

    it('of one that is deleted meanwhile hinder nothing, and leave a whole repository', async () => {
      const restored: InstanceSpec = { ...acme, generation: 1 };
      // The dump waits for it.
      const table = 'BEGIN; LOCK TABLE res_partner IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60);';
      const locking = sql(table).catch(() => undefined);
      await sleep(1_000);
      const making = refusal(fleet.backups.make(restored, own(), AGAIN));
      const isMade = async () =>
        (await engine.listContainers([`${LABEL.scope}=${scope}`])).some(({ Names }) => Names[0]?.endsWith('_backup'));
      for (let tries = 0; tries < 300 && !(await isMade()); tries++) await sleep(100);
      await fleet.runtime.removeContainers(restored);
      expect((await making).code).to.match(/^backup\.(database|no_data|failed)$/);
      await locking;
      await fleet.runtime.removeVolumes(restored);
      await fleet.runtime.removeNetwork(restored);
      expect(await inRepository('restic check -q && echo whole')).equal('whole');
    });

    it('leave no container behind', async () => {
      const jobs = () => engine.listContainers([`${LABEL.scope}=${scope}`, `${LABEL.role}=job`]);
      // The engine removes them by itself, a moment later.
      for (let tries = 0; tries < 100 && (await jobs()).length > 0; tries++) await sleep(100);
      expect(await jobs()).deep.equal([]);
    });
  });
});
