/** What a run owes the staff: things that only a person can see to. Pure. */
import type { Instance, Plan } from '../instance/types.js';
import type { PushOperation } from '../protocol/push.js';
import type { Sentence } from '../protocol/sentences.js';
import { toOdooTime } from '../protocol/time.js';
import { isUnreadable } from '../subscription/fit.js';
import { day, type Run } from './notices.js';
import { instanceTodo, localDay, noEmailOperation, purchaseTodo } from './operations.js';

/** To-dos for what has just come about. */
export function owedTodos({ before, after, facts, recovered }: Run, now: Date): PushOperation[] {
  const owed: PushOperation[] = [];
  const { name } = after;
  const served = before.startedAt === null && after.phase === 'running';
  const [purchase] = facts.purchases;
  if (served && purchase && after.customer.email === '') owed.push(noEmailOperation(after, purchase.key));
  if (recovered && after.phase === 'running') {
    owed.push(instanceTodo(after, `rebuilt:${day(now)}`, { code: 'instance_rebuilt', params: { instance: name } }));
  }
  // Of one that cannot be measured they know already.
  if (facts.storageOverSince !== null && before.storageOverSince === null && !isUnreadable(after, now)) {
    const kind = `storage:${facts.storageOverSince.getTime()}`;
    owed.push(instanceTodo(after, kind, { code: 'storage_over', params: { instance: name, plan: facts.plan.name } }));
  }
  return owed;
}

/** A deletion is near and nobody can be written to: a person must tell the customer in another way. */
export function unwarnedTodo(instance: Instance, kind: string, deleteOn: Date, timeZone: string): PushOperation {
  const params = { instance: instance.name, day: localDay(deleteOn, timeZone) };
  return instanceTodo(instance, kind, { code: 'deletion_unannounced', params });
}

/** No final copy can be made of what the volumes hold: they are copied as they are. */
export function copyFailing(instance: Instance, reason: string): PushOperation {
  return instanceTodo(instance, 'copy', { code: 'copy_failing', params: { instance: instance.name, reason } });
}

/** It could not be measured for a day: from now on it counts as over its storage. */
export function usageUnreadable(instance: Instance, since: Date, reason: string): PushOperation {
  const params = { instance: instance.name, since: toOdooTime(since), reason };
  return instanceTodo(instance, `unreadable:${since.getTime()}`, { code: 'usage_unreadable', params });
}

/** The disk was nearly full. */
export function stoppedForSpace(instance: Instance, plan: Pick<Plan, 'name'>, at: Date): PushOperation {
  const params = { instance: instance.name, plan: plan.name };
  return instanceTodo(instance, `space:${at.getTime()}`, { code: 'stopped_for_space', params });
}

/**
 * What is tried again and again and has failed for long: a to-do for the salesperson of what was bought, or for a manager.
 * @param since when it began to fail.
 */
export function lastingFailure(
  instance: Instance,
  purchase: { key: string } | null,
  since: Date,
  reason: string,
): PushOperation {
  const code = instance.startedAt === null ? 'still_not_made' : 'still_failing';
  return todo(instance, purchase, `lasting:${since.toISOString()}`, {
    code,
    params: { instance: instance.name, since: toOdooTime(since), reason },
  });
}

/** A write to the master that has failed for long, a mail perhaps. */
export function lastingWrite(
  instance: Instance,
  purchase: { key: string } | null,
  key: string,
  since: Date,
  reason: string,
): PushOperation {
  return todo(instance, purchase, `write:${key}:${since.toISOString()}`, {
    code: 'write_failing',
    params: { instance: instance.name, since: toOdooTime(since), reason },
  });
}

/** On the document, which is there in any case; the record may be what is missing. */
function todo(instance: Instance, purchase: { key: string } | null, kind: string, message: Sentence): PushOperation {
  return purchase ? purchaseTodo(purchase.key, kind, message) : instanceTodo(instance, kind, message);
}
