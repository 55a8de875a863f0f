/** The file that a copy of an instance is written to: there only when it is whole, and never at the cost of a full disk. */
import { type FileHandle, mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, RetryableError } from '../../lib/errors.js';

/** So much of the disk stays free: a tenth, but not more than so many bytes. */
const FREE_PART = 0.1;
const MOST_FREE_BYTES = 10 * 1024 ** 3;
/** How often it is looked at. */
const LOOK_EVERY_BYTES = 64 * 1024 ** 2;

export interface CopyFile {
  /** How much has been written, bytes. */
  bytes(): number;
  /** Appends all of it. RetryableError `export.too_large` beyond the limit, `export.no_space`, `export.failed`. */
  save(source: AsyncIterable<Buffer>): Promise<void>;
}

/**
 * Lets `work` write the file (mode 0600). What it throws leaves no part of it.
 * @param mostBytes how long it may get.
 */
export async function writeCopy(
  file: string,
  mostBytes: number,
  work: (copy: CopyFile) => Promise<void>,
): Promise<{ bytes: number }> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await assertSpace(folder);
  // One daemon, one job for an instance: what a killed one has left is written over.
  const draft = `${file}.part`;
  const handle = await open(draft, 'w', 0o600).catch(fileFailed);
  const copy = copyInto(handle, folder, mostBytes);
  try {
    await work(copy)
      .then(() => handle.sync().catch(fileFailed))
      .finally(() => handle.close());
    await rename(draft, file);
    await syncFolder(folder);
    return { bytes: copy.bytes() };
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function copyInto(handle: FileHandle, folder: string, mostBytes: number): CopyFile {
  let written = 0;
  let looked = 0;
  return {
    bytes: () => written,
    async save(source) {
      for await (const chunk of source) {
        if (written + chunk.length > mostBytes) throw tooLarge(mostBytes);
        await handle.writeFile(chunk).catch(fileFailed);
        written += chunk.length;
        if (written - looked < LOOK_EVERY_BYTES) continue;
        looked = written;
        await assertSpace(folder);
      }
    },
  };
}

/** @param why where it is not the length alone: what there is too much of. */
export function tooLarge(mostBytes: number, why = ''): RetryableError {
  const gigabytes = Math.round(mostBytes / 1024 ** 3);
  return new RetryableError(
    'export.too_large',
    why || `the copy is more than ${gigabytes} GB, four times the storage of the plan`,
    'See what the instance has stored; it can be deleted without a copy from its record.',
  );
}

async function assertSpace(folder: string): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(folder).catch(fileFailed);
  const reserve = Math.min(blocks * bsize * FREE_PART, MOST_FREE_BYTES);
  if (bavail * bsize >= reserve) return;
  const left = `${Math.round((bavail * bsize) / 1024 ** 2)} MB are left`;
  throw noSpace(`${left} on the disk of ${folder}, and ${Math.round(reserve / 1024 ** 2)} MB stay free`);
}

function noSpace(why: string, cause?: unknown): RetryableError {
  const advice = 'Free disk space where the daemon keeps its data.';
  return new RetryableError('export.no_space', `the copy cannot be written: ${why}`, advice, { cause });
}

function fileFailed(error: Error): never {
  if (['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) {
    throw noSpace(messageOf(error), error);
  }
  const advice = 'See that the daemon can write to its data folder.';
  throw new RetryableError('export.failed', `the copy cannot be written: ${messageOf(error)}`, advice, {
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
