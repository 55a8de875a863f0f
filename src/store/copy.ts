/** A copy of the store, as of one moment, while the daemon works on. */
import { chmod } from 'node:fs/promises';
import { createPrivateFile, openDatabase } from './database.js';

/** @param to is made with mode 0600. Throws what `openDatabase` throws. */
export async function copyStore(from: string, to: string): Promise<void> {
  createPrivateFile(to);
  const db = openDatabase(from, 'readonly');
  try {
    await db.backup(to);
  } finally {
    db.close();
  }
  await chmod(to, 0o600);
}
