import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TerminalError } from '../lib/errors.js';

const KEY_BYTES = 32;

/**
 * The daemon's key, from which every instance's secrets derive. Made on first use with mode 0600 and never replaced;
 * a key that is short or readable by others is refused (TerminalError `key.unsafe`).
 */
export async function loadDaemonKey(path: string): Promise<Buffer> {
  const found = await readKey(path);
  if (found) return found;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Written beside and linked into place: whoever loses the race, or dies half-way, leaves no half key.
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('hex')}\n`);
    await file.sync();
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  const made = await readKey(path);
  if (!made) throw new TerminalError('key.missing', `${path} vanished`, `Restore ${path} from a backup.`);
  return made;
}

async function readKey(path: string): Promise<Buffer | null> {
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
