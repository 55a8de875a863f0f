/** How far `restore --all` has come: the file `restore-all.json` of the data folder, until all instances have their data. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TerminalError } from '../lib/errors.js';

/** By the key of the instance. Of what is `begun` half is there; what was `empty` had nothing. */
export type Restoring = Record<string, 'empty' | 'begun' | 'restored'>;

/** Null where none was begun, or all of it was done. Throws TerminalError `data.damaged`. */
export function readRestoring(dataDir: string): Restoring | null {
  const file = fileIn(dataDir);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Restoring;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const advice = `Delete ${file}, remove the volumes of the instances that it had restored, and repeat: saas-bridge restore --all`;
    throw new TerminalError('data.damaged', `${file} cannot be read`, advice, { cause: error });
  }
}

/** Null: all have their data. Whoever dies here leaves the one or the other. */
export function writeRestoring(dataDir: string, restoring: Restoring | null): void {
  const file = fileIn(dataDir);
  if (restoring === null) {
    rmSync(file, { force: true });
    return;
  }
  const draft = `${file}.part`;
  writeFileSync(draft, JSON.stringify(restoring), { mode: 0o600, flush: true });
  renameSync(draft, file);
}

/** The daemon would start what is half there. Throws TerminalError `restore.cut_off`. */
export function assertNothingHalfRestored(dataDir: string): void {
  const half = Object.entries(readRestoring(dataDir) ?? {}).filter(([, state]) => state === 'begun');
  if (half.length === 0) return;
  throw new TerminalError(
    'restore.cut_off',
    `saas-bridge restore --all was cut off while it restored ${half.map(([key]) => key).join(', ')}`,
    'Repeat it: saas-bridge restore --all. It goes on with those that have no data yet.',
  );
}

function fileIn(dataDir: string): string {
  return join(dataDir, 'restore-all.json');
}
