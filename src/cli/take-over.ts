/** `saas-bridge take-over`: the scope on the engine becomes this data folder's, with `--new-key` under another key. */
import path from 'node:path';
import type { Config } from '../config/config.js';
import { fingerprintOf, isAt, requireKey } from '../instance/ownership.js';
import type { ScopeMarker } from '../instance/ports.js';
import { ownerHere, secretKeyIn } from '../keepers/ownership.js';
import { TerminalError } from '../lib/errors.js';
import { readDaemonKey, replaceDaemonKey } from '../store/daemon-key.js';
import { writeKnownKey } from '../store/known-key.js';
import { lockStore } from '../store/lock.js';
import { openStore } from '../store/store.js';
import { openMarker } from '../wiring.js';
import type { Out } from './output.js';

export interface TakeOverOptions {
  /** The key that the instances were made with is lost: another one is made, where ours is not that one. */
  newKey: boolean;
  asJson: boolean;
}

/**
 * Needs the key that the instances were made with, or `newKey`. The daemon that had the scope stops by itself when it next
 * looks at the engine. May be repeated when it was cut off.
 * @throws TerminalError `store.locked` while a daemon works on the data folder; `key.missing`, `key.other`.
 */
export async function takeOver(config: Config, out: Out, { newKey, asJson }: TakeOverOptions): Promise<void> {
  const { dataDir, instances, storePath } = config;
  const { scope } = instances;
  const lock = lockStore(dataDir);
  try {
    const marker = openMarker(config);
    const [before, keys] = await Promise.all([marker.read(), marker.instanceKeys()]);
    const { key, isNew } = await keyFor(dataDir, before, keys.length, newKey);
    // The folder first: a marker that is missing is written by the next start.
    const owner = await ownerHere(dataDir, key, isNew || before?.isKeyReplaced === true);
    const store = openStore(storePath);
    writeKnownKey(store.meta, { fingerprint: owner.fingerprint, isReplaced: owner.isKeyReplaced });
    store.close();
    const isOurs = before?.id === owner.id && isAt(before, path.resolve(dataDir));
    if (!isOurs || isNew) await marker.replace(owner);
    const from = isOurs ? null : (before?.place ?? null);
    if (asJson) out.write(`${JSON.stringify({ scope, instances: keys.length, from, newKey: isNew })}\n`);
    else out.write(`${told(scope, dataDir, keys.length, isOurs, isNew)}\n`);
  } finally {
    lock.release();
  }
}

async function keyFor(
  dataDir: string,
  before: Awaited<ReturnType<ScopeMarker['read']>>,
  instances: number,
  newKey: boolean,
): Promise<{ key: Buffer; isNew: boolean }> {
  const file = secretKeyIn(dataDir);
  const key = await readDaemonKey(file);
  const fingerprint = key && fingerprintOf(key);
  const known = before?.fingerprint ?? fingerprint;
  if (newKey && (!key || fingerprint !== known)) return { key: await replaceDaemonKey(file), isNew: true };
  if (before || instances > 0) requireKey(fingerprint, known ?? '');
  if (key) return { key, isNew: false };
  const advice = 'A scope without instances needs no take-over: start the daemon.';
  throw new TerminalError('key.none', `there is no secret.key in ${dataDir}`, advice);
}

function told(scope: string, dataDir: string, instances: number, isOurs: boolean, isNew: boolean): string {
  const whose = isOurs
    ? `The scope ${scope} belongs to ${dataDir} already.`
    : `The scope ${scope} with its ${instances} instances belongs to ${dataDir} now.`;
  if (!isNew) return isOurs ? whose : `${whose} Start the daemon.`;
  return `${whose} It has a new secret.key: back it up, then start the daemon, which gives each instance its new passwords; each that runs is restarted once.`;
}
