import { RetryableError } from '../lib/errors.js';
import type { Log } from '../lib/logger.js';
import type { Secret } from '../lib/secret.js';
import { FAULT, faultError } from './faults.js';

/** After a refused login nothing is sent for so long: Odoo locks an address out after ten failures in a minute. */
export const COOL_DOWN_MS = 60_000;

export interface Fault {
  code: number;
  text: string;
}

/** What Odoo answered: a value or a fault. Everything else is thrown. */
export type Reply = { value: unknown } | { fault: Fault };

export interface Wire {
  authenticate(signal: AbortSignal): Promise<Reply>;
  executeKw(model: string, method: string, params: unknown[], signal: AbortSignal): Promise<Reply>;
}

interface SessionOptions {
  db: string;
  login: string;
  apiKey: Secret;
  log?: Pick<Log, 'info' | 'warn'>;
  /** Milliseconds of a clock that never goes back. */
  now: () => number;
}

type Run = (model: string, method: string, params: unknown[], signal: AbortSignal) => Promise<unknown>;

/**
 * Logs in once, keeps the user id, and turns faults into errors. A refused login is not tried again before
 * COOL_DOWN_MS have passed: until then every call fails at once, without contact.
 */
export function createSession(wire: Wire, { db, login, apiKey, log, now }: SessionOptions): Run {
  let loggedIn: Promise<void> | undefined;
  let quietUntil = Number.NEGATIVE_INFINITY;
  let hint = '';

  const redact = (fault: Fault): Fault => ({ ...fault, text: fault.text.replaceAll(apiKey.reveal() || '\0', '***') });

  function deniedError(): RetryableError {
    return new RetryableError(
      'odoo.access_denied',
      `the master refuses the login "${login}" to its database "${db}"${hint}; it is asked again in ${Math.ceil((quietUntil - now()) / 1000)} s`,
      'Check login and API key of the daemon: the key may be revoked, expired or of another user.',
    );
  }

  function denied(fault: Fault): RetryableError {
    quietUntil = now() + COOL_DOWN_MS;
    hint = /too many/i.test(fault.text) ? ' (too many failed logins)' : '';
    loggedIn = undefined;
    const error = deniedError();
    log?.warn('odoo.access_denied', error.message, { login, db, retryInMs: COOL_DOWN_MS, advice: error.advice });
    return error;
  }

  async function logIn(signal: AbortSignal): Promise<void> {
    const reply = await wire.authenticate(signal);
    if ('value' in reply) {
      log?.info('odoo.logged_in', 'The daemon logged in to the master.', { login, db, uid: reply.value });
    } else if (reply.fault.code === FAULT.accessDenied) {
      throw denied(reply.fault);
    } else {
      throw faultError(redact(reply.fault), { db, model: 'common', method: 'authenticate' });
    }
  }

  async function attempt(renewed: boolean, ...[model, method, params, signal]: Parameters<Run>): Promise<unknown> {
    if (now() < quietUntil) throw deniedError();
    loggedIn ??= logIn(signal);
    const mine = loggedIn;
    const forget = () => {
      if (loggedIn === mine) loggedIn = undefined;
    };
    try {
      await mine;
    } catch (error) {
      forget();
      throw error;
    }
    const reply = await wire.executeKw(model, method, params, signal);
    if ('value' in reply) return reply.value;
    if (reply.fault.code !== FAULT.accessDenied) throw faultError(redact(reply.fault), { db, model, method });
    if (renewed) throw denied(reply.fault);
    // The user id may be of a database that was replaced since: log in anew, once.
    forget();
    return attempt(true, model, method, params, signal);
  }

  return (...call) => attempt(false, ...call);
}
