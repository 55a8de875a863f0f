/**
 * Nothing is done on the engine before it is known that the scope belongs to this daemon: to its data folder, and with
 * the key that its instances were made with.
 */
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { decideOwnership, fingerprintOf, type Owner, requireKey } from '../instance/ownership.js';
import type { ScopeMarker } from '../instance/ports.js';
import { type BridgeError, RetryableError, TerminalError } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { loadDaemonKey, readDaemonKey } from '../store/daemon-key.js';
import { readKnownKey, writeKnownKey } from '../store/known-key.js';
import { ensureOwnerId, readOwnerId } from '../store/owner-id.js';
import { assertNothingHalfRestored } from '../store/restoring.js';
import type { Store } from '../store/store.js';

export interface OwnershipParts {
  scope: string;
  dataDir: string;
  marker: ScopeMarker;
  store: Pick<Store, 'meta' | 'instances'>;
  log: Log;
}

export interface Ownership {
  /**
   * The daemon's key, once it is known to be the right one; made by the very first start. An engine that is away is
   * waited for in `verified`, except by a start without a key.
   * @throws TerminalError `scope.foreign`, `scope.copied`, `scope.elsewhere`, `scope.unclaimed`, `key.missing`, `key.other`, `key.unsafe`,
   *   `restore.cut_off`.
   */
  begin(): Promise<Buffer>;
  /** Resolves once the scope is known to be ours. RetryableError `scope.unverified`: it may be another daemon's. */
  verified(): Promise<void>;
  /** Looks again. */
  look(): Promise<void>;
  /** Resolves when the scope is found to be another daemon's: this one must end. */
  readonly lost: Promise<BridgeError>;
}

export function createOwnership({ scope, dataDir, marker, store, log }: OwnershipParts): Ownership {
  let key: Buffer | null = null;
  let id: string | null = null;
  let known: Promise<void> | null = null;
  let failure: RetryableError | null = null;
  let lose: (error: BridgeError) => void = () => undefined;
  const lost = new Promise<BridgeError>((resolve) => {
    lose = resolve;
  });

  /** Reads the marker, or writes it where there is none. */
  async function settle(): Promise<void> {
    const found = await marker.read();
    const keys = found ? [] : await marker.instanceKeys();
    const mine = { scope, id, dataDir: resolve(dataDir), fingerprint: key && fingerprintOf(key) };
    const hasCustomers = knowsInstances(store);
    const hasStrangers = keys.length > 0 && !keys.some((one) => store.instances.get(one) !== null);
    if (
      decideOwnership({ ...mine, marker: found, hasStrangers, hasInstances: keys.length > 0, hasCustomers }) === 'free'
    ) {
      await claim();
    }
    const isReplaced = found?.isKeyReplaced ?? readKnownKey(store.meta)?.isReplaced ?? false;
    // So that another key is noticed while the engine is away, too.
    if (key) writeKnownKey(store.meta, { fingerprint: fingerprintOf(key), isReplaced });
  }

  async function claim(): Promise<void> {
    key ??= await loadDaemonKey(secretKeyIn(dataDir));
    const owner = await ownerHere(dataDir, key, readKnownKey(store.meta)?.isReplaced ?? false);
    id = owner.id;
    // Of two first starts at once, one wins.
    const winner = await marker.claim(owner);
    decideOwnership({
      id,
      scope,
      dataDir: resolve(dataDir),
      fingerprint: owner.fingerprint,
      marker: winner,
      hasInstances: false,
      hasStrangers: false,
      hasCustomers: false,
    });
    log.info('scope.claimed', `The scope ${scope} on this engine belongs to ${owner.place} from now on.`, { scope });
  }

  async function look(): Promise<void> {
    if (failure) throw failure;
    try {
      await settle();
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      failure = new RetryableError('scope.unverified', error.message, error.advice, { cause: error });
      lose(error);
      throw failure;
    }
  }

  return {
    lost,
    look,

    async begin() {
      assertNothingHalfRestored(dataDir);
      [key, id] = await Promise.all([readDaemonKey(secretKeyIn(dataDir)), readOwnerId(dataDir)]);
      const told = readKnownKey(store.meta);
      if (told) requireKey(key && fingerprintOf(key), told.fingerprint);
      try {
        await settle();
        known = Promise.resolve();
      } catch (error) {
        // Whether a start without a key is the first one, only the engine can say.
        if (!(error instanceof RetryableError) || !key) throw error;
        const message = 'The engine does not answer: it is not known yet whether the scope belongs to this daemon.';
        log.warn('scope.unverified', message, errorFields(error));
      }
      if (!key) throw new TerminalError('key.vanished', 'secret.key vanished', 'See who empties the data folder.');
      return key;
    },

    verified() {
      if (failure) return Promise.reject(failure);
      known ??= look().catch((error: unknown) => {
        known = null;
        throw error;
      });
      return known;
    },
  };
}

export function secretKeyIn(dataDir: string): string {
  return join(dataDir, 'secret.key');
}

/** Whether something was made for any of its instances. */
export function knowsInstances({ instances }: Pick<Store, 'instances'>): boolean {
  const { running = 0, suspended = 0, stopped = 0 } = instances.countByPhase();
  return running + suspended + stopped > 0;
}

/** This data folder, which has an id from now on. */
export async function ownerHere(dataDir: string, key: Buffer, isKeyReplaced: boolean): Promise<Owner> {
  const id = await ensureOwnerId(dataDir);
  return { id, fingerprint: fingerprintOf(key), isKeyReplaced, place: `${hostname()}:${resolve(dataDir)}` };
}
