/** Visitors: the page of an instance that is down, and the daemon's own server; over a socket, byte by byte. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { createPausedApp } from '../../../src/front/app.js';
import { createApp } from '../../../src/http/app.js';
import type { Paused } from '../../../src/instance/types.js';
import { createMetrics } from '../../../src/lib/metrics.js';
import { text } from '../hostile.js';
import { type Outline, outlineOf } from '../readers/html.js';
import { type Answer, exchange, readAnswers } from '../readers/http.js';
import { holds, plainLine, same, target, UNPRINTABLE } from '../target.js';

/** In each request of a visitor, wherever it may be put. */
const MARK = 'qzxvisitor';

const latin = text.map((it) => Buffer.from(it, 'utf8').toString('latin1'));
const wild = latin.map((it) => `${MARK}${it}`);
/** Without what would end the line: then it is one request, which must be answered. */
const oneLine = wild.map((it) => it.replace(/[\r\n\0]/g, ''));
const request = fc
  .record({
    method: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT') },
      { weight: 1, arbitrary: oneLine },
    ),
    path: fc.oneof(
      fc.constantFrom('/', '/health', '/ready', '/metrics', '/web/login'),
      oneLine.map((it) => `/${it}`),
      wild,
    ),
    host: fc.oneof(fc.constant('acme.example.com'), oneLine, wild),
    headers: fc.array(
      fc.tuple(
        fc.constantFrom(
          'Accept',
          'Accept-Language',
          'Cookie',
          'X-Forwarded-For',
          'X-Forwarded-Host',
          'Transfer-Encoding',
          'Content-Length',
          'Origin',
          'Range',
          'If-None-Match',
        ),
        fc.oneof(
          fc.constantFrom('text/html', 'application/json', 'es', 'en;q=0.1', '*/*', 'chunked', '5'),
          oneLine,
          wild,
        ),
      ),
      { maxLength: 4 },
    ),
    body: fc.oneof(fc.constant(''), wild),
  })
  .map(({ method, path, host, headers, body }) => {
    const lines = [
      `${method} ${path} HTTP/1.1`,
      `Host: ${host}`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      'Connection: close',
    ];
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
  });

const SHOWN: Paused = {
  name: 'acme',
  port: 1,
  phase: 'suspended',
  lang: 'es_ES',
  ownerUrl: 'https://shop.example.com/my',
};
const SAFE = ['connection', 'content-type', 'content-length', 'date', 'keep-alive'];
const OF_DOORS = [
  ...SAFE,
  'retry-after',
  'cache-control',
  'referrer-policy',
  'x-content-type-options',
  'vary',
  'content-language',
  'content-security-policy',
];
const OF_DAEMON = [...SAFE, 'etag', 'allow'];

export function httpTargets(pausedApp: typeof createPausedApp = createPausedApp) {
  let shown = SHOWN;
  const doors = served(() => pausedApp(() => shown));
  const doorway = target({
    name: 'page of what is down: requests',
    share: 2,
    values: request,
    async check(bytes) {
      shown = SHOWN;
      for (const answer of readAnswers(await exchange(await doors.port(), bytes))) {
        holds('a status of the door', [503, 400, 408, 413, 417, 431, 501, 505].includes(answer.status), answer.status);
        checkAnswer(answer, OF_DOORS);
      }
    },
    close: doors.close,
  });

  const outlines = new Map<string, Outline>();
  const page = target({
    name: 'page of what is down: instances',
    share: 1,
    values: fc.record({
      name: text.filter((it) => !UNPRINTABLE.test(it)),
      lang: text,
      phase: fc.constantFrom('suspended' as const, 'stopped' as const),
      ownerUrl: fc.oneof(fc.constant(null), text),
      accept: fc.constantFrom('text/html', 'application/json', 'text/plain'),
    }),
    async check({ accept, ...paused }) {
      shown = { ...paused, port: 1 };
      const ask = Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\nConnection: close\r\n\r\n`);
      const answers = readAnswers(await exchange(await doors.port(), ask));
      const [answer] = answers;
      same('one answer', [answers.length, answer?.status], [1, 503]);
      if (!answer) return;
      const body = answer.body.toString('utf8');
      if (accept === 'text/plain') plainLine('the text', body.trimEnd());
      else if (accept === 'application/json') plainLine('the message', JSON.parse(body).message);
      else {
        const outline = outlineOf(body);
        const key = JSON.stringify([
          /^es/.test(paused.lang),
          paused.phase,
          Boolean(paused.ownerUrl),
          isShown(paused.name),
        ]);
        const pattern = outlines.get(key) ?? (await patternOf(paused));
        outlines.set(key, pattern);
        same('elements of the page', outline.tags, pattern.tags);
        same('texts of the page', outline.texts.length, pattern.texts.length);
      }
    },
    close: doors.close,
  });

  async function patternOf({ name, phase, lang, ownerUrl }: Omit<Paused, 'port'>): Promise<Outline> {
    shown = {
      ...SHOWN,
      name: isShown(name) ? 'acme' : '',
      phase,
      lang: /^es/.test(lang) ? 'es_ES' : 'en_US',
      ownerUrl: ownerUrl ? SHOWN.ownerUrl : null,
    };
    const [answer] = readAnswers(
      await exchange(
        await doors.port(),
        Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n'),
      ),
    );
    return outlineOf(answer?.body.toString('utf8') ?? '');
  }

  const app = served(() =>
    createApp({
      version: '1',
      startedAt: new Date(),
      readiness: () => ({ engine: { ok: true, detail: 'fine' } }),
      registry: new Registry(),
    }),
  );
  const daemon = target({
    name: "the daemon's server",
    share: 2,
    values: request,
    async check(bytes) {
      for (const answer of readAnswers(await exchange(await app.port(), bytes))) {
        holds('a status of ours', [200, 400, 404, 408, 413, 417, 431, 501, 505].includes(answer.status), answer.status);
        checkAnswer(answer, OF_DAEMON);
      }
    },
    close: app.close,
  });

  const metrics = target({
    name: 'metrics',
    share: 0.2,
    values: fc.dictionary(text, fc.integer({ min: 0 }), { maxKeys: 3, noNullPrototype: true }),
    async check(phases) {
      const none = {
        jobsWaiting: () => 0,
        stuck: () => 0,
        backups: () => ({ failing: 0, notWhole: 0 }),
        outbox: () => ({ count: 0, oldestAgeMs: 0, deadLetters: 0 }),
      };
      const { registry } = createMetrics({ instancesByPhase: () => phases, ...none });
      const lines = (await registry.metrics()).split('\n');
      // The text format of Prometheus: a backslash, a quotation mark and a line feed are escaped in the value of a label.
      const found = lines
        .filter((line) => line.startsWith('saas_instances{'))
        .map((line) => /^saas_instances\{phase="((?:[^"\\\n]|\\[\\"n])*)"\} (\d+)$/.exec(line));
      same(
        'phases',
        found.map((match) => match?.[1]?.replace(/\\(.)/g, (_all, it) => (it === 'n' ? '\n' : it))).sort(),
        Object.keys(phases).sort(),
      );
      holds(
        'lines of metrics only',
        lines.every((line) => /^(#.*|[a-z0-9_]+(\{.*\})? \S+|)$/s.test(line)),
        lines.find((line) => !/^(#.*|[a-z0-9_]+(\{.*\})? \S+|)$/s.test(line)),
      );
    },
  });
  return [doorway, page, daemon, metrics];
}

/** A browser drops NUL, and white space where a page begins. */
function isShown(name: string): boolean {
  return name.replaceAll('\0', '') !== '';
}

function checkAnswer({ headers, body }: Answer, allowed: string[]): void {
  same(
    'headers',
    [...headers.keys()].filter((name) => !allowed.includes(name)),
    [],
  );
  holds(
    'nothing of the request is in the answer',
    !JSON.stringify([...headers]).includes(MARK) && !body.includes(MARK),
    body.toString().slice(0, 200),
  );
}

/** Listens when it is first asked. */
function served(app: () => Parameters<typeof createServer>[1] & object) {
  let server: Promise<Server> | null = null;
  const start = () =>
    new Promise<Server>((resolve) => {
      const made = createServer(app() as never)
        .listen(0, '127.0.0.1', () => resolve(made))
        .unref();
    });
  return {
    async port(): Promise<number> {
      server ??= start();
      return ((await server).address() as AddressInfo).port;
    },
    async close(): Promise<void> {
      const made = await server;
      server = null;
      made?.closeAllConnections();
      made?.close();
    },
  };
}
