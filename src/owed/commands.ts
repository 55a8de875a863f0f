/** What staff and customers ask of an instance: what a command decides at once, and what is answered in the end. */

import type { CommandName } from '../instance/command.js';
import type { OperationKind } from '../instance/operations/operations.js';
import type { Desired, InstanceChanges } from '../instance/types.js';
import type { Sentence } from '../protocol/sentences.js';
import { toOdooTime } from '../protocol/time.js';

export interface CommandRule {
  /** What it changes about the instance when it arrives; the next run makes it so. */
  changes(now: Date): InstanceChanges;
  /** The act that it asks for. */
  operation?: OperationKind;
  /** The act goes the way that only a person may choose. */
  isChosen?: true;
  /** It is done beside the jobs, by who makes the backups, and answered there. */
  isBackup?: true;
  /** Only what must run can be asked for it. */
  needsToRun: boolean;
  /** What it has done once the instance is as it must be; what the instance is now where it says nothing. */
  done?: Sentence;
  /** The same where it does not wake an instance up that staff hold. */
  doneWhileHeld?: Sentence;
}

const NOTHING = () => ({});

/** Whoever was over the limit gets the whole grace once more, and a deletion is announced anew. */
const GO_ON = (now: Date): InstanceChanges => ({
  hold: 'none',
  storageOverSince: now,
  unreadableSince: null,
  spaceStoppedAt: null,
  warnedAt: null,
});

/** All commands. One that is not handled does not compile. */
export const COMMANDS: { readonly [Name in CommandName]: CommandRule } = {
  start: { changes: GO_ON, needsToRun: true },
  resume: { changes: GO_ON, needsToRun: true },
  stop: { changes: () => ({ hold: 'stopped' }), needsToRun: false },
  suspend: { changes: () => ({ hold: 'suspended' }), needsToRun: false },
  delete: { changes: () => ({ hold: 'deleted' }), needsToRun: false },
  // The act is asked for in another way than it begins by itself: nothing is written.
  delete_without_copy: { changes: () => ({ hold: 'deleted' }), operation: 'export', isChosen: true, needsToRun: false },
  restart: { changes: NOTHING, operation: 'restart', needsToRun: true },
  rebuild: {
    changes: NOTHING,
    operation: 'rebuild',
    needsToRun: true,
    done: { code: 'containers_rebuilt', params: {} },
  },
  restore: { changes: NOTHING, isBackup: true, needsToRun: true },
  back_up: { changes: NOTHING, isBackup: true, needsToRun: false },
  // What the instance is now says nothing: the addon grants time and plan on this answer, and they may wake it up.
  extend: {
    changes: NOTHING,
    needsToRun: false,
    done: { code: 'time_added', params: {} },
    doneWhileHeld: { code: 'time_added_held', params: {} },
  },
  change_plan: {
    changes: NOTHING,
    needsToRun: false,
    done: { code: 'plan_changed', params: {} },
    doneWhileHeld: { code: 'plan_changed_held', params: {} },
  },
  retry: { changes: NOTHING, needsToRun: false },
};

export interface Answer {
  result: 'done' | 'refused';
  message: Sentence;
}

/** The answer once the instance is as it must be. */
export function answerTo(command: CommandName, desired: Desired, paidUntil: Date | null): Answer {
  if (COMMANDS[command].needsToRun && desired.state !== 'running') {
    return { result: 'refused', message: whyNot(desired, paidUntil) };
  }
  return { result: 'done', message: isNow(command, desired) };
}

function whyNot({ cause }: Desired, paidUntil: Date | null): Sentence {
  switch (cause) {
    case 'unpaid':
      return paidUntil
        ? { code: 'down_unpaid', params: { paid_until: toOdooTime(paidUntil) } }
        : { code: 'down_never_paid', params: {} };
    case 'taken_back':
      return { code: 'down_taken_back', params: {} };
    case 'storage':
      return { code: 'down_storage', params: {} };
    default:
      return { code: 'down_held', params: {} };
  }
}

function isNow(command: CommandName, { state, cause }: Desired): Sentence {
  const { done, doneWhileHeld } = COMMANDS[command];
  if (cause === 'staff' && doneWhileHeld) return doneWhileHeld;
  return done ?? { code: `now_${state}`, params: {} };
}
