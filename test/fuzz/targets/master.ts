/** The master: what it replies, and how what we say to it is written. */

import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { pausedInstance } from '../../../src/facts/paused.js';
import { INSTANCE_KEY } from '../../../src/instance/naming.js';
import { BridgeError, messageOf } from '../../../src/lib/errors.js';
import { Secret } from '../../../src/lib/secret.js';
import { createOdooClient, type OdooClient } from '../../../src/odoo/client.js';
import { createMaster } from '../../../src/odoo/master.js';
import { type Rows, readRows } from '../../../src/odoo/rows.js';
import { type LookReply, PROTOCOL } from '../../../src/protocol/poll.js';
import type { Store } from '../../../src/store/store.js';
import { newInstance, placementAt } from '../../unit/store/support.js';
import { anything, disturbed, text } from '../hostile.js';
import { readCall } from '../readers/xmlrpc.js';
import { holds, plainLine, same, target } from '../target.js';
import { COMMAND, INSTANCE, PLAN, PURCHASE } from './samples.js';

const API_KEY = 'the-api-key-of-the-daemon';

const field = fc.oneof({ weight: 3, arbitrary: text }, { weight: 1, arbitrary: anything });
/** A row, and what it holds, disturbed. */
const rowsLike = <T extends object>(row: T): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 6, arbitrary: disturbed(row, field) },
    {
      weight: 3,
      arbitrary: fc
        .record({ customer: disturbed(PURCHASE.customer, field), seller: disturbed(PURCHASE.seller, field) })
        .map((parties) => ({ ...row, ...('customer' in row ? parties : {}) })),
    },
    { weight: 1, arbitrary: anything },
  );
const replies = fc.record({
  protocol: fc.constant(PROTOCOL),
  plans: fc.array(rowsLike(PLAN), { maxLength: 2 }),
  purchases: fc.array(rowsLike(PURCHASE), { maxLength: 2 }),
  instances: fc.array(rowsLike(INSTANCE), { maxLength: 2 }),
  commands: fc.array(rowsLike(COMMAND), { maxLength: 2 }),
});

export function masterTargets(read: typeof readRows = readRows) {
  const rows = target({
    name: 'rows of the master',
    share: 6,
    values: replies,
    check(reply) {
      const found = read(reply as LookReply);
      const given = reply.plans.length + reply.purchases.length + reply.instances.length + reply.commands.length;
      const { plans, purchases, instances, commands, rejected } = found;
      same(
        'rows and refusals',
        plans.length + purchases.length + instances.length + commands.length + rejected.length,
        given,
      );
      checkRows(found);
    },
  });

  const polls = target({
    name: 'replies of the addon',
    share: 8,
    values: fc.record({
      method: fc.constantFrom('hello', 'poll', 'look', 'renewal', 'push', 'resume'),
      reply: fc.oneof(
        anything,
        disturbed({ ...POLL, plans: [], purchases: [], instances: [], commands: [] }),
        disturbed({ protocol: PROTOCOL, url: 'https://shop.example.com/x', amount: '1 €' }),
        disturbed({ ...POLL, addon_version: '19.0', odoo_version: '19.0', company: 'x', base_url: 'x', warnings: [] }),
        fc.array(disturbed({ key: 'a', status: 'done', message: '' }), { maxLength: 2 }),
        disturbed({ ...POLL, refused: 'leased', host: 'h', heard_on: false }),
      ),
    }),
    async check({ method, reply }) {
      const master = createMaster({ call: async () => reply });
      const write = { op: 'log' as const, key: 'a', instance_key: 'sol:1', lines: ['x'] };
      const caller = { daemon: 'd', host: 'h', database: 'b', generation: 1, answered: 1 } as never;
      const calls: Record<string, () => Promise<unknown>> = {
        ...{ hello: () => master.hello(), poll: () => master.poll(null), look: () => master.look('sol:1', []) },
        ...{
          renewal: () => master.renewal('sol:1'),
          push: () => master.push([write]),
          resume: () => master.resume(caller),
        },
      };
      const value = await calls[method]?.().catch(ofOurs);
      if (method === 'renewal' && value && !(value instanceof BridgeError)) {
        const { url } = value as { url: string | null };
        holds('an address of the web', url === null || /^https?:$/.test(new URL(url).protocol), url);
      }
    },
  });

  const wire = wireTarget();
  return [rows, polls, wire.calls, wire.answers];
}

const POLL = {
  ...{ protocol: PROTOCOL, database_uuid: 'u', generation: 1, server_time: '2026-11-22 12:00:00' },
  ...{ cursor: 'c', more: false },
};

function checkRows({ plans, purchases, instances, commands, rejected }: Rows): void {
  for (const plan of plans) {
    holds('a code', /^[\w.-]{1,64}$/.test(plan.code), plan.code);
    for (const module of plan.modules) holds('a module', /^[a-z0-9_]{1,64}$/.test(module), module);
    for (const name of [plan.name, ...Object.values(plan.names ?? {})]) plainLine('a name', name, 200);
    for (const size of [plan.cpu, plan.memoryMb, plan.storageGb, plan.maxUsers])
      holds('a size', Number.isFinite(size) && size >= 0, size);
  }
  for (const it of purchases) {
    holds('a key', /^(sol|aml|grant):\d+$/.test(it.key), it.key);
    for (const line of [it.document, it.wantedName, it.wantedLang]) plainLine('a text', line, 60);
    for (const price of [it.unitPrice, it.listPrice]) holds('a price', Number.isFinite(price) && price >= 0, price);
    for (const part of it.parts) for (const date of [part.startsOn, part.paidOn, part.vanishedOn]) isDate(date);
    isDate(it.startsOn);
    if (it.instanceKey !== null) holds('a key', INSTANCE_KEY.test(it.instanceKey), it.instanceKey);
    checkParties(it);
  }
  for (const it of instances) {
    holds('a key', INSTANCE_KEY.test(it.key), it.key);
    plainLine('a name', it.name, 200);
    for (const date of [it.startedAt, it.paidUntil, it.suspendedAt, it.storageOverSince]) isDate(date);
    checkParties(it);
  }
  for (const it of commands) {
    holds('a key', INSTANCE_KEY.test(it.instanceKey), it.instanceKey);
    plainLine('who asks', it.requestedBy, 200);
  }
  for (const { problem, key } of rejected) {
    plainLine('a problem', messageOf(problem), 500);
    if (key !== null) plainLine('a key', key, 60);
  }
}

function checkParties({ customer, seller }: Pick<Rows['purchases'][number], 'customer' | 'seller'>): void {
  for (const line of [customer.name, customer.contactName, customer.email, customer.lang, seller.name])
    plainLine('a text', line, 200);
  if (seller.shopUrl === null) return;
  const url = new URL(seller.shopUrl);
  holds('an address of a shop', /^https?:$/.test(url.protocol) && url.hostname !== '', seller.shopUrl);
  plainLine('an address', seller.shopUrl);
  // Where the page of an instance that is down, and its mails, lead.
  const stored = {
    ...newInstance('sol:1'),
    name: 'acme',
    placement: placementAt(0),
    phase: 'suspended',
    customer,
    seller,
  };
  const paused = pausedInstance({ instances: { get: () => stored } } as unknown as Store, 'sol:1');
  same('the host of the way to the account', new URL(paused?.ownerUrl ?? '').host, url.host);
}

function isDate(date: Date | null): void {
  holds('a date', date === null || !Number.isNaN(date.getTime()), date);
}

function ofOurs(error: unknown): BridgeError {
  if (!(error instanceof BridgeError)) throw error;
  plainLine('a message', messageOf(error), 500);
  holds(
    'the key is not in the message',
    !error.message.includes(API_KEY) && !error.advice.includes(API_KEY),
    error.message,
  );
  return error;
}

/** Both directions over a socket, with a master that answers what it is told to. */
function wireTarget() {
  let server: Server | null = null;
  /** The answers to the next requests, the login first. */
  let answers: Buffer[] = [];
  let requests: string[] = [];
  const LOGGED_IN = ok(xml('<int>2</int>'));
  const TRUE = ok(xml('<boolean>1</boolean>'));

  async function client(): Promise<OdooClient> {
    server ??= await new Promise<Server>((resolve) => {
      const made = createServer((socket) => {
        let bytes = Buffer.alloc(0);
        socket.on('error', () => undefined);
        socket.on('data', (chunk) => {
          bytes = Buffer.concat([bytes, chunk]);
          const end = bytes.indexOf('\r\n\r\n');
          const length = Number(/content-length: (\d+)/i.exec(bytes.toString('latin1', 0, end))?.[1] ?? 0);
          if (end < 0 || bytes.length < end + 4 + length) return;
          requests.push(bytes.toString('utf8', end + 4));
          socket.end(answers.shift() ?? Buffer.alloc(0));
        });
      })
        .listen(0, '127.0.0.1', () => resolve(made))
        .unref();
    });
    const { port } = server.address() as AddressInfo;
    const options = { url: `http://127.0.0.1:${port}`, db: 'shop', login: 'bridge', apiKey: new Secret(API_KEY) };
    return createOdooClient({ ...options, timeoutMs: 3_000, maxConcurrent: 1, maxReplyBytes: 100_000 });
  }

  function close(): void {
    server?.close();
    server = null;
  }

  async function call(args: unknown[], reply: Buffer): Promise<unknown> {
    answers = [LOGGED_IN, reply];
    requests = [];
    const odoo = await client();
    try {
      return await odoo.call('saas.bridge', 'push', args);
    } finally {
      await odoo.close();
    }
  }

  const sendable = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      ...[text, fc.boolean(), fc.integer(), fc.array(tie('value'), { maxLength: 3 })],
      fc.dictionary(text, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value;

  const calls = target({
    name: 'calls of the master',
    share: 1,
    values: fc.array(sendable, { maxLength: 3 }),
    async check(args) {
      await call(args, TRUE);
      const { method, params } = readCall(requests[1] ?? '');
      same('the method', method, 'execute_kw');
      same('what is called', params, ['shop', 2, API_KEY, 'saas.bridge', 'push', asRead(args), {}]);
    },
    close,
  });

  const answersOf = target({
    name: 'answers over the wire',
    share: 1,
    values: fc.oneof(
      { weight: 3, arbitrary: text.map((inner) => ok(xml(inner))) },
      { weight: 2, arbitrary: text.map((it) => ok(xml(`<string>${it}</string>`))) },
      { weight: 2, arbitrary: fc.tuple(fc.integer(), text).map(([code, it]) => ok(fault(code, escaped(it)))) },
      { weight: 1, arbitrary: text.map((it) => ok(fault(1, escaped(`Traceback ${API_KEY} ${it}`)))) },
      { weight: 1, arbitrary: text.map(ok) },
      { weight: 1, arbitrary: text.map((it) => Buffer.from(it, 'utf8')) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(301, 404, 500, 503, 99), text, text)
          .map(([status, name, body]) => answer(status, [`X-A: ${name}`], body)),
      },
      { weight: 1, arbitrary: text.map((it) => answer(302, [`Location: ${it}`], '')) },
    ),
    async check(reply) {
      await call([], reply).catch(ofOurs);
    },
    close,
  });
  return { calls, answers: answersOf };
}

// What XML 1.0 cannot carry is left out; the last of several names that become one stays.
function asRead(value: unknown): unknown {
  // A carriage return is written as a reference there. This reader takes two more for a line break than XML 1.0 does.
  if (typeof value === 'string') return readable(value).replace(/[\u0085\u2028]/g, '\n');
  if (Array.isArray(value)) return value.map(asRead);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, held]) => [asRead(name), asRead(held)]));
  }
  return Object.is(value, -0) ? 0 : value;
}

function readable(value: string): string {
  return [...value]
    .filter((character) => {
      const code = character.codePointAt(0) ?? 0;
      const isControl = code < 0x20 && ![0x09, 0x0a, 0x0d].includes(code);
      return !isControl && !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
    })
    .join('');
}

function xml(inner: string): string {
  return `<?xml version="1.0"?><methodResponse><params><param><value>${inner}</value></param></params></methodResponse>`;
}

function fault(code: number, message: string): string {
  const member = (name: string, value: string) => `<member><name>${name}</name><value>${value}</value></member>`;
  const struct = `<struct>${member('faultCode', `<int>${code}</int>`)}${member('faultString', `<string>${message}</string>`)}</struct>`;
  return `<?xml version="1.0"?><methodResponse><fault><value>${struct}</value></fault></methodResponse>`;
}

function escaped(value: string): string {
  return readable(value).replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function ok(body: string): Buffer {
  return answer(200, ['Content-Type: text/xml'], body);
}

function answer(status: number, headers: string[], body: string): Buffer {
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `HTTP/1.1 ${status} X\r\nConnection: close\r\n${headers.join('\r\n')}\r\nContent-Length: ${length}\r\n\r\n${body}`,
    'utf8',
  );
}
