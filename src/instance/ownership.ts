/** Whose a scope on an engine is: it belongs to one daemon, which is its data folder. Pure. */
import { createHash } from 'node:crypto';
import { TerminalError } from '../lib/errors.js';

/** What the marker on the engine says. */
export interface Owner {
  /** The id in the data folder of the daemon. */
  id: string;
  /** Of the key that the instances' secrets derive from. */
  fingerprint: string;
  /** The first key was lost: instances may have been made with another one. */
  isKeyReplaced: boolean;
  /** Host and data folder, for people. */
  place: string;
}

/** What is compared before anything is done on the engine. */
export interface Situation {
  scope: string;
  /** Null where the scope belongs to nobody. */
  marker: Owner | null;
  /** The id in our data folder; null in one that never had a scope. */
  id: string | null;
  /** Where our data folder is, absolute. */
  dataDir: string;
  /** Of our key; null where there is none. */
  fingerprint: string | null;
  /** The engine has instances in the scope, and none of them is one that our store knows. */
  hasStrangers: boolean;
  /** The engine has instances in the scope, whoever's. */
  hasInstances: boolean;
  /** Our store knows instances that were made. */
  hasCustomers: boolean;
}

/** The key itself is 256 random bits: this tells nothing about it. */
export function fingerprintOf(key: Buffer): string {
  return createHash('sha256').update('key fingerprint\0').update(key).digest('hex').slice(0, 16);
}

/**
 * `ours`: the marker says so. `free`: there is none, and it may be written.
 * @throws TerminalError `scope.foreign`, `scope.copied`, `scope.elsewhere`, `scope.unclaimed`, `key.missing`, `key.other`.
 */
export function decideOwnership(situation: Situation): 'ours' | 'free' {
  const { scope, marker, id, fingerprint, hasStrangers, hasInstances, hasCustomers } = situation;
  if (marker) {
    if (marker.id !== id) throw foreign(scope, marker);
    if (!isAt(marker, situation.dataDir)) throw copied(situation.dataDir, marker);
    requireKey(fingerprint, marker.fingerprint);
    return 'ours';
  }
  if (id === null && hasStrangers) throw unclaimed(scope);
  if (fingerprint === null && hasInstances) throw missing();
  if (hasCustomers && !hasInstances) throw elsewhere(scope);
  return 'free';
}

/**
 * The marker was written by this data folder, and not by one that this is a copy of. Host names say nothing: that of a
 * container is another one each time.
 */
export function isAt({ place }: Pick<Owner, 'place'>, dataDir: string): boolean {
  const folder = place.slice(place.indexOf(':') + 1);
  return !folder.startsWith('/') || folder.replace(/(?<=.)\/+$/, '') === dataDir;
}

/** Throws unless the key is the one with which the instances were made. */
export function requireKey(fingerprint: string | null, known: string): void {
  if (fingerprint === null) throw missing();
  if (fingerprint === known) return;
  throw new TerminalError(
    'key.other',
    `secret.key is not the one with which the instances were made: its fingerprint is ${fingerprint}, theirs ${known}`,
    'Put the right secret.key back into the data folder, from its backup. If it is lost for good: saas-bridge take-over --new-key',
  );
}

function missing(): TerminalError {
  return new TerminalError(
    'key.missing',
    'the data folder has no secret.key, and there are instances whose passwords derive from it',
    'Put secret.key back into the data folder, from its backup. If it is lost for good: saas-bridge take-over --new-key',
  );
}

function foreign(scope: string, { id, place }: Owner): TerminalError {
  return new TerminalError(
    'scope.foreign',
    `the scope ${scope} on this engine belongs to another daemon: ${place} (id ${id.slice(0, 8)})`,
    'Set SAAS_SCOPE to a name that no other daemon on this engine has. If that data folder is lost: see that its daemon runs nowhere, put its secret.key into the data folder of this one, and run: saas-bridge take-over',
  );
}

function copied(dataDir: string, { place }: Owner): TerminalError {
  return new TerminalError(
    'scope.copied',
    `${dataDir} is a copy of the data folder ${place}, or was moved from there`,
    'If it was moved, and no daemon works on the other one any more: saas-bridge take-over. A copy to try things out needs a SAAS_SCOPE and an engine of its own, and no owner.id.',
  );
}

function elsewhere(scope: string): TerminalError {
  return new TerminalError(
    'scope.elsewhere',
    `this engine has nothing of the scope ${scope}, and this data folder has instances: they are on another engine`,
    'See that this is the right engine, with its disk mounted. If this data folder is a copy, delete its owner.id and bridge.sqlite. If the engine is lost with all that was on it: saas-bridge take-over',
  );
}

function unclaimed(scope: string): TerminalError {
  return new TerminalError(
    'scope.unclaimed',
    `the scope ${scope} on this engine has instances that this data folder knows nothing of`,
    'If they are of another daemon, set SAAS_SCOPE to a name of its own for this one. If the data folder was lost: put its secret.key into this one, and run: saas-bridge take-over',
  );
}
