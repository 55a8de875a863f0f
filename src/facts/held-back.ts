/** What must be while the calendar may not act against a customer. Pure. */
import { PHASE } from '../instance/phase.js';
import type { Desired } from '../instance/types.js';
import type { Facts } from './facts.js';

/** What the calendar is about to do would take something from the customer: staff's own decisions never wait. */
export function actsAgainst({ instance, desired }: Pick<Facts, 'instance' | 'desired'>): boolean {
  if (desired.cause === 'staff') return false;
  // It is no matter of the calendar: the disk does not wait.
  if (desired.cause === 'storage' && instance.spaceStoppedAt !== null) return false;
  if (desired.state === 'deleted') return true;
  return desired.state === 'suspended' && instance.suspendedAt === null && instance.startedAt !== null;
}

/** The same facts without it: what runs goes on, what is down stays down. */
export function heldBack(facts: Facts): Facts {
  const { instance, decision } = facts;
  const { state, cause, reason } = decision.desired;
  const isDown = PHASE[instance.phase].containers === 'down';
  const kept: Desired['state'] = state === 'deleted' ? 'suspended' : isDown ? 'stopped' : 'running';
  const desired: Desired = { state: kept, cause: kept === 'running' ? null : cause, reason: `${reason} That waits.` };
  return { ...facts, desired, decision: { ...decision, desired } };
}
