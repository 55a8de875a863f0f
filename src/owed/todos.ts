/** What a run owes the staff: things that only a person can see to. Pure. */
import type { PushOperation } from '../protocol/push.js';
import { day, type Run } from './notices.js';
import { alertOperation, noEmailOperation } from './operations.js';

/** To-dos for what has just come about. */
export function owedHelp({ before, after, facts, recovered }: Run, now: Date): PushOperation[] {
  const owed: PushOperation[] = [];
  const { name } = after;
  const served = before.startedAt === null && after.phase === 'running';
  const [purchase] = facts.purchases;
  if (served && purchase && after.customer.email === '') owed.push(noEmailOperation(after, purchase.key));
  if (recovered && after.phase === 'running') {
    const en = `${name} kept dying and was rebuilt from its own data. Its log may tell why: docker logs, memory.`;
    const es = `${name} se caía una y otra vez y se ha reconstruido con sus propios datos. Revise el registro y la memoria.`;
    owed.push(alertOperation(after, `rebuilt:${day(now)}`, { en, es }));
  }
  if (facts.storageOverSince !== null && before.storageOverSince === null) {
    const plan = facts.plan.name;
    const en = `${name} uses more storage than ${plan} includes; it is suspended when its grace ends.`;
    const es = `${name} ocupa más espacio del que incluye ${plan}; se suspenderá al terminar el plazo.`;
    owed.push(alertOperation(after, `storage:${facts.storageOverSince.getTime()}`, { en, es }));
  }
  return owed;
}

/** A deletion is near and nobody can be written to: a person must tell the customer in another way. */
export function unwarnedAlert({ after, facts }: Run, code: string): PushOperation {
  const date = facts.decision.deletion?.at.toISOString().slice(0, 10) ?? '';
  const en = `${after.name} is deleted on ${date}, and its customer has no e-mail address: tell them.`;
  const es = `${after.name} se eliminará el ${date} y su cliente no tiene correo electrónico: avísele.`;
  return alertOperation(after, code, { en, es });
}
