/** What is free of the disk on which the engine keeps the volumes. */
import { statfs } from 'node:fs/promises';
import type { Space } from '../../instance/ports.js';
import type { Engine } from '../engine/engine.js';

/**
 * Asks the file system of the engine's folder; where that is not to be seen, as from a container, that of the daemon's own
 * folder, which is a volume on the same disk.
 */
export async function spaceOf(engine: Engine, dataDir: string): Promise<Space> {
  const rootDir = await engine.rootDir();
  const found = await statfs(rootDir).catch(() => statfs(dataDir));
  return {
    // What only root may still write is no room for anybody.
    bytes: found.bavail / found.blocks,
    // Some file systems make inodes as long as there is space, and tell of none.
    inodes: found.files > 0 ? found.ffree / found.files : 1,
  };
}
