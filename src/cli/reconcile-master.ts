/** `saas-bridge reconcile-master`: daemon and master go on together after the master has gone back in time. */
import type { Writable } from 'node:stream';
import type { Config } from '../config/config.js';
import { systemClock } from '../lib/clock.js';
import { differencesOf, type Read } from '../owed/differences.js';
import { storedBond } from '../store/bond.js';
import { lockStore } from '../store/lock.js';
import { ensureOwnerId } from '../store/owner-id.js';
import { openStore } from '../store/store.js';
import { connectMaster } from '../wiring.js';
import { pagesOf } from './read-master.js';

/**
 * Says what the two know differently; with `apply` they go on together from here: everything is read and reported anew.
 * @returns whether there is nothing left to do.
 * @throws TerminalError `store.in_use` while the daemon runs.
 */
export async function reconcileMaster(config: Config, apply: boolean, out: Writable): Promise<boolean> {
  const lock = lockStore(config.dataDir);
  const { client, master } = connectMaster(config);
  const store = openStore(config.storePath, { clock: systemClock(config.clockOffset) });
  try {
    const bond = storedBond(store.meta, { daemon: await ensureOwnerId(config.dataDir), host: '' });
    const { database, generation, answered } = bond.caller();
    const hello = await master.hello();
    const isOther = database !== false && database !== hello.database_uuid;
    out.write(
      `Master ${hello.database_uuid} knows ${hello.generation} pushes; this daemon had ${answered} answered.\n`,
    );
    if (!isOther && hello.generation >= answered) {
      out.write('They agree: nothing to reconcile.\n');
      return true;
    }
    out.write(isOther ? `It was another database: ${database}.\n` : 'The master has gone back in time.\n');
    const differences = differencesOf(store.instances.all(), store.purchases.all(), await readAll(master));
    for (const { what, does } of differences) out.write(`- ${what}\n  ${does}\n`);
    if (differences.length === 0) out.write('Both know the same purchases and instances.\n');
    if (!apply) {
      out.write('Nothing was changed. To go on together: saas-bridge reconcile-master --yes\n');
      return false;
    }
    const agreed = await master.resume({ ...bond.caller(), generation: generation === false ? 0 : generation });
    store.transaction(() => {
      bond.renew(agreed.database_uuid, agreed.generation);
      for (const name of ['cursor', 'full_cursor']) store.meta.set(name, null);
      for (const { key } of store.instances.all()) store.jobs.enqueue(key, { reason: 'the master was restored' });
    });
    out.write('Done. Start the daemon: it reads everything, and reports each instance anew.\n');
    return true;
  } finally {
    store.close();
    lock.release();
    await client.close();
  }
}

async function readAll(master: ReturnType<typeof connectMaster>['master']): Promise<Read> {
  const read: Read = { purchases: [], instances: [] };
  for await (const { purchases, instances } of pagesOf(master)) {
    read.purchases.push(...purchases);
    read.instances.push(...instances);
  }
  return read;
}
