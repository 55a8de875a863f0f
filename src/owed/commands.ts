/** What staff and customers ask of an instance: what a command decides at once, and what is answered in the end. */

import type { CommandName } from '../instance/command.js';
import type { OperationKind } from '../instance/operations/operations.js';
import type { Desired, InstanceChanges } from '../instance/types.js';
import type { Message } from './operations.js';

export interface CommandRule {
  /** What it changes about the instance when it arrives; the next run makes it so. */
  changes(now: Date): InstanceChanges;
  /** The act that it asks for. */
  operation?: OperationKind;
  /** Only what must run can be asked for it. */
  needsToRun: boolean;
  /** What it has done once the instance is as it must be; what the instance is now where it says nothing. */
  done?: Message;
}

const NOTHING = () => ({});

/** Whoever was over the limit gets the whole grace once more, and a deletion is announced anew. */
const GO_ON = (now: Date): InstanceChanges => ({ hold: 'none', storageOverSince: now, warnedAt: null });

/** All commands. One that is not handled does not compile. */
export const COMMANDS: { readonly [Name in CommandName]: CommandRule } = {
  start: { changes: GO_ON, needsToRun: true },
  resume: { changes: GO_ON, needsToRun: true },
  stop: { changes: () => ({ hold: 'stopped' }), needsToRun: false },
  suspend: { changes: () => ({ hold: 'suspended' }), needsToRun: false },
  delete: { changes: () => ({ hold: 'deleted' }), needsToRun: false },
  restart: { changes: NOTHING, operation: 'restart', needsToRun: true },
  rebuild: {
    changes: NOTHING,
    operation: 'rebuild',
    needsToRun: true,
    done: {
      en: 'Its containers were made anew from its own data.',
      es: 'Se ha reconstruido a partir de sus propios datos.',
    },
  },
  // What the instance is now says nothing: the addon grants time and plan on this answer, and they may wake it up.
  extend: {
    changes: NOTHING,
    needsToRun: false,
    done: { en: 'The time was added.', es: 'Se ha ampliado el plazo.' },
  },
  change_plan: {
    changes: NOTHING,
    needsToRun: false,
    done: { en: 'The plan was changed.', es: 'Se ha cambiado el plan.' },
  },
  retry: { changes: NOTHING, needsToRun: false },
};

export interface Answer {
  result: 'done' | 'refused';
  message: Message;
}

/** The answer once the instance is as it must be. */
export function answerTo(command: CommandName, desired: Desired): Answer {
  if (COMMANDS[command].needsToRun && desired.state !== 'running') {
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
  const { done, operation } = COMMANDS[command];
  if (!done) return { en: `The instance is ${state}.`, es: `La instancia está ${STATES[state]}.` };
  if (operation || cause !== 'staff') return done;
  return {
    en: `${done.en} It stays down until staff start it.`,
    es: `${done.es} Sigue parada hasta que el personal la reanude.`,
  };
}
