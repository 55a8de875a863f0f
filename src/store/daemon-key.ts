/** The daemon's key, from which every instance's secrets derive: the file `secret.key` of the data folder. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, stat } from 'node:fs/promises';
import { TerminalError } from '../lib/errors.js';
import { makeOnce } from './once.js';

const KEY_BYTES = 32;

/** Null where there is none. One that is short or can be read by others is refused: TerminalError `key.unsafe`. */
export async function readDaemonKey(path: string): Promise<Buffer | null> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      throw new TerminalError('key.unsafe', `${path} can be read by others`, `Run: chmod 600 ${path}`);
    }
    if (!/^[0-9a-f]{64,}$/.test(text)) {
      throw new TerminalError('key.unsafe', `${path} is not a key`, `Restore ${path} from a backup.`);
    }
    return Buffer.from(text, 'hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The key that is there, or one made now, with mode 0600. */
export async function loadDaemonKey(path: string): Promise<Buffer> {
  const found = await readDaemonKey(path);
  if (found) return found;
  await makeOnce(path, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
  const made = await readDaemonKey(path);
  if (!made) throw new TerminalError('key.vanished', `${path} vanished`, `Restore ${path} from a backup.`);
  return made;
}

/** Another key in the place of one that is wrong or lost; a wrong one is kept beside it as `secret.key.replaced`. */
export async function replaceDaemonKey(path: string): Promise<Buffer> {
  await rename(path, `${path}.replaced`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return loadDaemonKey(path);
}
