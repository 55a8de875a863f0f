/** The client against servers that misbehave: fault injectors on the wire, no pretended Odoo. */
import { execFile } from 'node:child_process';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { BridgeError, RetryableError } from '../../src/lib/errors.js';
import { Secret } from '../../src/lib/secret.js';
import { createOdooClient, type OdooClient, type OdooClientOptions } from '../../src/odoo/client.js';
import { startWatch } from '../support/pace.js';

const TIMEOUT_MS = 400;
const UID = '<int>7</int>';
const xml = (value: string) =>
  `<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>${value}</value>\n</param>\n</params>\n</methodResponse>\n`;
const fault = (code: number, text: string) =>
  `<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n<value><int>${code}</int></value>\n</member>\n<member>\n<name>faultString</name>\n<value><string>${text.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n`;
const traceback = (last: string) =>
  `Traceback (most recent call last):\n  File "/usr/lib/python3/dist-packages/odoo/http.py", line 1, in dispatch\n    secret internals\n${last}\n`;

type Answer = (response: http.ServerResponse, socket: net.Socket) => void;
const say =
  (body: string, type = 'text/xml', status = 200): Answer =>
  (response) =>
    response.writeHead(status, { 'Content-Type': type }).end(body);

describe('odoo client against a master that misbehaves', () => {
  const cleanUps: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  /** A server that answers `authenticate` and `execute_kw` as told, and throws on anything else. */
  async function serve(authenticate: Answer, execute: Answer) {
    const calls: string[] = [];
    const sockets = new Set<net.Socket>();
    let peak = 0;
    let open = 0;
    const server = http.createServer((request, response) => {
      open += 1;
      peak = Math.max(peak, open);
      response.on('close', () => {
        open -= 1;
      });
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const method = /<methodName>(\w+)</.exec(Buffer.concat(chunks).toString())?.[1];
        const known = { '/xmlrpc/2/common': 'authenticate', '/xmlrpc/2/object': 'execute_kw' }[request.url ?? ''];
        if (!method || known !== method) throw new Error(`unknown call ${request.url} ${method}`);
        calls.push(method);
        (method === 'authenticate' ? authenticate : execute)(response, request.socket);
      });
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    const url = await listen(server);
    return { url, calls, sockets, peak: () => peak };
  }

  async function listen(server: net.Server): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => {
      if (server instanceof http.Server) server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function clientOf(url: string, more: Partial<OdooClientOptions> = {}): OdooClient {
    const client = createOdooClient({
      url,
      db: 'shop',
      login: 'bridge@example.com',
      apiKey: new Secret('k3y-of-the-daemon'),
      timeoutMs: TIMEOUT_MS,
      maxConcurrent: 2,
      ...more,
    });
    cleanUps.push(() => client.close());
    return client;
  }

  /** @param deadlineMs after which it must have failed, whatever it waits for. */
  async function failureOf(call: Promise<unknown>, deadlineMs = TIMEOUT_MS): Promise<BridgeError> {
    const elapsedMs = startWatch();
    try {
      await call;
    } catch (error) {
      expect(error).to.be.instanceOf(BridgeError);
      expect(elapsedMs()).to.be.below(deadlineMs + 300);
      const failure = error as BridgeError;
      expect(failure.message)
        .to.match(/^[^\n]{10,500}$/)
        .and.not.contain('k3y-of-the-daemon');
      expect(failure.advice).to.match(/^[A-Z][^\n]+\.$/);
      return failure;
    }
    throw new Error('the call did not fail');
  }

  const cases: [name: string, execute: Answer, code: string, words: RegExp][] = [
    ['says nothing', () => {}, 'odoo.timeout', /did not answer completely within 0\.4 s/],
    ['stops in the middle and stays silent', (r) => r.writeHead(200).write('<?xml'), 'odoo.timeout', /completely/],
    [
      'drips',
      (r) => {
        const timer = setInterval(() => r.write(' '), 20);
        r.on('close', () => clearInterval(timer));
      },
      'odoo.timeout',
      /completely/,
    ],
    [
      'cuts the reply short of its length',
      (r, socket) => {
        r.writeHead(200, { 'Content-Length': 9999 }).write(xml('<string>half'), () => socket.destroy());
      },
      'odoo.cut',
      /was cut before/,
    ],
    [
      'ends half a reply as if it were whole',
      say(xml('<string>x</string>').slice(0, 90)),
      'odoo.cut',
      /was cut before/,
    ],
    ['resets the connection', (_, socket) => socket.resetAndDestroy(), 'odoo.cut', /was cut/],
    [
      'has a proxy that says 502',
      say('<html><head><title>502 Bad Gateway</title></head></html>', 'text/html', 502),
      'odoo.http_status',
      /HTTP 502: "502 Bad Gateway"/,
    ],
    [
      'shows a login page',
      say('<!DOCTYPE html><html><head><title>Sign in | Corp</title></head><body></body></html>', 'text/html'),
      'odoo.not_odoo',
      /web page \("Sign in \| Corp"\)/,
    ],
    ['does not know the path', say('<title>404</title>', 'text/html', 404), 'odoo.not_odoo', /HTTP 404/],
    [
      'redirects',
      (r) => r.writeHead(301, { Location: 'https://shop.example.com/' }).end(),
      'odoo.redirect',
      /redirects to https:\/\/shop\.example\.com/,
    ],
    ['says garbage', say('\u0000\u0001 hello'), 'odoo.garbage', /is not XML-RPC: hello/],
    ['says nothing and ends', say(''), 'odoo.garbage', /nothing at all/],
    [
      'says garbage in XML-RPC',
      say('<methodResponse><params><oops/></params></methodResponse>'),
      'odoo.garbage',
      /OOPS/,
    ],
    [
      'sends a fault without content',
      say('<methodResponse><fault></fault></methodResponse>'),
      'odoo.garbage',
      /is not XML-RPC/,
    ],
    ['sends 2 MB', say('x'.repeat(2 ** 21)), 'odoo.too_large', /larger than 1 MiB/],
    [
      'sends without end',
      (r) => {
        const more = () => {
          while (!r.destroyed && r.write('x'.repeat(65536)));
        };
        r.on('drain', more);
        more();
      },
      'odoo.too_large',
      /larger than 1 MiB/,
    ],
    [
      'returned None',
      say(fault(1, traceback('TypeError: cannot marshal None unless allow_none is enabled'))),
      'odoo.returned_nothing',
      /did its work/,
    ],
    [
      'met a conflict',
      say(fault(1, traceback('psycopg2.errors.SerializationFailure: could not serialize access'))),
      'odoo.conflict',
      /another transaction/,
    ],
    [
      'has no addon',
      say(fault(2, "Object saas.bridge doesn't exist")),
      'odoo.addon_missing',
      /knows no model saas\.bridge/,
    ],
    ['forbids the model', say(fault(4, 'You are not allowed to access…')), 'odoo.access_error', /may not do/],
    ['refuses the value', say(fault(2, 'The plan is archived')), 'odoo.refused', /The plan is archived/],
    [
      'breaks, and prints the key',
      say(fault(1, traceback('ValueError: bad k3y-of-the-daemon'))),
      'odoo.fault',
      /failed in the master: ValueError: bad \*\*\*$/,
    ],
  ];
  for (const [name, execute, code, words] of cases) {
    it(`${name}: ${code}`, async () => {
      const { url, sockets } = await serve(say(xml(UID)), execute);
      const client = clientOf(url, { maxReplyBytes: 2 ** 20 });
      const failure = await failureOf(client.call('saas.bridge', 'poll', []));
      expect(failure.code, failure.message).to.equal(code);
      expect(failure.message).to.match(words);
      await client.close();
      await until(() => sockets.size === 0, 'all sockets are closed');
    });
  }

  it('wrong database', async () => {
    const last = 'psycopg2.OperationalError: connection failed: FATAL:  database "shop" does not exist';
    const { url } = await serve(say(fault(1, traceback(last))), say('never'));
    const failure = await failureOf(clientOf(url).call('saas.bridge', 'poll', []));
    expect(failure).to.include({ code: 'odoo.wrong_database', message: 'the master has no database "shop"' });
  });

  it('nobody listens: unreachable', async () => {
    const server = net.createServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const failure = await failureOf(clientOf(url).call('a', 'b', []));
    expect(failure.code).to.equal('odoo.unreachable');
    expect(failure.message).to.contain('refused the connection');
  });

  it('the host has no address: dns', async () => {
    const client = clientOf('http://no-such-host.invalid', { timeoutMs: 5000 });
    expect((await failureOf(client.call('a', 'b', []), 5000)).code).to.equal('odoo.dns');
  });

  it('https to a port that speaks http: tls', async () => {
    const { url } = await serve(say(xml(UID)), say(xml(UID)));
    const failure = await failureOf(clientOf(url.replace('http:', 'https:')).call('a', 'b', []));
    expect(failure.code).to.equal('odoo.tls');
  });

  it('something that is no web server: not_http', async () => {
    const url = await listen(net.createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH\r\n')));
    const failure = await failureOf(clientOf(url).call('a', 'b', []));
    expect(failure.code).to.equal('odoo.not_http');
  });

  describe('a wrong key', () => {
    for (const [name, answer] of [
      ['false', say(xml('<boolean>0</boolean>'))],
      ['access denied', say(fault(3, 'Access Denied'))],
    ] as const) {
      it(`answered with ${name} is asked once a minute, however often it is called`, async () => {
        let nowMs = 0;
        const { url, calls } = await serve(answer, say('never'));
        const client = clientOf(url, { now: () => nowMs });
        const failures = await Promise.all([1, 2, 3, 4, 5].map(() => failureOf(client.call('a', 'b', []))));
        for (const failure of failures) {
          expect(failure.code).to.equal('odoo.access_denied');
          expect(failure.message).to.contain('asked again in 60 s');
        }
        nowMs = 59_000;
        expect((await failureOf(client.call('a', 'b', []))).message).to.contain('asked again in 1 s');
        expect(calls).to.deep.equal(['authenticate']);
        nowMs = 60_000;
        await failureOf(client.call('a', 'b', []));
        expect(calls).to.deep.equal(['authenticate', 'authenticate']);
      });
    }

    it('revoked while in use: logs in anew once, then waits', async () => {
      let revoked = false;
      const { url, calls } = await serve(
        (r, s) => (revoked ? say(fault(3, 'Access Denied')) : say(xml(UID)))(r, s),
        (r, s) => (revoked ? say(fault(3, 'Access Denied')) : say(xml(UID)))(r, s),
      );
      const client = clientOf(url);
      await client.call('a', 'b', []);
      revoked = true;
      expect((await failureOf(client.call('a', 'b', []))).code).to.equal('odoo.access_denied');
      await failureOf(client.call('a', 'b', []));
      expect(calls).to.deep.equal(['authenticate', 'execute_kw', 'execute_kw', 'authenticate']);
    });
  });

  it('logs in once, anew where the user id is refused, and keeps the number of calls at once', async () => {
    let refuse = true;
    const { url, calls, sockets, peak } = await serve(say(xml(UID)), (r, s) => {
      const answer = refuse ? say(fault(3, 'Access Denied')) : say(xml('<string>a &amp; b</string>'));
      refuse = false;
      setTimeout(() => answer(r, s), 20);
    });
    const client = clientOf(url);
    expect(await client.call('a', 'b', [])).to.equal('a & b');
    await Promise.all(Array.from({ length: 8 }, () => client.call('a', 'b', [])));
    expect(calls.filter((call) => call === 'authenticate')).to.have.length(2);
    expect(peak()).to.equal(2);
    expect(sockets.size, 'connections are kept').to.be.within(1, 2);
  });

  it('recovers after a time-out', async () => {
    let silent = true;
    const { url } = await serve(say(xml(UID)), (r, s) => {
      if (!silent) say(xml(UID))(r, s);
    });
    const client = clientOf(url);
    await failureOf(client.call('a', 'b', []));
    silent = false;
    expect(await client.call('a', 'b', [])).to.equal(7);
  });

  it('a call that waits for its turn ends at its own deadline', async () => {
    const { url } = await serve(say(xml(UID)), () => {});
    const client = clientOf(url, { maxConcurrent: 1 });
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(client.call('a', 'b', []))));
    expect(failures.map(({ code }) => code)).to.deep.equal(['odoo.timeout', 'odoo.timeout', 'odoo.timeout']);
  });

  it('repeats a call once whose kept connection the server had just closed', async () => {
    let drop = false;
    const { url, calls } = await serve(say(xml(UID)), (r, socket) => {
      if (drop) socket.destroy();
      else say(xml(UID))(r, socket);
      drop = false;
    });
    const client = clientOf(url);
    await client.call('a', 'b', []);
    drop = true;
    expect(await client.call('a', 'b', [])).to.equal(7);
    expect(calls).to.deep.equal(['authenticate', 'execute_kw', 'execute_kw', 'execute_kw']);
  });

  it('close waits for what runs, and refuses what comes later', async () => {
    const { url, sockets } = await serve(say(xml(UID)), (r, s) => setTimeout(() => say(xml(UID))(r, s), 100));
    const client = clientOf(url);
    const running = client.call('a', 'b', []);
    await client.close();
    expect(await running).to.equal(7);
    const failure = await failureOf(client.call('a', 'b', []));
    expect(failure).to.include({ code: 'odoo.closed', retryable: false });
    await until(() => sockets.size === 0, 'all sockets are closed');
  });

  it('keeps no process alive: neither a timer nor a socket is left after a call, even without close', async () => {
    const { url } = await serve(say(xml(UID)), say(xml(UID)));
    const silent = await serve(say(xml(UID)), () => {});
    const program = `
      import { createOdooClient } from './src/odoo/client.ts';
      import { Secret } from './src/lib/secret.ts';
      for (const url of ${JSON.stringify([url, silent.url])}) {
        const apiKey = new Secret('k');
        const client = createOdooClient({ url, db: 'd', login: 'l', apiKey, timeoutMs: 300, maxConcurrent: 2 });
        console.log(await client.call('a', 'b', []).catch((error) => error.code));
      }
      console.log(performance.now());
      process.on('exit', () => console.log(performance.now()));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', program],
      { timeout: 60_000 },
    );
    const [value, code, doneMs, exitMs] = stdout.trim().split('\n');
    expect([value, code]).to.deep.equal(['7', 'odoo.timeout']);
    expect(Number(exitMs) - Number(doneMs)).to.be.below(1000);
  }).timeout(70_000);

  it('sends text so that Odoo reads it as text', async () => {
    let seen = '';
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        seen = body;
        say(xml(UID))(response, request.socket);
      });
    });
    const client = clientOf(await listen(server));
    await client.call('a', 'b', ['x]]>y]]></string></value></param>\u0000\ud800🙂', null, new Date(0)]);
    expect(seen).to.contain('<string>x]]&gt;y]]&gt;&lt;/string&gt;&lt;/value&gt;&lt;/param&gt;🙂</string>');
    expect(seen).to.contain('<boolean>0</boolean>').and.contain('<string>1970-01-01 00:00:00</string>');
  });

  it('never sends what XML-RPC cannot carry', async () => {
    const { url, calls } = await serve(say(xml(UID)), say('never'));
    const failure = await failureOf(clientOf(url).call('a', 'b', [{ size: 2 ** 31 }]));
    expect(failure).to.include({ code: 'odoo.unsendable', retryable: false });
    expect(failure.message).to.contain('.size holds the integer 2147483648');
    expect(calls).to.deep.equal(['authenticate']);
  });

  it('only what can never succeed is terminal', async () => {
    const { url } = await serve(say(xml(UID)), say(fault(1, traceback('KeyError: 1'))));
    expect(await failureOf(clientOf(url).call('a', 'b', []))).to.be.instanceOf(RetryableError);
    for (const bad of ['shop', 'ftp://x', 'http://user:pass@x'])
      expect(() => clientOf(bad)).to.throw('is not an http or https address');
  });

  async function until(condition: () => boolean, what: string): Promise<void> {
    for (let i = 0; i < 1000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(condition(), what).to.equal(true);
  }
});
