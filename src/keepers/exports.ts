/** Final copies of deleted instances: where they are, and when they go. */
import { readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { INSTANCE_KEY, isValidName } from '../instance/naming.js';
import type { Clock } from '../lib/clock.js';
import { messageOf } from '../lib/errors.js';
import type { Log } from '../lib/logger.js';
import { DAY_MS } from '../subscription/calendar.js';

/** Beside each copy a file of this ending says until when it is kept. */
const PROMISE = '.until';
/** Copies of former versions have no date: what was promised is at most the default, or what is set now. */
const UNDATED_DAYS = 90;
const NAME = /^[a-z0-9-]+\.[a-z]+-\d+(\.\d+)?(\.left-\d{14})?\.(zip|tgz)$/;

export interface ExportSettings {
  dir: string;
  keptDays: number;
}

/** Where a final copy goes, and until when it is kept: written down beside it when it is made. */
export function copiesIn(settings: ExportSettings) {
  return {
    keptDays: settings.keptDays,
    /** The same file at every try: `acme.sol-7.zip`. RangeError on a name or a key that could lead elsewhere. */
    fileOf({ key, name }: { key: string; name: string }, format: string): string {
      if (!isValidName(name) || !INSTANCE_KEY.test(key))
        throw new RangeError(`no file for the instance ${name} (${key})`);
      return path.join(settings.dir, `${name}.${key.replace(':', '-')}.${format}`);
    },
    /** Where what is left of one goes that gets its data from a backup: `acme.sol-7.left-20260131123000.tgz`. */
    leftFileOf(instance: { key: string; name: string }, at: Date): string {
      return this.fileOf(instance, `left-${at.toISOString().replace(/\D/g, '').slice(0, 14)}.tgz`);
    },
    async promise(file: string, until: Date): Promise<void> {
      await writeFile(`${file}${PROMISE}`, `${until.toISOString()}\n`, { mode: 0o600 });
    },
    promisedUntil,
  };
}

/** Of the folder of final copies: whole ones, unfinished ones, and dates of copies that are not there. */
export async function listCopies(dir: string) {
  const files = await readdir(dir).catch((): string[] => []);
  const found: { file: string; kind: 'copy' | 'draft' | 'promise'; until: Date | null }[] = [];
  for (const file of files.toSorted()) {
    const [, name = file, ending] = /^(.+?)(\.until|\.part)?$/.exec(file) ?? [];
    if (!NAME.test(name) || (ending === PROMISE && files.includes(name))) continue;
    const kind = ending === undefined ? 'copy' : ending === PROMISE ? 'promise' : 'draft';
    found.push({ file: name, kind, until: kind === 'draft' ? null : await promisedUntil(path.join(dir, name)) });
  }
  return found;
}

/** What was not promised when a copy was written is promised now. */
export async function dateCopy({ dir, keptDays }: ExportSettings, file: string): Promise<void> {
  const full = path.join(dir, file);
  await copiesIn({ dir, keptDays }).promise(full, await undatedUntil(full, keptDays));
}

async function undatedUntil(full: string, keptDays: number): Promise<Date> {
  return new Date((await stat(full)).mtimeMs + Math.max(keptDays, UNDATED_DAYS) * DAY_MS);
}

async function promisedUntil(file: string): Promise<Date | null> {
  const text = await readFile(`${file}${PROMISE}`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const date = new Date(text.trim());
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Removes the copies whose time is over, whatever the settings say now; never throws. */
export async function removeOldExports({ dir, keptDays }: ExportSettings, clock: Clock, log: Log): Promise<void> {
  const now = clock();
  for (const file of (await readdir(dir).catch(() => [])).filter((name) => NAME.test(name))) {
    try {
      const full = path.join(dir, file);
      const promised = await promisedUntil(full);
      const until = promised ?? (await undatedUntil(full, keptDays));
      if (until >= now) continue;
      await unlink(full);
      await rm(`${full}${PROMISE}`, { force: true });
      log.info('export.removed', `${file} was to be kept until ${until.toISOString()} and is removed.`, { file: full });
    } catch (error) {
      log.warn('export.not_removed', `${file} could not be removed: ${messageOf(error)}`);
    }
  }
}
