/** What is known of the key that the instances' secrets derive from: the engine told it last. */
import type { Instance } from '../instance/types.js';
import type { MetaTable } from './meta.js';

export interface KnownKey {
  fingerprint: string;
  /** The first key of the scope was lost: instances may have been made with another one. */
  isReplaced: boolean;
}

/** Null until the engine has told. */
export function readKnownKey(meta: MetaTable): KnownKey | null {
  const fingerprint = meta.get('key_fingerprint');
  return fingerprint === null ? null : { fingerprint, isReplaced: meta.get('key_replaced') === 'yes' };
}

export function writeKnownKey(meta: MetaTable, { fingerprint, isReplaced }: KnownKey): void {
  const known = readKnownKey(meta);
  if (known?.fingerprint === fingerprint && known.isReplaced === isReplaced) return;
  meta.set('key_fingerprint', fingerprint);
  meta.set('key_replaced', isReplaced ? 'yes' : null);
}

/** Whether the passwords of an instance derive from that key. */
export function areSecretsSet({ secrets }: Pick<Instance, 'secrets'>, known: KnownKey | null): boolean {
  if (known === null || secrets === known.fingerprint) return true;
  return secrets === null && !known.isReplaced;
}
