/** Whose the scope on the engine is, asked without the daemon. */
import path from 'node:path';
import type { Config } from '../config/config.js';
import { decideOwnership, fingerprintOf } from '../instance/ownership.js';
import { knowsInstances, secretKeyIn } from '../keepers/ownership.js';
import { readDaemonKey } from '../store/daemon-key.js';
import { readOwnerId } from '../store/owner-id.js';
import type { Store } from '../store/store.js';
import { openMarker } from '../wiring.js';

/**
 * Whether it is this data folder's, or free.
 * @param store null where there is none, or none that is believed.
 * @throws TerminalError what `decideOwnership` says of one that is neither.
 */
export async function verdictOnScope(
  config: Config,
  store: Pick<Store, 'instances'> | null,
): Promise<ReturnType<typeof decideOwnership>> {
  const marker = openMarker(config);
  const [found, keys, id, key] = await Promise.all([
    ...([marker.read(), marker.instanceKeys()] as const),
    ...([readOwnerId(config.dataDir), readDaemonKey(secretKeyIn(config.dataDir))] as const),
  ]);
  const isKnown = keys.some((one) => store?.instances.get(one));
  return decideOwnership({
    ...{ scope: config.instances.scope, marker: found, id, fingerprint: key && fingerprintOf(key) },
    ...{ dataDir: path.resolve(config.dataDir), hasInstances: keys.length > 0 },
    ...{ hasStrangers: keys.length > 0 && !isKnown, hasCustomers: store !== null && knowsInstances(store) },
  });
}
