/** What `saas-bridge doctor --fix` does: only what takes nothing of a customer's away. Each is looked at once more before. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config/config.js';
import type { Finding, Fix } from '../doctor/kinds.js';
import { PHASE } from '../instance/phase.js';
import { dateCopy } from '../keepers/exports.js';
import { isLocked } from '../store/lock.js';
import { readOwnerId } from '../store/owner-id.js';
import type { Store } from '../store/store.js';
import { openFleet, openMarker } from '../wiring.js';
import { inStore } from './in-store.js';

const REASON = 'the doctor found what does not agree';

/** @returns whether it was done. */
type Mend = (subject: string) => Promise<boolean> | boolean;

/** Mends what can be; gives those that it has mended. */
export async function mend(config: Config, findings: Finding[]): Promise<Finding[]> {
  const mends = mendsWith(config);
  const mended: Finding[] = [];
  for (const finding of findings) {
    if (finding.fix !== null && (await mends[finding.fix](finding.subject))) mended.push(finding);
  }
  return mended;
}

function mendsWith(config: Config): { readonly [F in Fix]: Mend } {
  const beside = <T>(work: (store: Store) => T) => inStore(config, 'beside', work);
  const isAlive = (is: (instance: { key: string; name: string }) => boolean) =>
    beside((store) => store.instances.all().some((one) => !PHASE[one.phase].gone && is(one)));

  return {
    enqueue: (key) =>
      beside((store) => {
        if (!store.instances.get(key)) return false;
        store.jobs.enqueue(key, { reason: REASON });
        return true;
      }),

    read: () =>
      beside((store) => {
        for (const name of ['cursor', 'full_cursor']) store.meta.set(name, null);
        return true;
      }),

    async remove_empty(key) {
      const marker = await openMarker(config).read();
      if (marker?.id !== (await readOwnerId(config.dataDir)) || isAlive((one) => one.key === key)) return false;
      const { runtime } = await openFleet(config);
      const seen = (await runtime.observeAll()).get(key);
      if (!seen || seen.volumes || seen.db?.running || seen.odoo?.running) return false;
      await runtime.removeContainers(seen);
      await runtime.removeNetwork(seen);
      return true;
    },

    async remove_folder(name) {
      if (isAlive((one) => one.name === name)) return false;
      await rm(path.join(config.dataDir, 'instances', path.basename(name)), { recursive: true, force: true });
      return true;
    },

    async date_copy(file) {
      await dateCopy(config.exports, path.basename(file));
      return true;
    },

    async end_tasks() {
      if (isLocked(config.dataDir)) return false;
      await (await openFleet(config)).runtime.endLeftTasks();
      return true;
    },

    forget_job: (key) =>
      beside((store) => {
        if (store.instances.get(key)) return false;
        store.jobs.forget(key);
        return true;
      }),
  };
}
