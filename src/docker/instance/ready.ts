/** Is an instance there for its customer: the login page, and the login itself, through the published port. */
import http from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlaceTakenError, RetryableError, TerminalError } from '../../lib/errors.js';
import type { Secret } from '../../lib/secret.js';

/** Between two looks: a part of what has been waited, so quick for the customer who waits, slower for who takes long. */
const PAUSE_PART = 0.02;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
const REQUEST_TIMEOUT_MS = 20_000;
const BODY_LIMIT = 1_000_000;
/** It is no visit (templates/instance/saas_limits/visits.py). */
const AGENT = 'saas-bridge';

interface Answer {
  status: number;
  body: string;
}

/** Polls GET /web/login until it answers 200. RetryableError `instance.not_ready` after `timeoutMs`. */
export async function awaitLoginPage(host: string, port: number, timeoutMs: number): Promise<void> {
  const startedAt = Date.now();
  const until = startedAt + timeoutMs;
  let last = 'no answer';
  while (Date.now() < until) {
    try {
      const answer = await request(host, port, 'GET', '/web/login', Math.min(REQUEST_TIMEOUT_MS, until - Date.now()));
      if (answer.status === 200) return;
      last = `status ${answer.status}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    const waited = Date.now() - startedAt;
    await sleep(Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, waited * PAUSE_PART)));
  }
  throw new RetryableError(
    'instance.not_ready',
    `the login page on port ${port} did not answer within ${timeoutMs} ms (${last})`,
    "Look at the log of the instance's Odoo container.",
  );
}

/** Logs in once. Gives the user's id, or null when Odoo refuses: a refused password must not be tried in a loop. */
export async function login(host: string, port: number, user: string, password: Secret): Promise<number | null> {
  const params = { db: 'odoo', login: user, password: password.reveal() };
  const body = JSON.stringify({ jsonrpc: '2.0', method: 'call', params });
  const path = '/web/session/authenticate';
  let answer: Answer;
  try {
    answer = await request(host, port, 'POST', path, REQUEST_TIMEOUT_MS, body);
  } catch (error) {
    const message = `the login on port ${port} got no answer`;
    throw new RetryableError('instance.not_ready', message, 'It is tried again.', { cause: error });
  }
  const parsed = parse(answer.body) as { result?: { uid?: unknown }; error?: { data?: { name?: unknown } } } | null;
  if (typeof parsed?.result?.uid === 'number') return parsed.result.uid;
  if (String(parsed?.error?.data?.name).endsWith('AccessDenied')) return null;
  throw new RetryableError(
    'instance.not_ready',
    `the login on port ${port} answered ${answer.status} ${String(parsed?.error?.data?.name ?? '')}`,
    "Look at the log of the instance's Odoo container.",
  );
}

/** Logs in, or says why not. TerminalError `instance.login_refused`. */
export async function assertLogin(host: string, port: number, user: string, password: Secret): Promise<void> {
  if ((await login(host, port, user, password)) !== null) return;
  throw new TerminalError(
    'instance.login_refused',
    `the instance on port ${port} refuses its administrator's password`,
    'The customer has changed the password already, or the daemon key is not the one it was made with.',
  );
}

/** Binds the address for a moment. PlaceTakenError when somebody else has it. */
export async function assertPortFree(address: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      // Not an address of this network namespace: then the engine is the one to say.
      if (error.code === 'EADDRNOTAVAIL') return resolve();
      const message = `port ${address}:${port}: ${error.message}`;
      const advice = 'Another program uses the port: the instance takes the next free slot.';
      reject(new PlaceTakenError('docker.port_taken', message, advice, { cause: error }));
    });
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve()));
  });
}

function request(
  host: string,
  port: number,
  method: 'GET' | 'POST',
  path: string,
  timeoutMs: number,
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      'User-Agent': AGENT,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
    };
    const signal = AbortSignal.timeout(Math.max(1, timeoutMs));
    const call = http.request({ host, port, method, path, headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        // A customer's Odoo is not trusted to be brief.
        if (size > BODY_LIMIT) call.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
