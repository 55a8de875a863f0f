/** What staff and customers ask of an instance: what a command decides at once, and what is answered in the end. */

import type { CommandName } from '../instance/command.js';
import type { Desired } from '../instance/types.js';
import type { InstanceChanges } from '../store/instances.js';
import type { Message } from './operations.js';

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
  message: Message;
}

/** Only what must run can be started, restarted or rebuilt. */
const NEEDS_TO_RUN: ReadonlySet<CommandName> = new Set(['start', 'resume', 'restart', 'rebuild']);

/** The answer once the instance is as it must be. */
export function answerTo(command: CommandName, desired: Desired): Answer {
  if (NEEDS_TO_RUN.has(command) && desired.state !== 'running') {
    return { result: 'refused', message: whyNot(desired) };
  }
  return { result: 'done', message: isNow(command, desired) };
}

function whyNot({ cause, reason }: Desired): Message {
  const what = `It does not run: ${reason}`;
  switch (cause) {
    case 'unpaid':
      return {
        en: `${what} Register the payment, or extend it.`,
        es: 'No está en marcha porque no está pagada. Registre el pago o amplíe el plazo.',
      };
    case 'taken_back':
      return {
        en: `${what} Sell it again, or extend it.`,
        es: 'No está en marcha: todo lo comprado se anuló o se devolvió. Véndala de nuevo o amplíe el plazo.',
      };
    case 'storage':
      return {
        en: `${what} Change its plan.`,
        es: 'No está en marcha: ocupa más espacio del que incluye su plan. Cambie el plan.',
      };
    default:
      return { en: what, es: 'No está en marcha porque el personal la detuvo.' };
  }
}

const STATES = { running: 'en marcha', suspended: 'suspendida', stopped: 'detenida', deleted: 'eliminada' } as const;

function isNow(command: CommandName, { state, cause }: Desired): Message {
  if (command === 'rebuild') {
    return {
      en: 'Its containers were made anew from its own data.',
      es: 'Se ha reconstruido a partir de sus propios datos.',
    };
  }
  if (command === 'extend' || command === 'change_plan') return isGranted(command, cause === 'staff');
  return { en: `The instance is ${state}.`, es: `La instancia está ${STATES[state]}.` };
}

/** What the instance is now says nothing: the addon grants time and plan on this answer, and they may wake it up. */
function isGranted(command: 'extend' | 'change_plan', isHeld: boolean): Message {
  const what =
    command === 'extend'
      ? { en: 'The time was added.', es: 'Se ha ampliado el plazo.' }
      : { en: 'The plan was changed.', es: 'Se ha cambiado el plan.' };
  if (!isHeld) return what;
  return {
    en: `${what.en} It stays down until staff start it.`,
    es: `${what.es} Sigue parada hasta que el personal la reanude.`,
  };
}
