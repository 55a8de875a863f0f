/** The copy of what can not be exported: the volumes as they lie on the disk. No server opens them, so nothing in them can hinder it. */
import { pipeline } from 'node:stream/promises';
import { BridgeError, messageOf, RetryableError, stoppedError } from '../../lib/errors.js';
import { BOUNDS } from '../engine/bounds.js';
import { type Job, type JobMount, startJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { tooLarge, writeCopy } from './copy-file.js';
import { assertVolumes, type ExportContext, NO_DATA, noData, TOO_MUCH } from './export.js';
import { hasOwnVolume } from './own-volume.js';
import type { Rendered } from './rendering.js';
import { assertUnused } from './unused.js';

export type RawCopyContext = Omit<ExportContext, 'files'> & { files: Pick<Files, 'rawCopyScript'> };

/**
 * Writes a gzipped tar archive of the volumes to `file`, as `exportInstance` writes its zip. TerminalError `export.no_data`;
 * RetryableError `docker.volume_in_use`, `export.no_space`, `export.too_large`, `export.failed`.
 */
export async function copyVolumes(
  context: RawCopyContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
  file: string,
): Promise<{ bytes: number }> {
  await assertVolumes(context.engine, rendered);
  return write(context, rendered, file, rawCopyJob(context, rendered));
}

/** The same of what is left of an instance that has lost a part of its data. Null: there is nothing. */
export async function copyLeft(
  context: RawCopyContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
  file: string,
): Promise<{ bytes: number } | null> {
  const { names, labels } = rendered;
  const job = rawCopyJob(context, rendered);
  const mounts: JobMount[] = [];
  for (const mount of job.mounts ?? []) {
    // A volume that is mounted is made.
    if ('volume' in mount && (await hasOwnVolume(context.engine, mount.volume, labels))) mounts.push(mount);
  }
  if (mounts.length === 0) return null;
  const left = { ...job, name: `${names.project}_left`, command: [...(job.command ?? []), 'left'], mounts };
  return write(context, rendered, file, left).catch((error: unknown) => {
    if (error instanceof BridgeError && error.code === 'export.no_data') return null;
    throw error;
  });
}

async function write(
  { engine, mostBytes }: RawCopyContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
  file: string,
  job: Job,
): Promise<{ bytes: number }> {
  await assertUnused(engine, rendered);
  return writeCopy(file, mostBytes, async (copy) => {
    const { told } = engine.stop;
    if (told.aborted) throw stoppedError();
    const task = await startJob(engine, job);
    const signal = AbortSignal.any([told, AbortSignal.timeout(BOUNDS.rawCopy.seconds * 1000)]);
    try {
      const failure = await pipeline(task.stdout, (source) => copy.save(source), { signal }).catch((error) => error);
      if (told.aborted) throw stoppedError();
      if (failure instanceof RetryableError) throw failure;
      const code = failure ? null : await task.exitCode;
      if (code === NO_DATA) throw noData('the database volume is empty');
      if (code === TOO_MUCH) throw tooLarge(mostBytes);
      const length = /^bytes (\d+)\s*$/m.exec(task.errors())?.[1];
      if (code === 0 && length === String(copy.bytes())) return;
      const why = failure ? messageOf(failure) : task.errors().trim().slice(-300);
      const advice = 'Read the reason in the message; the volumes are as they were, and it is tried again.';
      throw new RetryableError('export.failed', `the volumes cannot be copied: ${why} (code ${code})`, advice);
    } finally {
      await task.end(0);
    }
  });
}

/** The one-shot container: it may read files of any owner, and nothing else. */
export function rawCopyJob(
  { files, release, mostBytes }: Pick<RawCopyContext, 'files' | 'release' | 'mostBytes'>,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
): Job {
  return {
    name: `${names.project}_rawcopy`,
    image: release.postgresImage,
    entrypoint: ['bash', '-c', files.rawCopyScript, 'rawcopy'],
    command: [String(mostBytes)],
    labels,
    bounds: BOUNDS.rawCopy,
    streamed: true,
    mounts: [
      { volume: names.pgdata, target: '/volumes/pgdata', readOnly: true },
      { volume: names.filestore, target: '/volumes/filestore', readOnly: true },
    ],
  };
}
