/** The id that tells this data folder from all others: the file `owner.id`. Random, so that it goes with the folder. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TerminalError } from '../lib/errors.js';
import { makeOnce } from './once.js';

/** Null in a folder that has none yet. */
export async function readOwnerId(dir: string): Promise<string | null> {
  const file = join(dir, 'owner.id');
  try {
    const id = (await readFile(file, 'utf8')).trim();
    if (/^[0-9a-f]{32}$/.test(id)) return id;
    throw new TerminalError('data.damaged', `${file} holds no id`, `Restore ${file} from a backup, or delete it.`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The id that is there, or one made now. */
export async function ensureOwnerId(dir: string): Promise<string> {
  const found = await readOwnerId(dir);
  if (found !== null) return found;
  await makeOnce(join(dir, 'owner.id'), `${randomBytes(16).toString('hex')}\n`);
  const made = await readOwnerId(dir);
  if (made !== null) return made;
  throw new TerminalError('data.damaged', `owner.id in ${dir} vanished`, 'See who empties the data folder.');
}
