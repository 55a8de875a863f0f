/** What staff and customers ask of an instance: what a command decides at once, and what is answered in the end. */

import type { CommandName } from '../instance/command.js';
import type { Desired } from '../instance/types.js';
import type { Sentence } from '../protocol/sentences.js';
import { toOdooTime } from '../protocol/time.js';
import type { InstanceChanges } from '../store/instances.js';

/** What a command changes about the instance when it arrives; the next run makes it so. */
export function changesOf(command: CommandName, now: Date): InstanceChanges {
  switch (command) {
    case 'start':
    case 'resume':
      // Whoever was over the limit gets the whole grace once more, and a deletion is announced anew.
      return { hold: 'none', storageOverSince: now, warnedAt: null };
    case 'stop':
      return { hold: 'stopped' };
    case 'suspend':
      return { hold: 'suspended' };
    case 'delete':
      return { hold: 'deleted' };
    case 'rebuild':
      return { rebuild: true };
    case 'restart':
    case 'extend':
    case 'change_plan':
    case 'retry':
      return {};
  }
}

export interface Answer {
  result: 'done' | 'refused';
  message: Sentence;
}

/** Only what must run can be started, restarted or rebuilt. */
const NEEDS_TO_RUN: ReadonlySet<CommandName> = new Set(['start', 'resume', 'restart', 'rebuild']);

/** The answer once the instance is as it must be. */
export function answerTo(command: CommandName, desired: Desired, paidUntil: Date | null): Answer {
  if (NEEDS_TO_RUN.has(command) && desired.state !== 'running') {
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
  // What the instance is now says nothing: the addon grants time and plan on this answer, and they may wake it up.
  const held = cause === 'staff';
  switch (command) {
    case 'rebuild':
      return { code: 'containers_rebuilt', params: {} };
    case 'extend':
      return { code: held ? 'time_added_held' : 'time_added', params: {} };
    case 'change_plan':
      return { code: held ? 'plan_changed_held' : 'plan_changed', params: {} };
    default:
      return { code: `now_${state}`, params: {} };
  }
}
