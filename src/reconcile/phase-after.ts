/** What an instance is after a run, and what its customer knows. Pure. */
import type { Facts } from '../facts/facts.js';
import type { Phase } from '../instance/phase.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Instance } from '../instance/types.js';

/** The paid time that the customer knows of after this run; what is only trusted is not told. */
export function tellingOf({ toldPaidUntil }: Instance, { status }: Facts, phase: Phase): Date | null {
  const { paidUntil, lapsesAt } = status;
  if (phase !== 'running' || paidUntil === null) return toldPaidUntil;
  if (toldPaidUntil === null || paidUntil < toldPaidUntil || lapsesAt === null) return paidUntil;
  return toldPaidUntil;
}

export function phaseOf({ desired, instance }: Facts, spec: InstanceSpec | null): Phase {
  // Bought and taken back before anything was made.
  if (!spec && desired.state === 'suspended') return instance.startedAt ? 'suspended' : 'draft';
  return desired.state;
}
