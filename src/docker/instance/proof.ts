/**
 * A trial of a backup: restored into volumes of its own, compared with what was written at the backup, opened by an Odoo
 * that logs in, and thrown away. What is in it reaches no network.
 */
import type { Repository } from '../../instance/backups.js';
import { LABEL } from '../../instance/naming.js';
import type { Space } from '../../instance/ports.js';
import type { InstanceSpec } from '../../instance/spec.js';
import { BOUNDS } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { removeBusy } from '../engine/retry.js';
import { type Job, runJob, startJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { ANY_CODE, backupError, notWhole } from './backup-errors.js';
import type { Rendered } from './rendering.js';
import { secretsArchive, targetMounts, WAY_OUT } from './repository-task.js';
import { whileRoom } from './room.js';

const PGDATA = '/var/lib/postgresql/data';

export interface FetchContext {
  engine: Engine;
  files: Pick<Files, 'checkScript' | 'fetchScript' | 'loadScript' | 'serveScript' | 'proveScript'>;
  image: string;
  /** What is free of the disk that it is restored to. */
  space(): Promise<Space>;
}

/** Volumes that are filled from a backup. */
export interface FetchVolumes {
  pgdata: string;
  filestore: string;
}

/** Restores a snapshot and proves that it is whole. RetryableError `backup.not_whole` tells what is missing. */
export async function proveBackup(
  context: FetchContext,
  spec: InstanceSpec,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
  repository: Repository,
  snapshot: string,
): Promise<void> {
  const { engine } = context;
  const volumes = { pgdata: `${names.project}_trial_pgdata`, filestore: `${names.project}_trial_filestore` };
  // They are nobody's: not found by the key of the instance, whose data they are not.
  const own = { [LABEL.scope]: labels[LABEL.scope] ?? '', [LABEL.role]: 'trial' };
  await checkRepository(context, { names, labels }, repository);
  await removeAll();
  try {
    for (const volume of Object.values(volumes)) await engine.ensureVolume(volume, own);
    await fetchBackup(context, spec, { names, labels }, repository, snapshot, volumes);
    await openIn(context, spec, { names, labels }, volumes);
  } finally {
    await removeAll();
  }

  async function removeAll(): Promise<void> {
    for (const volume of Object.values(volumes)) await removeBusy(() => engine.removeVolume(volume));
  }
}

/** Older backups, too: what only they need. */
async function checkRepository(
  context: FetchContext,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
  repository: Repository,
): Promise<void> {
  const { exitCode, output } = await run(context, {
    name: `${names.project}_check`,
    image: context.image,
    entrypoint: ['bash', '-c', context.files.checkScript, 'check'],
    labels,
    bounds: BOUNDS.check,
    ...(repository.mount ? {} : { network: WAY_OUT }),
    mounts: targetMounts(repository, true),
    stdin: secretsArchive(repository),
  });
  if (exitCode !== 0) throw backupError(exitCode, output);
}

/** Fills empty volumes from a snapshot, and compares. What they hold before is removed. */
export async function fetchBackup(
  context: FetchContext,
  { release }: Pick<InstanceSpec, 'release'>,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
  repository: Repository,
  snapshot: string,
  volumes: FetchVolumes,
): Promise<void> {
  const { files, image } = context;
  const fetched = await run(context, {
    name: `${names.project}_fetch`,
    image,
    entrypoint: ['bash', '-c', files.fetchScript, 'fetch'],
    command: [snapshot],
    labels,
    bounds: BOUNDS.fetch,
    ...(repository.mount ? {} : { network: WAY_OUT }),
    mounts: [{ volume: volumes.filestore, target: '/data' }, ...targetMounts(repository, true)],
    stdin: secretsArchive(repository),
  });
  if (fetched.exitCode !== 0) throw backupError(fetched.exitCode, fetched.output);
  const loaded = await run(context, {
    name: `${names.project}_load`,
    image: release.postgresImage,
    entrypoint: ['bash', '-c', files.loadScript, 'load'],
    labels,
    bounds: BOUNDS.load,
    mounts: [
      // The image's folder has the owner that the server needs.
      { volume: volumes.pgdata, target: PGDATA, copyFromImage: true },
      { volume: volumes.filestore, target: '/filestore', readOnly: true },
    ],
  });
  if (loaded.exitCode !== 0) throw notWhole(loaded.exitCode, loaded.output);
}

async function openIn(
  context: FetchContext,
  { release }: InstanceSpec,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
  volumes: FetchVolumes,
): Promise<void> {
  const { engine, files } = context;
  const server = await startJob(engine, {
    name: `${names.project}_serve`,
    image: release.postgresImage,
    entrypoint: ['bash', '-c', files.serveScript, 'serve'],
    labels,
    bounds: BOUNDS.serve,
    mounts: [{ volume: volumes.pgdata, target: PGDATA }],
  });
  try {
    server.stdout.resume();
    const { exitCode, output } = await run(context, {
      name: `${names.project}_prove`,
      image: release.odooImage,
      entrypoint: ['python3', '-c', files.proveScript],
      labels,
      bounds: BOUNDS.prove,
      network: `container:${server.id}`,
      mounts: [{ volume: volumes.filestore, target: '/var/lib/odoo' }],
    });
    if (exitCode !== 0) throw notWhole(exitCode, output);
  } finally {
    await server.end(0);
  }
}

function run({ engine, space }: FetchContext, job: Job) {
  return whileRoom(space, (endedBy) => runJob(engine, { ...job, endedBy }, ANY_CODE));
}
