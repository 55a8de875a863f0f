import { createRequire } from 'node:module';
import PQueue from 'p-queue';
import { BridgeError, messageOf, RetryableError, TerminalError } from '../lib/errors.js';
import { type Intercept, UNTOUCHED_CALL } from '../lib/intercept.js';
import type { Log } from '../lib/logger.js';
import type { Secret } from '../lib/secret.js';
import { FAULT } from './faults.js';
import { badUrlError, cutError, deadlineError, garbageError } from './network-errors.js';
import { createSession, type Reply } from './session.js';
import { createTransport } from './transport.js';
import { type CustomTypeClass, toWire } from './wire.js';

const MAX_REPLY_BYTES = 32 * 2 ** 20;

export interface OdooClientOptions {
  /** Address of the master, e.g. `https://shop.example.com`. */
  url: string;
  db: string;
  login: string;
  /** API key or password of `login`. */
  apiKey: Secret;
  /** Deadline of one call in milliseconds; waiting for its turn and logging in count. */
  timeoutMs: number;
  /** So many calls run at once, the others wait. */
  maxConcurrent: number;
  log?: Pick<Log, 'info' | 'warn'>;
  /** A longer reply is an error; 32 MiB unless given. */
  maxReplyBytes?: number;
  /** Sees every call. */
  intercept?: Intercept;
  /** Milliseconds of a clock that never goes back; for tests of the cool-down. */
  now?: () => number;
}

export interface OdooClient {
  /**
   * Calls a public method of a model (`execute_kw`). `null` is sent as Odoo's `false`, a Date as its naive UTC text.
   * When a kept-alive connection breaks, the call may reach Odoo twice: call only what may be repeated.
   * @throws RetryableError or TerminalError (see faults.ts); `odoo.timeout` at the deadline, its socket destroyed.
   */
  call(model: string, method: string, args: unknown[], kwargs?: Record<string, unknown>): Promise<unknown>;
  /** Refuses new calls, waits for the accepted ones (each ends at its deadline) and closes the connections. */
  close(): Promise<void>;
}

type Callback = (error: unknown, value?: unknown) => void;
interface Xmlrpc {
  createClient: (options: { path: string }) => { methodCall(method: string, params: unknown[], done: Callback): void };
  createSecureClient: Xmlrpc['createClient'];
  CustomType: CustomTypeClass;
}
interface Library {
  connect(done: Callback): void;
  execute_kw(model: string, method: string, params: unknown[], done: Callback): void;
}

const fromHere = createRequire(import.meta.url);
const OdooXmlrpc = fromHere('odoo-xmlrpc') as new (config: Record<string, string>) => Library;
// The very copy of `xmlrpc` that odoo-xmlrpc uses.
const fromLibrary = createRequire(fromHere.resolve('odoo-xmlrpc'));
const xmlrpc = fromLibrary('xmlrpc') as Xmlrpc;
const { serializeMethodCall } = fromLibrary('xmlrpc/lib/serializer') as {
  serializeMethodCall(method: string, params: unknown[]): string;
};
const Deserializer = fromLibrary('xmlrpc/lib/deserializer') as new () => {
  deserializeMethodResponse(stream: object, done: Callback): void;
};

/**
 * A client of one database of the master. `odoo-xmlrpc` says what to send and keeps the user id, its `xmlrpc` encodes
 * and decodes. Sending is ours, because they have no time-out, no limit and no way to end a request (transport.ts).
 * @throws TerminalError `odoo.bad_url`.
 */
export function createOdooClient(options: OdooClientOptions): OdooClient {
  const { db, login, apiKey, timeoutMs, maxConcurrent, log, maxReplyBytes = MAX_REPLY_BYTES } = options;
  const intercept = options.intercept ?? UNTOUCHED_CALL;
  const url = parseUrl(options.url);
  const transport = createTransport({ url, maxConcurrent, maxReplyBytes });
  const library = new OdooXmlrpc({ url: url.href, db, username: login, password: apiKey.reveal() });
  const queue = new PQueue({ concurrency: maxConcurrent });
  let closed = false;

  const send = (signal: AbortSignal, start: (done: Callback) => void) =>
    exchange(async (path, xml) => decode(await transport.post(path, xml, signal), url), start);
  const run = createSession(
    {
      authenticate: (signal) => send(signal, (done) => library.connect(done)),
      executeKw: (model, method, params, signal) =>
        send(signal, (done) => library.execute_kw(model, method, params, done)),
    },
    { db, login, apiKey, now: options.now ?? (() => performance.now()), ...(log && { log }) },
  );

  return {
    async call(model, method, args, kwargs = {}) {
      if (closed) {
        const message = `${model}.${method} was called after the client was closed`;
        throw new TerminalError('odoo.closed', message, 'The daemon is stopping: nothing to do.');
      }
      const { signal, clear } = deadline(url, timeoutMs);
      try {
        return await queue.add(
          () => intercept(`${model}.${method}`, () => run(model, method, [args, kwargs], signal), args),
          { signal },
        );
      } catch (error) {
        if (error instanceof BridgeError) throw error;
        const message = `${model}.${method} failed: ${messageOf(error)}`;
        throw new RetryableError('odoo.failed', message, 'Not expected: please report it.', { cause: error });
      } finally {
        clear();
      }
    },
    async close() {
      closed = true;
      await queue.onIdle();
      transport.close();
    },
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') throw badUrlError();
  url.search = '';
  url.hash = '';
  return url;
}

function deadline(url: URL, timeoutMs: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(deadlineError(url, timeoutMs)), timeoutMs);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

/**
 * Lets the library start one request, which goes through `post`, and waits for the reply.
 * odoo-xmlrpc makes a new xmlrpc client for every request and lets nobody hand it one, so it is given ours for the
 * length of that synchronous call.
 */
function exchange(
  post: (path: string, xml: string) => Promise<Reply>,
  start: (done: Callback) => void,
): Promise<Reply> {
  const { createClient, createSecureClient } = xmlrpc;
  return new Promise<Reply>((resolve, reject) => {
    xmlrpc.createClient = ({ path }) => ({
      methodCall(method, params, done) {
        const wire = params.map((param) => toWire(param, xmlrpc.CustomType));
        post(path, serializeMethodCall(method, wire)).then(
          (reply) => ('fault' in reply ? resolve(reply) : done(null, reply.value)),
          (error) => done(error),
        );
      },
    });
    xmlrpc.createSecureClient = xmlrpc.createClient;
    try {
      start((error, value) => {
        if (!error) resolve({ value });
        else if (error instanceof Error) reject(error);
        // odoo-xmlrpc's own `{ message }` where Odoo's `authenticate` answers false.
        else resolve({ fault: { code: FAULT.accessDenied, text: '' } });
      });
    } finally {
      Object.assign(xmlrpc, { createClient, createSecureClient });
    }
  });
}

/** The package's decoder on a whole text instead of a stream: a fault without content throws in it. */
function decode(body: string, url: URL): Reply {
  let reply: Reply | undefined;
  let problem: unknown;
  const stream = { setEncoding() {}, on() {}, pipe: (parser: { end(text: string): void }) => parser.end(body) };
  try {
    new Deserializer().deserializeMethodResponse(stream, (error, value) => {
      const { faultCode, faultString } = (error ?? {}) as Record<string, unknown>;
      if (!error) reply = { value };
      else if (faultCode !== undefined) reply = { fault: { code: Number(faultCode), text: String(faultString) } };
      else problem ??= error;
    });
  } catch (error) {
    problem ??= error;
  }
  if (reply && !problem) return reply;
  if (!body.includes('</methodResponse>')) throw cutError(url);
  throw garbageError(url, messageOf(problem));
}
