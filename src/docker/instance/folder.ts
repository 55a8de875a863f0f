/** The instance's folder: what its containers were made from, for people. The daemon never reads it back. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isValidName } from '../../instance/naming.js';

/** Writes docker-compose.yml and odoo.conf (which holds passwords) with mode 0600, in a folder with mode 0700. */
export async function writeFolder(root: string, name: string, files: { compose: string; conf: string }): Promise<void> {
  const folder = folderOf(root, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await Promise.all([
    writeAtomically(join(folder, 'docker-compose.yml'), files.compose),
    writeAtomically(join(folder, 'odoo.conf'), files.conf),
  ]);
}

/** Removes the folder; absent is done. */
export async function removeFolder(root: string, name: string): Promise<void> {
  await rm(folderOf(root, name), { recursive: true, force: true });
}

export function folderOf(root: string, name: string): string {
  if (!isValidName(name)) throw new RangeError(`not an instance name: ${JSON.stringify(name.slice(0, 60))}`);
  return join(root, 'instances', name);
}

async function writeAtomically(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) === text) return;
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
