/** What the master is told of the backups of an instance. Pure. */
import { TOO_OLD_MS } from '../backup/due.js';
import type { Instance } from '../instance/types.js';
import type { PushOperation } from '../protocol/push.js';
import { toOdooTime } from '../protocol/time.js';
import { instanceTodo } from './operations.js';

/** What is known of them. */
export interface BackupState {
  instanceKey: string;
  madeAt: Date | null;
  bytes: number | null;
  failingSince: Date | null;
  error: string | null;
  provenAt: Date | null;
  proofError: string | null;
}

/** Some years of them, and of each restore one. */
const MOST_MOMENTS = 200;

/**
 * The values of the record that tell of them.
 * @param moments of all that there are now, the newest first; null where that is not known.
 */
export function backupOperation(state: BackupState, moments: Date[] | null = null): PushOperation {
  const { instanceKey, madeAt, bytes, error, provenAt, proofError } = state;
  const values = {
    backup_on: madeAt && toOdooTime(madeAt),
    backup_mb: bytes === null ? 0 : Math.ceil(bytes / 1024 ** 2),
    backup_error: error,
    backup_proven_on: provenAt && toOdooTime(provenAt),
    backup_proof_error: proofError,
    ...(moments ? { backup_moments: moments.slice(0, MOST_MOMENTS).map(toOdooTime).join(',') } : {}),
  };
  return { op: 'instance', key: `instance:${instanceKey}`, instance_key: instanceKey, values };
}

/** A to-do where the last backup is too old, once for each time that it began to fail; else null. */
export function backupOverdue(instance: Instance, state: BackupState, now: Date): PushOperation | null {
  const { madeAt, failingSince, error } = state;
  const since = madeAt ?? instance.startedAt;
  if (since === null || failingSince === null || now.getTime() - since.getTime() < TOO_OLD_MS) return null;
  return instanceTodo(instance, `backup:${failingSince.getTime()}`, {
    code: 'backup_overdue',
    params: { instance: instance.name, since: toOdooTime(since), reason: error ?? '' },
  });
}

/** A trial has failed: once for each. */
export function proofFailed(instance: Instance, at: Date, reason: string): PushOperation {
  const params = { instance: instance.name, reason };
  return instanceTodo(instance, `proof:${at.getTime()}`, { code: 'backup_not_proven', params });
}

/** The target fails since, and so nobody is backed up. */
export function backupsFailing(since: Date, reason: string): PushOperation {
  const message = { code: 'backups_failing' as const, params: { since: toOdooTime(since), reason } };
  return { op: 'summary', key: `backups:${since.toISOString()}`, message };
}
