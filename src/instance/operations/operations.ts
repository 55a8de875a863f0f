/** All operations. One that is not handled does not compile. */
import { exportData } from './export.js';
import type { Machine, Next, Situation } from './machine.js';
import { rebuild } from './rebuild.js';
import { restart } from './restart.js';
import { restore } from './restore.js';

/** In the order in which they are done where several wait. */
export const OPERATION_KINDS = ['restore', 'rebuild', 'restart', 'export'] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

/** Who wanted it. `recovery`: the daemon itself, for an instance that keeps dying. */
export type OperationCause = 'command' | 'recovery' | 'deletion';

/** One that is wanted, under way, or remembered. */
export interface Operation {
  instanceKey: string;
  kind: OperationKind;
  cause: OperationCause;
  /** A progress of its machine. */
  progress: string;
  /** How often it has failed in a row at this progress. */
  failures: number;
}

export const OPERATIONS: { readonly [Kind in OperationKind]: Machine<string> } = {
  restart: checked(restart),
  restore: checked(restore),
  rebuild: checked(rebuild),
  export: checked(exportData),
};

/** Throws RangeError on a progress that the machine does not know: another version of the program wrote it. */
function checked<Progress extends string>(machine: Machine<Progress>): Machine<string> {
  const known = new Set<string>(progressesOf(machine));
  return {
    ...machine,
    next(progress: string, situation: Situation): Next<string> {
      if (!known.has(progress)) throw new RangeError(`not a progress of the operation: ${progress}`);
      return machine.next(progress as Progress, situation);
    },
  };
}

/** Every progress, in order: none comes twice on any way. */
export function progressesOf<Progress extends string>(machine: Machine<Progress>): Progress[] {
  const { begin, otherwise, chosen } = machine;
  const others = [otherwise?.progress, chosen].filter((progress) => progress !== undefined);
  return [...new Set([begin, ...others].flatMap((progress) => wayFrom(progress, machine)))];
}

function wayFrom<Progress extends string>(begin: Progress, { next }: Machine<Progress>): Progress[] {
  const nothing: Situation = { observed: { network: true, db: null, odoo: null }, missing: [] };
  const found: Progress[] = [];
  for (let progress = begin; ; ) {
    if (found.includes(progress)) throw new RangeError(`the operation comes back to ${progress}`);
    found.push(progress);
    const step = next(progress, nothing);
    if (step === 'done') return found;
    progress = step.progress;
  }
}
