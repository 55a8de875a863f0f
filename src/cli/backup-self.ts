/** `saas-bridge backup-self`: what another host needs beside the backups to serve all customers again, in one folder. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config/config.js';
import { secretKeyIn } from '../keepers/ownership.js';
import { TerminalError } from '../lib/errors.js';
import { copyStore } from '../store/copy.js';
import { readDaemonKey } from '../store/daemon-key.js';
import type { Out } from './output.js';

const PRIVATE = 0o600;

/**
 * Beside a running daemon, too. All of it is as secret as the key: the folder gets mode 0700, its files 0600.
 * @param env where the settings come from.
 * @throws TerminalError `key.none`, `self.exists`.
 */
export async function backupSelf(
  { dataDir, storePath }: Pick<Config, 'dataDir' | 'storePath'>,
  env: NodeJS.ProcessEnv,
  to: string,
  out: Out,
  asJson: boolean,
): Promise<void> {
  if ((await readDaemonKey(secretKeyIn(dataDir))) === null) {
    const advice = 'The first start of the daemon makes it; there is nothing to copy before.';
    throw new TerminalError('key.none', `there is no secret.key in ${dataDir}`, advice);
  }
  if (existsSync(to)) {
    throw new TerminalError(
      'self.exists',
      `${to} is there already`,
      'Give the name of a folder that is not there yet.',
    );
  }
  // Whoever finds the name finds all of it.
  const draft = `${to}.part`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  const files = [...inFolder(dataDir), ...ofSettings(env)];
  // Not copyFile: that takes the mode along.
  for (const { name, from } of files) await writePrivate(path.join(draft, name), await readFile(from));
  await writePrivate(path.join(draft, 'settings'), settingsIn(env));
  if (existsSync(storePath)) await copyStore(storePath, path.join(draft, 'bridge.sqlite'));
  await rename(draft, to);
  const names = [...files.map(({ name }) => name), 'settings', ...(existsSync(storePath) ? ['bridge.sqlite'] : [])];
  if (asJson) out.write(`${JSON.stringify({ folder: to, files: names })}\n`);
  else out.write(`${told(to, names)}\n`);
}

function inFolder(dataDir: string): { name: string; from: string }[] {
  const files = ['secret.key', 'owner.id'].map((name) => ({ name, from: path.join(dataDir, name) }));
  return files.filter(({ from }) => existsSync(from));
}

/** Files that settings name: credentials and certificates. */
function ofSettings(env: NodeJS.ProcessEnv): { name: string; from: string }[] {
  return Object.entries(env).flatMap(([setting, from]) =>
    /^SAAS_\w+_FILE$/.test(setting) && from && existsSync(from) ? [{ name: setting, from }] : [],
  );
}

/** As Docker's `--env-file` and systemd's `EnvironmentFile` read it. */
function settingsIn(env: NodeJS.ProcessEnv): string {
  const lines = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith('SAAS_') && value !== undefined && !value.includes('\n') ? [`${name}=${value}\n`] : [],
  );
  return lines.sort().join('');
}

function writePrivate(file: string, content: string | Buffer): Promise<void> {
  return writeFile(file, content, { mode: PRIVATE, flag: 'wx' });
}

function told(folder: string, names: string[]): string {
  return [
    `${folder} holds ${names.join(', ')}.`,
    'Whoever has it can open every backup: keep it where you keep passwords, and not on this host alone.',
  ].join('\n');
}
