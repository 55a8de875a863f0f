/** Opens the SQLite file: modes, pragmas, migrations, and what to tell a person when it cannot be used. */
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { BridgeError, messageOf, RetryableError, TerminalError } from '../lib/errors.js';
import { MIGRATIONS } from './migrations.js';

const BUSY_TIMEOUT_MS = 5_000;

/**
 * How a file is opened: `own` makes it where it is missing and brings it up to date; `beside` writes beside a running
 * daemon, `readonly` only reads: both leave the schema alone.
 */
export type Access = 'own' | 'beside' | 'readonly';

/**
 * @param path created with mode 0600 (its folder 0700) if missing.
 * @throws TerminalError `store.missing`, `store.corrupt`, `store.newer`, `store.older`, `store.unusable`;
 *   RetryableError `store.busy`.
 */
export function openDatabase(path: string, access: Access = 'own'): Database.Database {
  let db: Database.Database | null = null;
  try {
    if (access === 'own') createPrivateFile(path);
    else requireFile(path);
    db = new Database(path, { readonly: access === 'readonly', timeout: BUSY_TIMEOUT_MS });
    if (access !== 'own') requireCurrent(db, path);
    if (access === 'readonly') return db;
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('secure_delete = ON');
    if (access === 'beside') return db;
    requireSound(db, path);
    migrate(db, path);
    return db;
  } catch (error) {
    db?.close();
    throw explain(error, path);
  }
}

/**
 * Makes an empty file that only we can read. Never opens one that exists: closing it would drop the locks that
 * SQLite holds on it in this process (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
export function createPrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  chmodSync(path, 0o600);
}

/**
 * Moves the file and what belongs to it out of the way, kept for whoever wants to look; gives its new name.
 * @param as `older`: the master knows more; `replaced`: an admin had it built anew.
 */
export function setStoreAside(path: string, now: Date, as: 'older' | 'replaced' = 'older'): string {
  const aside = `${path}.${as}-${now.toISOString().replaceAll(':', '-')}`;
  for (const ending of ['-wal', '-shm', '']) {
    if (existsSync(path + ending)) renameSync(path + ending, aside + ending);
  }
  return aside;
}

function migrate(db: Database.Database, path: string): void {
  requireNotNewer(db, path);
  for (let done = versionOf(db); done < MIGRATIONS.length; done = versionOf(db)) {
    const step = db.transaction(() => {
      // Read again inside: another process may have been faster.
      const version = versionOf(db);
      const sql = MIGRATIONS[version];
      if (sql === undefined) return;
      db.exec(sql);
      db.pragma(`user_version = ${version + 1}`);
    });
    step.immediate();
  }
}

function versionOf(db: Database.Database): number {
  return Number(db.pragma('user_version', { simple: true }));
}

function requireNotNewer(db: Database.Database, path: string): void {
  const version = versionOf(db);
  if (version <= MIGRATIONS.length) return;
  throw new TerminalError(
    'store.newer',
    `${path} has schema ${version}, this program knows ${MIGRATIONS.length}`,
    `A newer odoo-saas-bridge wrote ${path}: start that version or later, or run: saas-bridge rebuild-store`,
  );
}

function requireCurrent(db: Database.Database, path: string): void {
  requireNotNewer(db, path);
  const version = versionOf(db);
  if (version === MIGRATIONS.length) return;
  throw new TerminalError(
    'store.older',
    `${path} has schema ${version}, this program needs ${MIGRATIONS.length}`,
    'Start the daemon of this version once: it brings the file up to date.',
  );
}

function requireFile(path: string): void {
  if (existsSync(path)) return;
  throw new TerminalError(
    'store.missing',
    `${path} does not exist`,
    'Start the daemon first, or check the data folder.',
  );
}

function requireSound(db: Database.Database, path: string): void {
  const result = db.pragma('quick_check(1)', { simple: true });
  if (result !== 'ok') throw corrupt(path, String(result));
}

function corrupt(path: string, detail: string, cause?: unknown): TerminalError {
  return new TerminalError(
    'store.corrupt',
    `${path} is damaged: ${detail}`,
    'Run: saas-bridge rebuild-store. It is set aside, and everything in it is read anew from the master and the engine.',
    { cause },
  );
}

/** The file cannot be read or written at the moment; a row that a constraint forbids is no such trouble. */
export function isStoreTrouble(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'SqliteError' && !String(code).startsWith('SQLITE_CONSTRAINT');
}

/** SQLite's and the system's errors in our words. */
function explain(error: unknown, path: string): BridgeError {
  if (error instanceof BridgeError) return error;
  const code = String((error as { code?: unknown }).code ?? '');
  if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')) {
    return corrupt(path, messageOf(error), error);
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new RetryableError(
      'store.busy',
      `${path} is locked by another program`,
      'Close the other program that has the file open for writing.',
      { cause: error },
    );
  }
  return new TerminalError(
    'store.unusable',
    `cannot open ${path}: ${messageOf(error)}`,
    `Check that the folder ${dirname(path)} exists, belongs to the daemon's user and has free space.`,
    { cause: error },
  );
}

/** Lets `intercept` see each statement prepared from now on, every time it is run. */
export function interceptStatements(db: Database.Database, intercept: (sql: string, values: unknown[]) => void): void {
  const prepare = db.prepare.bind(db);
  db.prepare = ((sql: string) => {
    const statement = prepare(sql);
    for (const name of ['run', 'get', 'all'] as const) {
      const original = statement[name].bind(statement);
      statement[name] = (...args: unknown[]) => {
        intercept(sql, args);
        return original(...args) as never;
      };
    }
    return statement;
  }) as typeof db.prepare;
}
