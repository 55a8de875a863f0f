/**
 * The final export: an instance's database and files in one zip, as Odoo's own database manager makes and restores them.
 * From the volumes alone. Two one-shot containers, of the PostgreSQL and the Odoo image, are joined by the daemon: the
 * dump of the one is the input of the other, and nothing of it is ever kept in memory or on the engine's disk.
 */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LABEL } from '../../instance/naming.js';
import type { Release } from '../../instance/release.js';
import { messageOf, RetryableError, TerminalError } from '../../lib/errors.js';
import type { Engine } from '../engine/engine.js';
import { assertOurs } from '../engine/ours.js';
import { type Job, type RunningJob, startJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import type { Rendered } from './rendering.js';

/** Longest time without a byte: the cluster may have to recover first, or write a big table's files to the disk. */
const STALL_MS = 15 * 60_000;
/** There is no limit for the whole, but the engine must be asked with some. */
const LONGEST_MS = 7 * 24 * 3600 * 1000;
/** For the server to stop. The packer only reads: it is killed. */
const STOP_SECONDS = 90;
const PACK_MEMORY_BYTES = 1024 * 1024 * 1024;
/** dump.sh and pack.py: a volume is there, but nothing is in it. */
const NO_DATA = 66;

export interface ExportContext {
  engine: Engine;
  files: Pick<Files, 'dumpScript' | 'packScript'>;
  release: Pick<Release, 'postgresImage' | 'odooImage'>;
  /** Milliseconds without a byte after which it fails. */
  stallMs?: number;
}

/**
 * Writes the zip to `file` (mode 0600), which is there only when it is whole. Nothing may run on the volumes.
 * TerminalError `export.no_data` when there is nothing to export; RetryableError `export.in_use`, `export.stalled`,
 * `export.no_space`, `export.failed`.
 */
export async function exportInstance(
  context: ExportContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
  file: string,
): Promise<{ bytes: number }> {
  await assertVolumes(context.engine, rendered);
  await assertUnused(context.engine, rendered);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // One daemon, one job for an instance: what a killed one has left is written over.
  const draft = `${file}.part`;
  const handle = await open(draft, 'w', 0o600).catch(fileFailed);
  try {
    const bytes = await write(context, rendered, handle).finally(() => handle.close());
    await rename(draft, file);
    await syncFolder(dirname(file));
    return { bytes };
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function assertVolumes(engine: Engine, { names, labels }: Pick<Rendered, 'names' | 'labels'>): Promise<void> {
  for (const volume of [names.pgdata, names.filestore]) {
    const found = await engine.volumeLabels(volume);
    if (found === null) throw noData(`the volume ${volume} does not exist`);
    // One restored by hand has no labels.
    if (found[LABEL.key] === undefined) continue;
    const { [LABEL.slot]: _slot, ...identity } = labels;
    assertOurs(`volume ${volume}`, found, identity);
  }
}

/** Two servers on one cluster would destroy it. What a daemon that died has left of an export is ended. */
async function assertUnused(engine: Engine, { names, labels }: Pick<Rendered, 'names' | 'labels'>): Promise<void> {
  for (const container of await engine.listContainersOf(names.pgdata)) {
    if (container.State !== 'running' && container.State !== 'restarting') continue;
    const name = (container.Names[0] ?? container.Id).replace(/^\//, '');
    const leftOver = container.Labels[LABEL.role] === 'job' && container.Labels[LABEL.scope] === labels[LABEL.scope];
    if (leftOver) await engine.stopContainer(container.Id, STOP_SECONDS);
    else {
      throw new RetryableError(
        'export.in_use',
        `${names.pgdata} cannot be exported while ${name} runs on it`,
        `Stop the container ${name}; it is tried again.`,
      );
    }
  }
}

async function write(
  context: ExportContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
  handle: FileHandle,
): Promise<number> {
  const { engine, files, release, stallMs = STALL_MS } = context;
  const [dumpJob, packJob] = exportJobs(files, release, rendered);
  const dump = await startJob(engine, dumpJob);
  try {
    const pack = await startJob(engine, packJob);
    try {
      const bytes = await join(dump, pack, handle, stallMs);
      await handle.sync().catch(fileFailed);
      return bytes;
    } finally {
      await pack.end(0);
    }
  } finally {
    await dump.end(STOP_SECONDS);
  }
}

/** Dump → pack → file; gives the length once all three say that they are whole. */
async function join(dump: RunningJob, pack: RunningJob, handle: FileHandle, stallMs: number): Promise<number> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), stallMs);
  const { signal } = stalled;
  let dumped = 0;
  let packed = 0;
  let unwritable: Error | null = null;
  let failure: unknown = null;
  async function* counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      dumped += chunk.length;
      timer.refresh();
      yield chunk;
    }
  }
  async function save(source: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of source) {
      await handle.writeFile(chunk).catch((error: Error) => {
        unwritable = error;
        throw error;
      });
      packed += chunk.length;
      timer.refresh();
    }
  }
  try {
    await Promise.all([
      pipeline(dump.stdout, counted, pack.stdin, { signal }),
      pipeline(pack.stdout, save, { signal }),
    ]);
  } catch (error) {
    failure = error;
  } finally {
    clearTimeout(timer);
  }
  if (signal.aborted) {
    const advice = 'Look at the load of the Docker host, and at the log of its engine.';
    throw new RetryableError('export.stalled', `no byte of the export within ${stallMs / 1000} s`, advice);
  }
  if (unwritable) fileFailed(unwritable);
  const [dumpCode, packCode] = await codesOf(dump, pack, failure);
  if (dumpCode === NO_DATA) throw noData('the database volume is empty');
  if (packCode === NO_DATA && dumped > 0) throw noData('the filestore volume is empty');
  // A connection that was cut looks like the end: only the length told by the packer proves that it was not.
  const told = /^bytes (\d+)\s*$/m.exec(pack.errors())?.[1];
  if (failure === null && dumpCode === 0 && packCode === 0 && told === String(packed)) return packed;
  const details = `codes ${dumpCode} and ${packCode}, ${packed} bytes of ${told ?? 'unknown'}`;
  const output = `${dump.errors().trim().slice(-500)} ${pack.errors().trim().slice(-500)}`;
  throw new RetryableError(
    'export.failed',
    `the export failed (${details}): ${failure === null ? '' : messageOf(failure)} ${output}`.trim(),
    'Read the output in the message; the volumes are as they were, and it is tried again.',
    { cause: failure },
  );
}

/** Exit codes; after a failure only of what has ended, or ends because its other side has gone. */
async function codesOf(dump: RunningJob, pack: RunningJob, failure: unknown): Promise<(number | null)[]> {
  if (failure !== null) await Promise.all([pack.end(0), dump.end(STOP_SECONDS)]);
  return Promise.all([dump, pack].map((job) => job.exitCode.catch(() => null)));
}

/** The two one-shot containers. Neither has a network or a capability; the filestore is read-only. */
export function exportJobs(
  files: Pick<Files, 'dumpScript' | 'packScript'>,
  release: Pick<Release, 'postgresImage' | 'odooImage'>,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
): [dump: Job, pack: Job] {
  const common = { labels, streamed: true, timeoutMs: LONGEST_MS };
  return [
    {
      ...common,
      name: `${names.project}_dump`,
      image: release.postgresImage,
      entrypoint: ['bash', '-c', files.dumpScript, 'dump'],
      user: 'postgres',
      mounts: [{ volume: names.pgdata, target: '/var/lib/postgresql/data' }],
    },
    {
      ...common,
      name: `${names.project}_pack`,
      image: release.odooImage,
      entrypoint: ['python3', '-c', files.packScript],
      user: 'odoo',
      mounts: [{ volume: names.filestore, target: '/filestore', readOnly: true }],
      memoryBytes: PACK_MEMORY_BYTES,
    },
  ];
}

function noData(why: string): TerminalError {
  return new TerminalError(
    'export.no_data',
    `there is nothing to export: ${why}`,
    'Restore the volumes from a backup, or delete the instance without an export.',
  );
}

function fileFailed(error: Error): never {
  const full = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
  const [code, advice] = full
    ? ['export.no_space', 'Free disk space where the daemon keeps its data.']
    : ['export.failed', 'See that the daemon can write to its data folder.'];
  throw new RetryableError(code ?? '', `the export cannot be written: ${messageOf(error)}`, advice ?? '', {
    cause: error,
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
