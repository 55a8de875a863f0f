import { statfs } from 'node:fs/promises';
import { expect } from 'chai';
import { NO_CREDENTIALS, repositoriesIn } from '../../src/backup/repositories.js';
import { parseTarget } from '../../src/backup/target.js';
import { BOUNDS, type Bounds } from '../../src/docker/engine/bounds.js';
import type { Engine } from '../../src/docker/engine/engine.js';
import { runJob } from '../../src/docker/engine/task.js';
import { loadTemplates } from '../../src/docker/files.js';
import { BACKUP_IMAGE, createBackups } from '../../src/docker/instance/backups.js';
import { renderInstance } from '../../src/docker/instance/rendering.js';
import type { Backups, Repository } from '../../src/instance/backups.js';
import { LABEL } from '../../src/instance/naming.js';
import type { Space } from '../../src/instance/ports.js';
import type { InstanceSpec } from '../../src/instance/spec.js';
import { docker } from '../support/engine.js';
import { loneInstance } from '../support/lone.js';
import { queryJob } from '../support/query.js';

const AT_WORK: Bounds = { ...BOUNDS.install, user: 'root', capabilities: ['DAC_OVERRIDE'], seconds: 120 };
const GROWN_BYTES = 400 * 1024 ** 2;

describe('backups of a hostile customer', function () {
  this.timeout(300_000);
  const lone = loneInstance('mala');
  const { scope, settings, release, spec: mala, secretsOf, names, labels } = lone;

  let engine: Engine;
  let stop: () => Promise<void>;
  let repository: Repository;
  /** Of a disk that has room for some hundred megabytes more than there were at the beginning. */
  let backups: Backups;
  let atBegin: number;
  const freeBytes = async () => {
    const { bavail, bsize } = await statfs(await engine.rootDir());
    return bavail * bsize;
  };
  const space = async (): Promise<Space> => ({
    bytes: atBegin - (await freeBytes()) > GROWN_BYTES ? 0.1 : 0.5,
    inodes: 1,
  });

  before(async () => {
    ({ engine, stop } = await lone.start());
    const files = await loadTemplates();
    const render = (spec: InstanceSpec) => renderInstance(files, settings, spec, secretsOf(spec.key));
    backups = createBackups({ engine, files, render, secretsOf, space, image: BACKUP_IMAGE, scope });
    const target = parseTarget(`volume:${scope}_target`) ?? expect.fail('no target');
    repository = repositoriesIn({
      ...{ target, credentials: NO_CREDENTIALS, scope, fingerprint: 'f'.repeat(16), secretsOf },
    })(mala.key);
  });

  after(() => stop());

  const make = () => backups.make(mala, repository, { mustExist: false, tag: 'nightly', keep: null });
  const refusal = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => expect.fail('it was done'),
      (error) => error,
    );
  const inFiles = (script: string) =>
    runJob(engine, {
      name: `${scope}_files`,
      image: release.postgresImage,
      entrypoint: ['bash', '-c', `set -e; cd /filestore/filestore/odoo; ${script}`],
      labels,
      bounds: AT_WORK,
      mounts: [{ volume: names.filestore, target: '/filestore' }],
    });
  const sql = async (text: string): Promise<void> => {
    const password = secretsOf(mala.key).dbPassword.reveal();
    const { network } = names;
    await runJob(
      engine,
      queryJob({ ...{ scope, labels, network, password }, image: release.postgresImage, sql: text }),
    );
  };

  it('read no more than four times the plan, however little of it is on the disk', async () => {
    for (const files of ['truncate -s 1T zz', 'truncate -s 600M zz; for n in $(seq 20); do ln zz zz$n; done']) {
      await inFiles(files);
      const startedAt = performance.now();
      const refused = await refusal(make());
      expect(refused, files).to.include({ code: 'backup.too_large', retryable: true });
      expect(String(refused)).to.contain('the files are more than they may be');
      expect(performance.now() - startedAt).below(60_000);
      await inFiles('rm zz*');
    }
    expect((await make()).bytes).above(1e6);
  });

  it('end when what is restored grows as it is loaded, and leave nothing of it on the disk', async () => {
    // Four rows where its customer works, and no end where there is no network: as in the task that loads it.
    await sql(`CREATE FUNCTION public.grow() RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
        SELECT repeat(md5(n::text), 250) FROM generate_series(1, CASE WHEN inet_server_addr() IS NULL THEN 1000000000 ELSE 4 END) AS n $$;
      ALTER FUNCTION public.grow() SET search_path = pg_catalog;
      CREATE MATERIALIZED VIEW public.grown AS SELECT * FROM public.grow() AS line`);
    const { snapshot } = await make();
    atBegin = await freeBytes();
    const refused = await refusal(backups.prove(mala, repository, snapshot));
    expect(refused).to.include({ code: 'backup.no_space', retryable: true });
    expect(String(refused)).to.contain('the disk of the engine has no room for what is restored');
    expect((await docker.listVolumes({ filters: { name: [`${names.project}_trial`] } })).Volumes ?? []).to.deep.equal(
      [],
    );
    const tasks = await engine.listContainers([`${LABEL.scope}=${scope}`, `${LABEL.role}=job`]);
    expect(tasks.map(({ Names }) => Names)).to.deep.equal([]);
    await sql('DROP MATERIALIZED VIEW grown; DROP FUNCTION grow()');
    atBegin = await freeBytes();
    await backups.prove(mala, repository, (await make()).snapshot);
  });
});
