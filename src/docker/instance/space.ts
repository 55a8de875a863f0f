/** The free space of the disk on which the engine keeps the volumes. */
import { statfs } from 'node:fs/promises';
import type { Engine } from '../engine/engine.js';

/**
 * Asks the file system of the engine's folder; where that is not to be seen, as from a container, that of the daemon's own
 * folder, which is a volume on the same disk.
 */
export async function spaceOf(engine: Engine, dataDir: string): Promise<{ freeBytes: number; totalBytes: number }> {
  const rootDir = await engine.rootDir();
  const found = await statfs(rootDir).catch(() => statfs(dataDir));
  // What only root may still write is no room for anybody.
  return { freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize };
}
