/**
 * The final export: an instance's database and files in one zip, as Odoo's own database manager makes and restores them.
 * From the volumes alone. Two one-shot containers, of the PostgreSQL and the Odoo image, are joined by the daemon: the
 * dump of the one is the input of the other, and nothing of it is ever kept in memory or on the engine's disk.
 */
import { pipeline } from 'node:stream/promises';
import type { Release } from '../../instance/release.js';
import { BridgeError, messageOf, RetryableError, stoppedError, TerminalError } from '../../lib/errors.js';
import { BOUNDS } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { type Job, type RunningJob, startJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { type CopyFile, tooLarge, writeCopy } from './copy-file.js';
import { hasOwnVolume } from './own-volume.js';
import type { Rendered } from './rendering.js';
import { assertUnused } from './unused.js';

/** Longest time without a byte: the cluster may have to recover first, or write a big table's files to the disk. */
const STALL_MS = 15 * 60_000;
/** For the server to stop; on a stop of the daemon. The packer only reads: it is killed. */
const STOP_SECONDS = 90;
const STOP_SECONDS_NOW = 3;
/** The scripts: a volume is there, but nothing is in it. */
export const NO_DATA = 66;
/** The scripts: there is more than may be read or written. */
export const TOO_MUCH = 67;

export interface ExportContext {
  engine: Engine;
  files: Pick<Files, 'dumpScript' | 'packScript'>;
  release: Pick<Release, 'postgresImage' | 'odooImage'>;
  /** How much may be read of the instance, and how long the zip may be. */
  mostBytes: number;
  /** Milliseconds without a byte after which it fails. */
  stallMs?: number;
}

/**
 * Writes the zip to `file` (mode 0600), which is there only when it is whole. Nothing may run on the volumes.
 * TerminalError `export.no_data` when there is nothing to export; RetryableError `docker.volume_in_use`, `export.stalled`,
 * `export.no_space`, `export.too_large`, `export.failed`.
 */
export async function exportInstance(
  context: ExportContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
  file: string,
): Promise<{ bytes: number }> {
  await assertVolumes(context.engine, rendered);
  await assertUnused(context.engine, rendered);
  return writeCopy(file, context.mostBytes, (copy) => write(context, rendered, copy));
}

export async function assertVolumes(
  engine: Engine,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
): Promise<void> {
  for (const volume of [names.pgdata, names.filestore]) {
    if (!(await hasOwnVolume(engine, volume, labels))) throw noData(`the volume ${volume} does not exist`);
  }
}

async function write(
  context: ExportContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
  copy: CopyFile,
): Promise<void> {
  const { engine } = context;
  const [dumpJob, packJob] = exportJobs(context, rendered);
  const { told } = engine.stop;
  if (told.aborted) throw stoppedError();
  const dump = await startJob(engine, dumpJob);
  try {
    const pack = await startJob(engine, packJob);
    try {
      await join(context, dump, pack, copy);
    } finally {
      await pack.end(0);
    }
  } finally {
    await dump.end(told.aborted ? STOP_SECONDS_NOW : STOP_SECONDS);
  }
}

/** Dump → pack → file; resolves once all three say that they are whole. */
async function join(
  { engine, mostBytes, stallMs = STALL_MS }: ExportContext,
  dump: RunningJob,
  pack: RunningJob,
  copy: CopyFile,
): Promise<void> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), stallMs);
  const { told } = engine.stop;
  const signal = AbortSignal.any([stalled.signal, told]);
  let dumped = 0;
  let failure: unknown = null;
  async function* counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      dumped += chunk.length;
      if (dumped > mostBytes) throw tooLarge(mostBytes);
      timer.refresh();
      yield chunk;
    }
  }
  async function* alive(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      timer.refresh();
      yield chunk;
    }
  }
  try {
    await Promise.all([
      pipeline(dump.stdout, counted, pack.stdin, { signal }),
      pipeline(pack.stdout, alive, (source) => copy.save(source), { signal }),
    ]);
  } catch (error) {
    failure = error;
  } finally {
    clearTimeout(timer);
  }
  if (told.aborted) throw stoppedError();
  if (stalled.signal.aborted) {
    const advice = 'Look at the load of the Docker host, and at the log of its engine.';
    throw new RetryableError('export.stalled', `no byte of the export within ${stallMs / 1000} s`, advice);
  }
  if (failure instanceof BridgeError) throw failure;
  const [dumpCode, packCode] = await codesOf(dump, pack, failure);
  if (dumpCode === NO_DATA) throw noData('the database volume is empty');
  if (packCode === NO_DATA && dumped > 0) throw noData('the filestore volume is empty');
  if (packCode === TOO_MUCH) throw tooLarge(mostBytes, pack.errors().trim().slice(-200));
  // A connection that was cut looks like the end: only the length told by the packer proves that it was not.
  const length = /^bytes (\d+)\s*$/m.exec(pack.errors())?.[1];
  if (failure === null && dumpCode === 0 && packCode === 0 && length === String(copy.bytes())) return;
  throw exportFailed({ dumpCode, packCode, dump: dump.errors(), pack: pack.errors() }, failure);
}

/** The cause first: what failed in the database is what fails all else. */
function exportFailed(
  ends: Record<'dumpCode' | 'packCode', number | null> & Record<'dump' | 'pack', string>,
  cause: unknown,
) {
  const { dump, pack, dumpCode, packCode } = ends;
  const why = dump.trim().slice(0, 1000) || pack.trim().slice(-300) || (cause === null ? '' : messageOf(cause));
  return new RetryableError(
    'export.failed',
    `the export failed: ${why} (codes ${dumpCode} and ${packCode})`,
    'Read the reason in the message; the volumes are as they were, and it is tried again.',
    { cause },
  );
}

/** Exit codes; after a failure only of what has ended, or ends because its other side has gone. */
async function codesOf(dump: RunningJob, pack: RunningJob, failure: unknown) {
  if (failure !== null) await Promise.all([pack.end(0), dump.end(STOP_SECONDS)]);
  const codeOf = ({ exitCode }: RunningJob): Promise<number | null> => exitCode.catch(() => null);
  return Promise.all([codeOf(dump), codeOf(pack)]);
}

/** The two one-shot containers. Neither has a network or a capability; the filestore is read-only. */
export function exportJobs(
  { files, release, mostBytes }: Pick<ExportContext, 'files' | 'release' | 'mostBytes'>,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
): [dump: Job, pack: Job] {
  const common = { labels, streamed: true };
  return [
    {
      ...common,
      name: `${names.project}_dump`,
      image: release.postgresImage,
      entrypoint: ['bash', '-c', files.dumpScript, 'dump'],
      bounds: BOUNDS.dump,
      mounts: [{ volume: names.pgdata, target: '/var/lib/postgresql/data' }],
    },
    {
      ...common,
      name: `${names.project}_pack`,
      image: release.odooImage,
      entrypoint: ['python3', '-c', files.packScript],
      command: [String(mostBytes)],
      bounds: BOUNDS.pack,
      mounts: [{ volume: names.filestore, target: '/filestore', readOnly: true }],
    },
  ];
}

export function noData(why: string): TerminalError {
  return new TerminalError(
    'export.no_data',
    `there is nothing to export: ${why}`,
    'Restore the volumes from a backup, or delete the instance without an export.',
  );
}
