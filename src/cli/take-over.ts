/** `saas-bridge take-over`: the scope on the engine becomes this data folder's. */
import type { Config } from '../config/config.js';
import { fingerprintOf, requireKey } from '../instance/ownership.js';
import { ownerHere, secretKeyIn } from '../keepers/ownership.js';
import { TerminalError } from '../lib/errors.js';
import { readDaemonKey } from '../store/daemon-key.js';
import { lockStore } from '../store/lock.js';
import { openMarker } from '../wiring.js';
import type { Out } from './output.js';

/**
 * Needs the key that the instances were made with. The daemon that had the scope stops by itself when it next looks at the
 * engine.
 * @throws TerminalError `store.locked` while a daemon works on the data folder; `key.missing`, `key.other`.
 */
export async function takeOver(config: Config, out: Out, asJson: boolean): Promise<void> {
  const { dataDir, instances } = config;
  const { scope } = instances;
  const lock = lockStore(dataDir);
  try {
    const marker = openMarker(config);
    const [before, keys, key] = await Promise.all([
      marker.read(),
      marker.instanceKeys(),
      readDaemonKey(secretKeyIn(dataDir)),
    ]);
    const fingerprint = key && fingerprintOf(key);
    if (before || keys.length > 0) requireKey(fingerprint, before?.fingerprint ?? fingerprint ?? '');
    if (!fingerprint) {
      const advice = 'A scope without instances needs no take-over: start the daemon.';
      throw new TerminalError('key.none', `there is no secret.key in ${dataDir}`, advice);
    }
    // The folder first: a marker that is missing is written by the next start.
    const owner = await ownerHere(dataDir, fingerprint);
    const isOurs = before?.id === owner.id;
    if (!isOurs) await marker.replace(owner);
    const told = { scope, instances: keys.length, from: isOurs ? null : (before?.place ?? null) };
    if (asJson) out.write(`${JSON.stringify(told)}\n`);
    else if (isOurs) out.write(`The scope ${scope} belongs to ${dataDir} already.\n`);
    else {
      out.write(`The scope ${scope} with its ${keys.length} instances belongs to ${dataDir} now. Start the daemon.\n`);
    }
  } finally {
    lock.release();
  }
}
