/** The first password of an instance, where the key that it derives from was replaced: what nobody was told can be set anew. */
import type { Instance } from '../instance/types.js';
import { readKnownKey } from '../store/known-key.js';
import type { Store } from '../store/store.js';

/** Nobody has the first password yet, and its mail or its record still has to bring it. */
export function isFirstPasswordOwed({ outbox }: Pick<Store, 'outbox'>, instance: Instance): boolean {
  if (isUsed(instance)) return false;
  const record = outbox.find(`instance:${instance.key}`);
  const isOnRecord = record?.op === 'instance' && record.values.admin_login != null;
  return isOnRecord || outbox.find(`notice:welcome:${instance.key}`) !== null;
}

/** It derives from the key of today: where it was in use when the key was replaced, nobody knows it any more. */
export function isFirstPasswordKnown({ meta }: Pick<Store, 'meta'>, instance: Instance): boolean {
  return readKnownKey(meta)?.isReplaced !== true || !isUsed(instance);
}

/** Before that the daemon itself tried the login. */
function isUsed({ usage, startedAt }: Pick<Instance, 'usage' | 'startedAt'>): boolean {
  const loggedInAt = usage?.loggedInAt;
  return loggedInAt !== undefined && startedAt !== null && new Date(loggedInAt) > startedAt;
}
