/** One daemon a data folder. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { messageOf, TerminalError } from '../lib/errors.js';
import { createPrivateFile } from './database.js';

/** For so long `isLocked` may be in the way. */
const ASKED_MS = 200;

export interface StoreLock {
  readonly file: string;
  release(): void;
}

/**
 * Takes `daemon.lock` in `dir` or fails at once. The lock is an exclusive transaction on a SQLite file of its own: the
 * kernel drops it with the process, even on kill -9, and readers of the main file never meet it. `daemon.pid`
 * beside it only serves the message.
 * @throws TerminalError `store.locked`, `store.unusable`.
 */
export function lockStore(dir: string): StoreLock {
  const file = join(dir, 'daemon.lock');
  const pidFile = join(dir, 'daemon.pid');
  let db: Database.Database | null = null;
  try {
    createPrivateFile(file);
    db = new Database(file, { timeout: ASKED_MS });
    db.exec('BEGIN EXCLUSIVE');
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    db?.close();
    throw refusal(error, file, pidFile);
  }
  const held = db;
  return {
    file,
    release() {
      if (!held.open) return;
      rmSync(pidFile, { force: true });
      held.close();
    },
  };
}

/** A daemon works on the folder, or a command that needs it stopped. Asking takes no lock that a start would meet. */
export function isLocked(dir: string): boolean {
  const file = join(dir, 'daemon.lock');
  if (!existsSync(file)) return false;
  const db = new Database(file, { readonly: true, timeout: 0 });
  try {
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return true;
    throw error;
  } finally {
    db.close();
  }
}

function refusal(error: unknown, file: string, pidFile: string): TerminalError {
  const code = String((error as { code?: unknown }).code ?? '');
  if (code.startsWith('SQLITE_BUSY')) {
    const pid = pidIn(pidFile);
    return new TerminalError(
      'store.locked',
      `another daemon${pid === null ? '' : ` (pid ${pid})`} holds ${file}`,
      'Stop the other daemon first, or give this one a data folder of its own.',
      { cause: error },
    );
  }
  return new TerminalError(
    'store.unusable',
    `cannot lock ${file}: ${messageOf(error)}`,
    "Check that the data folder exists, belongs to the daemon's user and has free space; a damaged daemon.lock can be deleted while no daemon runs.",
    { cause: error },
  );
}

function pidIn(file: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isSafeInteger(pid) ? pid : null;
  } catch {
    return null;
  }
}
