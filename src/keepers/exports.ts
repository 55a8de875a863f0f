/** Final copies of deleted instances: where they are, and when they go. */
import { readdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../lib/clock.js';
import { messageOf } from '../lib/errors.js';
import type { Log } from '../lib/logger.js';
import { DAY_MS } from '../subscription/calendar.js';

const NAME = /^[a-z0-9-]+\.[a-z]+-\d+\.zip$/;

export interface ExportSettings {
  dir: string;
  keptDays: number;
}

/** The same file at every try: `acme.sol-7.zip`. */
export function exportFileOf({ dir }: ExportSettings, instance: { key: string; name: string }): string {
  return path.join(dir, `${instance.name}.${instance.key.replace(':', '-')}.zip`);
}

/** Removes the copies whose time is over; never throws. */
export async function removeOldExports({ dir, keptDays }: ExportSettings, clock: Clock, log: Log): Promise<void> {
  const oldest = clock().getTime() - keptDays * DAY_MS;
  for (const file of (await readdir(dir).catch(() => [])).filter((name) => NAME.test(name))) {
    try {
      const full = path.join(dir, file);
      if ((await stat(full)).mtimeMs >= oldest) continue;
      await unlink(full);
      log.info('export.removed', `${file} was kept for ${keptDays} days and is removed.`, { file: full });
    } catch (error) {
      log.warn('export.not_removed', `${file} could not be removed: ${messageOf(error)}`);
    }
  }
}
