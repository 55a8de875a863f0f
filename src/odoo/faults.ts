/**
 * The faults that Odoo answers, as errors for people.
 * Rule: retryable is what can heal without a change of the daemon or of the call, be it by itself or by a person
 * (a wrong database is restored, a right is granted); terminal is a call that the master will never take as it is.
 */
import { type BridgeError, RetryableError, TerminalError } from '../lib/errors.js';
import { excerpt } from './text.js';

/** Fault codes of Odoo's XML-RPC (odoo/addons/base/controllers/rpc.py, RPC_FAULT_CODE_*). */
export const FAULT = { application: 1, warning: 2, accessDenied: 3, accessError: 4 } as const;

const SERIALIZATION =
  /could not serialize access|deadlock detected|SerializationFailure|DeadlockDetected|LockNotAvailable/;
const DATABASE_AWAY = /OperationalError|InterfaceError|PoolError|connection pool is full|database system is/i;

/** A fault that Odoo answered to a call of `model`.`method`; access denied (code 3) is the client's to handle. */
export function faultError(
  fault: { code: number; text: string },
  call: { db: string; model: string; method: string },
): BridgeError {
  const name = `${call.model}.${call.method}`;
  // Of a traceback only the last line says what happened.
  const lines = fault.text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const last = excerpt((/Traceback \(most recent/.test(fault.text) ? lines.at(-1) : lines.join(' ')) ?? '', 300);

  if (/database ".*" does not exist/.test(fault.text)) {
    return new RetryableError(
      'odoo.wrong_database',
      `the master has no database "${call.db}"`,
      'Check the name of the database in the settings; it is case-sensitive.',
    );
  }
  if (/cannot marshal None/.test(fault.text)) {
    return new TerminalError(
      'odoo.returned_nothing',
      `${name} did its work but returned None, which XML-RPC cannot carry`,
      'Upgrade the addon: its methods always return a value. Do not repeat the call blindly, it had its effect.',
    );
  }
  if (SERIALIZATION.test(fault.text)) {
    return new RetryableError(
      'odoo.conflict',
      `${name} met another transaction on the same records: ${last}`,
      'Nothing to do: it is tried again.',
    );
  }
  if (DATABASE_AWAY.test(fault.text)) {
    return new RetryableError(
      'odoo.database_away',
      `the master lost its database during ${name}: ${last}`,
      'See whether PostgreSQL of the master runs and has connections left.',
    );
  }
  const noModel = fault.text.includes(call.model) && /Object .* doesn't exist|KeyError/.test(fault.text);
  const noMethod =
    /AttributeError|The method '.*' does not exist|Private methods/.test(fault.text) &&
    fault.text.includes(call.method);
  if (noModel || noMethod) {
    return new RetryableError(
      'odoo.addon_missing',
      noModel
        ? `the master knows no model ${call.model} in the database "${call.db}"`
        : `the master's ${call.model} has no method ${call.method}`,
      'Install the bridge addon in this database of the master, or upgrade it, and restart Odoo.',
    );
  }
  if (fault.code === FAULT.accessError) {
    return new RetryableError(
      'odoo.access_error',
      `the daemon's user may not do ${name}: ${last}`,
      "Give the daemon's user the group of the bridge addon in the master.",
    );
  }
  if (fault.code === FAULT.warning) {
    return new TerminalError(
      'odoo.refused',
      `the master refused ${name}: ${last}`,
      'Correct what the message names, in the master.',
    );
  }
  return new RetryableError(
    'odoo.fault',
    `${name} failed in the master: ${last}`,
    "See the traceback in the master's log; if it stays, report it with that.",
  );
}
