/** Backups on one engine: each act is a one-shot container of the backup image. restic does the work. */
import {
  type BackupMade,
  type BackupOptions,
  type Backups,
  LEFT_DAYS,
  type Repository,
  type Snapshot,
} from '../../instance/backups.js';
import type { KeepRule } from '../../instance/keep-rule.js';
import { LABEL, scopePrefix } from '../../instance/naming.js';
import type { InstanceSecrets } from '../../instance/secrets.js';
import type { InstanceSpec } from '../../instance/spec.js';
import { createTurnsByKey } from '../../lib/turns-by-key.js';
import { BOUNDS, copyLimitBytes } from '../engine/bounds.js';
import { ConflictError } from '../engine/errors.js';
import { removeBusy } from '../engine/retry.js';
import { type Job, runJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { ANY_CODE, backupError, unreadableReport } from './backup-errors.js';
import { closeDatabases } from './close.js';
import { hasOwnVolume } from './own-volume.js';
import { type FetchContext, fetchBackup, proveBackup } from './proof.js';
import type { Rendered } from './rendering.js';
import { secretsArchive, targetMounts, WAY_OUT } from './repository-task.js';
import { writeSecrets } from './secrets.js';

/** Some hundred bytes each. */
const LIST_BYTES = 500_000;
/** The one that compose/images.sh makes. */
export const BACKUP_IMAGE = 'saas-bridge/backup';

export interface BackupContext extends FetchContext {
  files: FetchContext['files'] &
    Pick<
      Files,
      | 'backupScript'
      | 'probeScript'
      | 'removeBackupsScript'
      | 'listScript'
      | 'secretsScript'
      | 'roleSql'
      | 'adminSql'
      | 'closeScript'
    >;
  /** Of this daemon on the engine. */
  scope: string;
  render(spec: InstanceSpec): Rendered;
  secretsOf(instanceKey: string): InstanceSecrets;
}

export function createBackups({ engine, files, image, scope, space, render, secretsOf }: BackupContext): Backups {
  const inTurn = createTurnsByKey();
  return {
    async make(spec, repository, options) {
      const rendered = render(spec);
      const { names, labels } = rendered;
      for (const volume of [names.pgdata, names.filestore]) {
        if (!(await hasOwnVolume(engine, volume, labels))) throw backupError(66, `the volume ${volume} does not exist`);
      }
      const alsoOn = await ensureTarget(repository);
      const most = copyLimitBytes(spec.storageGb);
      const job = backupJob({ files, image }, rendered, repository, secretsOf(spec.key), { ...options, most });
      const { exitCode, output } = await inTurn(spec.key, () => runJob(engine, { ...job, ...alsoOn }, ANY_CODE));
      if (exitCode !== 0) throw backupError(exitCode, output);
      return reportIn(output) ?? unreadableReport(output);
    },

    async prove(spec, repository, snapshot) {
      await ensureTarget(repository);
      const context = { engine, files, image, space };
      await inTurn(spec.key, () => proveBackup(context, spec, render(spec), repository, snapshot));
    },

    async list(spec, repository) {
      await ensureTarget(repository);
      const { names, labels } = render(spec);
      const job: Job = {
        name: `${names.project}_list`,
        image,
        entrypoint: ['bash', '-c', files.listScript, 'list'],
        labels,
        bounds: BOUNDS.target,
        ...(repository.mount ? {} : { network: WAY_OUT }),
        mounts: targetMounts(repository, true),
        stdin: secretsArchive(repository),
        keepBytes: LIST_BYTES,
      };
      const { exitCode, output } = await runJob(engine, job, ANY_CODE);
      if (exitCode !== 0) throw backupError(exitCode, output);
      return snapshotsIn(output);
    },

    async restore(spec, repository, snapshot) {
      await ensureTarget(repository);
      const rendered = render(spec);
      const { names, labels } = rendered;
      for (const volume of [names.pgdata, names.filestore]) {
        await engine.ensureVolume(volume, labels);
        await hasOwnVolume(engine, volume, labels);
      }
      const context = { engine, files, image, space };
      await inTurn(spec.key, () => fetchBackup(context, spec, rendered, repository, snapshot, names));
      const { release } = spec;
      await runJob(engine, tidyJob(release.postgresImage, rendered));
      await writeSecrets({ engine, files, release }, rendered, secretsOf(spec.key), { admin: false });
      await closeDatabases({ engine, files, release }, rendered);
    },

    async probe(repository) {
      await ensureTarget(repository);
      const { exitCode, output } = await runJob(engine, probeJob({ files, image, scope }, repository), ANY_CODE);
      if (exitCode !== 0) throw backupError(exitCode, output);
    },

    async remove(repository) {
      await ensureTarget(repository);
      const job = removeJob({ files, image, scope }, repository);
      const { exitCode, output } = await inTurn(job.name, () => runJob(engine, job, ANY_CODE));
      if (exitCode !== 0) throw backupError(exitCode, output);
    },

    async removeLeft() {
      const left = await engine.listVolumes([`${LABEL.scope}=${scope}`, `${LABEL.role}=trial`]);
      for (const { name } of left) await removeBusy(() => engine.removeVolume(name));
    },
  };

  /** The volume of backups outlives all instances: it is nobody's. A target elsewhere is reached past the customer's network. */
  async function ensureTarget({ mount }: Repository): Promise<Pick<Job, 'alsoOn'>> {
    if (mount && 'volume' in mount) await engine.ensureVolume(mount.volume, {});
    if (mount) return {};
    await engine.createNetwork(WAY_OUT, {}).catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error;
    });
    return { alsoOn: WAY_OUT };
  }
}

/**
 * The one-shot container: it may read files of any owner, and reaches the database on the instance's network, as its own
 * role. The filestore is read-only.
 */
export function backupJob(
  { files, image }: { files: Pick<Files, 'backupScript'>; image: string },
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
  repository: Repository,
  { dbPassword }: Pick<InstanceSecrets, 'dbPassword'>,
  { mustExist, tag, keep, most }: BackupOptions & { most: number },
): Job {
  return {
    name: `${names.project}_backup`,
    image,
    entrypoint: ['bash', '-c', files.backupScript, 'backup'],
    command: [mustExist ? 'keep' : 'begin', String(most), tag, String(LEFT_DAYS), ...(keep ? forgetOptions(keep) : [])],
    labels,
    bounds: BOUNDS.backup,
    network: names.network,
    mounts: [
      { volume: names.filestore, target: '/data', readOnly: true },
      { scratch: true, target: '/scratch' },
      ...targetMounts(repository, false),
    ],
    stdin: secretsArchive(repository, { pgpass: `*:*:*:*:${dbPassword.reveal()}\n` }),
  };
}

/** What an instance had before it was restored has a rule of its own, in backup.sh. */
export function forgetOptions({ daily, weekly, monthly, prune }: KeepRule & { prune: boolean }): string[] {
  return [
    ...['--keep-daily', String(daily), '--keep-weekly', String(weekly), '--keep-monthly', String(monthly)],
    ...['--keep-within', '2d', '--keep-tag', 'before', ...(prune ? ['--prune'] : [])],
  ];
}

/** The lines that backup.sh prints; null unless they make sense. */
export function reportIn(output: string): BackupMade | null {
  const json = /^backup (\{.*\})\s*$/m.exec(output)?.[1];
  if (json === undefined) return null;
  const { snapshot_id, total_bytes_processed, data_added_packed } = JSON.parse(json) as Record<string, unknown>;
  if (typeof snapshot_id !== 'string' || !/^[0-9a-f]{8,64}$/.test(snapshot_id)) return null;
  const kept = /^kept (.*)$/m.exec(output)?.[1] ?? null;
  const [bytes, addedBytes] = [Number(total_bytes_processed), Number(data_added_packed)];
  return { snapshot: snapshot_id, bytes, addedBytes, kept, moments: momentsIn(output) };
}

function momentsIn(output: string): Date[] | null {
  const told = /^forgotten (.+)$/m.exec(output)?.[1];
  const moments =
    told
      ?.trim()
      .split(/ +/)
      .map((text) => new Date(text)) ?? [];
  if (moments.length === 0 || moments.some((one) => Number.isNaN(one.getTime()))) return null;
  return moments.sort((a, b) => b.getTime() - a.getTime());
}

function probeJob(
  { files, image, scope }: Pick<BackupContext, 'files' | 'image' | 'scope'>,
  repository: Repository,
): Job {
  return {
    name: `${scopePrefix(scope)}probe`,
    image,
    entrypoint: ['bash', '-c', files.probeScript, 'probe'],
    labels: { [LABEL.scope]: scope },
    bounds: BOUNDS.target,
    ...(repository.mount ? {} : { network: WAY_OUT }),
    mounts: targetMounts(repository, true),
    stdin: secretsArchive(repository),
  };
}

function removeJob(
  { files, image, scope }: Pick<BackupContext, 'files' | 'image' | 'scope'>,
  repository: Repository,
): Job {
  return {
    name: `${scopePrefix(scope)}remove_backups`,
    image,
    entrypoint: ['bash', '-c', files.removeBackupsScript, 'remove'],
    labels: { [LABEL.scope]: scope },
    bounds: BOUNDS.removeBackups,
    ...(repository.mount ? {} : { network: WAY_OUT }),
    mounts: targetMounts(repository, false),
    stdin: secretsArchive(repository),
  };
}

/** The lines of restic's JSON that make sense; the newest last. */
export function snapshotsIn(output: string): Snapshot[] {
  const json = /^\[.*\]$/m.exec(output)?.[0];
  const rows = json === undefined ? [] : (JSON.parse(json) as { id?: unknown; time?: unknown }[]);
  return rows
    .map(({ id, time }) => ({ id: String(id), at: new Date(String(time)) }))
    .filter(({ id, at }) => /^[0-9a-f]{64}$/.test(id) && !Number.isNaN(at.getTime()))
    .sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** Takes away what only loading and comparing needed. */
function tidyJob(image: string, { names, labels }: Pick<Rendered, 'names' | 'labels'>): Job {
  return {
    name: `${names.project}_tidy`,
    image,
    entrypoint: ['rm', '-rf', '/filestore/.backup'],
    labels,
    bounds: BOUNDS.tidy,
    mounts: [{ volume: names.filestore, target: '/filestore' }],
  };
}
