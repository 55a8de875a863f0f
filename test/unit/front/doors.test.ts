import { createHash } from 'node:crypto';
import http, { type IncomingHttpHeaders } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { parse } from 'node-html-parser';
import { createDoors } from '../../../src/front/doors.js';
import type { Front } from '../../../src/instance/ports.js';
import type { Paused } from '../../../src/instance/types.js';
import { startWatch } from '../../support/pace.js';
import { keptLog, until } from '../reconcile/support.js';

const ADDRESS = '127.0.0.1';
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

function ask(port: number, headers: Record<string, string> = {}, method = 'GET', path = '/'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = http.request({ host: ADDRESS, port, path, method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    call.on('error', reject);
    call.end();
  });
}

/** Binds the port as an instance's start does. */
function bind(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, ADDRESS, () => resolve(server));
  });
}

const shut = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

/** Ports that nothing has at the moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => bind(0)));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map(shut));
  return ports;
}

describe('http: the page of an instance that is down', () => {
  let down: Map<string, Paused>;
  let log: ReturnType<typeof keptLog>;
  let doors: Front;
  let port: number;
  let wake: (key: string) => void;

  beforeEach(async () => {
    [port = 0] = await freePorts(1);
    down = new Map();
    log = keptLog();
    wake = () => expect.fail('nobody is to be woken');
    doors = createDoors({
      ...{ address: ADDRESS, pausedOf: (key) => down.get(key) ?? null, log },
      wake: (key) => wake(key),
    });
  });
  afterEach(() => doors.stop());

  const goesDown = (changes: Partial<Paused> = {}, key = 'sol:1') => {
    const ownerUrl = 'https://shop.example.com/my/instances/named/acme';
    down.set(key, { name: 'acme', port, phase: 'suspended', lang: 'es_ES', ownerUrl, ...changes });
    return doors.show(key);
  };
  const isDead = async (where = port) => {
    const code = await ask(where).then(
      () => 'answered',
      (error) => error.code,
    );
    expect(code).equal('ECONNREFUSED');
  };
  const page = async (headers: Record<string, string> = {}) => {
    const answer = await ask(port, { accept: BROWSER, ...headers });
    return { ...answer, root: parse(answer.body) };
  };

  describe('of one that sleeps', () => {
    /** As a worker does: it needs the port, and says that it runs. */
    async function start(): Promise<Server> {
      // Its database comes first.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await doors.release({ httpPort: port });
      const odoo = await bind(port);
      down.clear();
      return odoo;
    }

    it('wakes it once for all visitors, who come to the same address in it', async () => {
      await goesDown({ phase: 'asleep' });
      const woken: string[] = [];
      let started: Promise<Server> | null = null;
      wake = (key) => {
        woken.push(key);
        started ??= start();
      };
      const answers = await Promise.all([
        ask(port, { accept: BROWSER }, 'GET', '/odoo/contacts?debug=1'),
        ask(port, {}, 'POST', '/web/session/authenticate'),
        ask(port, {}, 'GET', '//evil.example/x'),
      ]);
      expect(answers.map(({ status }) => status)).deep.equal([307, 307, 307]);
      expect(answers.map(({ headers }) => headers.location)).deep.equal([
        '/odoo/contacts?debug=1',
        '/web/session/authenticate',
        '/evil.example/x',
      ]);
      expect(answers.map(({ headers }) => headers['retry-after'])).deep.equal([undefined, undefined, undefined]);
      expect(woken).deep.equal(['sol:1']);
      const odoo = await (started ?? expect.fail('nobody woke it'));
      await shut(odoo);
    });

    for (const path of ['/websocket?version=19.0-2', '/bus/websocket_worker_bundle', '/web/health', '/favicon.ico']) {
      it(`is not woken by ${path}`, async () => {
        await goesDown({ phase: 'asleep' });
        expect((await ask(port, {}, 'GET', path)).status).equal(503);
      });
    }
  });

  describe('is a page', () => {
    it('with its name, its state, and the way to the pay button', async () => {
      await goesDown();
      const { status, headers, root } = await page();
      expect(status).equal(503);
      expect(headers).include({
        'retry-after': '60',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'content-language': 'es',
        connection: 'close',
        vary: 'Accept, Accept-Language',
      });
      expect(headers['content-type']).match(/^text\/html/);
      expect(headers).not.property('x-powered-by');
      expect(root.querySelector('html')?.getAttribute('lang')).equal('es');
      expect(root.querySelector('title')?.text).equal('Servicio suspendido: acme');
      expect(root.querySelector('header')?.text).equal('acme');
      expect(root.querySelector('h1')?.text).equal('Servicio suspendido');
      expect(root.querySelector('main')?.text).contain('a salvo');
      expect(root.querySelectorAll('a').map((a) => a.getAttribute('href'))).deep.equal([
        'https://shop.example.com/my/instances/named/acme',
      ]);
    });

    it('that says paused where staff stopped it', async () => {
      await goesDown({ phase: 'stopped' });
      expect((await page()).root.querySelector('h1')?.text).equal('Servicio en pausa');
      expect((await page({ 'accept-language': 'en' })).root.querySelector('h1')?.text).equal('Service paused');
    });

    it('without a button while the address of the shop is not known', async () => {
      await goesDown({ ownerUrl: null });
      const { root } = await page();
      expect(root.querySelectorAll('a, section')).deep.equal([]);
      expect(root.querySelector('h1')?.text).equal('Servicio suspendido');
    });

    for (const [lang, wanted, language] of [
      ['es_ES', 'en-GB,en;q=0.9', 'en'],
      ['en_US', 'es-MX,es;q=0.9,en;q=0.8', 'es'],
      ['en_US', 'ca,es;q=0.8,en;q=0.7', 'es'],
      ['es_MX', 'fr-FR,fr;q=0.9', 'es'],
      ['en_US', 'fr', 'en'],
      ['de_DE', 'fr', 'en'],
      ['es_ES', '*', 'es'],
      ['en_GB', '', 'en'],
    ]) {
      it(`of a customer who reads ${lang}: in ${language} to who asks for "${wanted}"`, async () => {
        await goesDown({ lang: lang as string });
        const { headers, root } = await page({ 'accept-language': wanted as string });
        expect(headers['content-language']).equal(language);
        expect(root.querySelector('h1')?.text).equal(language === 'es' ? 'Servicio suspendido' : 'Service suspended');
      });
    }

    it('that loads nothing from anywhere and runs only what its policy names', async () => {
      await goesDown();
      const { headers, root, body } = await page();
      const policy = String(headers['content-security-policy']);
      for (const tag of ['style', 'script']) {
        const text = /<(style|script)>([\s\S]*?)<\/\1>/g;
        const found = [...body.matchAll(text)].filter(([, name]) => name === tag).map(([, , inside]) => inside ?? '');
        expect(found).length(1);
        const hash = createHash('sha256').update(String(found[0])).digest('base64');
        expect(policy).contain(`${tag}-src 'sha256-${hash}'`);
      }
      expect(policy)
        .match(/^default-src 'none';/)
        .contain("frame-ancestors 'none'")
        .not.contain('unsafe');
      expect(root.querySelectorAll('[src], [style], [onclick]')).deep.equal([]);
      expect(root.querySelectorAll('link').map((link) => link.getAttribute('href'))).deep.equal(['data:,']);
    });

    it('that reloads itself, also without scripts', async () => {
      await goesDown();
      const { body } = await page();
      expect(body).contain('<noscript><meta http-equiv="refresh" content="15"></noscript>').contain("'/web/health'");
    });

    it('in which a name is text, and nothing of the request is', async () => {
      const name = `<img src=x onerror=alert(1)>"'&`;
      await goesDown({ name, ownerUrl: `https://shop.example.com/?"><script>alert(2)</script>` });
      for (const lang of ['es', 'en']) {
        const headers = {
          accept: BROWSER,
          'accept-language': lang,
          referer: 'http://marker',
          'x-forwarded-host': 'marker',
        };
        const { body } = await ask(port, { ...headers, host: 'marker' }, 'GET', '/marker?marker=<marker>');
        expect(body).not.contain('<img').not.contain('<script>alert').not.contain('marker');
        expect(body).contain('&lt;img src');
      }
    });

    it('that is as it is now: nobody opens the door anew when the facts change', async () => {
      await goesDown({ ownerUrl: null });
      down.set('sol:1', { name: 'acme', port, phase: 'stopped', lang: 'en_US', ownerUrl: 'https://shop.example.com' });
      const { root } = await page();
      expect(root.querySelector('h1')?.text).equal('Service paused');
      expect(root.querySelectorAll('a')).length(1);
    });
  });

  describe('is brief to programs', () => {
    beforeEach(() => goesDown());

    for (const [what, headers] of [
      ['XML-RPC, which says nothing of what it accepts', { 'content-type': 'text/xml' }],
      ['curl, and the calls of an open Odoo', { accept: '*/*' }],
      ['an image', { accept: 'image/avif,image/webp,image/svg+xml,image/*;q=0.8,*/*;q=0.5' }],
      ['something else', { accept: 'application/xml' }],
    ] as const) {
      it(`text for ${what}`, async () => {
        const { status, headers: said, body } = await ask(port, headers, 'POST', '/jsonrpc');
        expect(status).equal(503);
        expect(said['content-type']).match(/^text\/plain/);
        expect(body).match(/^Servicio suspendido: acme [^\n<]+\n$/);
      });
    }

    it('JSON for who asks for it', async () => {
      const { status, headers, body } = await ask(
        port,
        { accept: 'application/json', 'accept-language': 'en' },
        'POST',
      );
      expect(status).equal(503);
      expect(headers['retry-after']).equal('60');
      expect(JSON.parse(body)).deep.equal({
        error: 'service_suspended',
        message: 'Service suspended: acme is not available at the moment. All data is safe.',
      });
    });

    it('the head alone for HEAD, at every address', async () => {
      for (const path of ['/', '/web/login?redirect=%2F', '/%E0%A4%A', '/web/health']) {
        const { status, headers, body } = await ask(port, { accept: BROWSER }, 'HEAD', path);
        expect(status, path).equal(503);
        expect(headers['content-type']).match(/^text\/html/);
        expect(body).equal('');
      }
    });

    it('the same for whoever wants a websocket', async () => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'x',
        'sec-websocket-version': '13',
      };
      expect((await ask(port, headers, 'GET', '/websocket')).status).equal(503);
    });
  });

  describe('follows the state', () => {
    it('opens, closes and opens again', async () => {
      await isDead();
      await goesDown();
      await goesDown();
      expect((await ask(port)).status).equal(503);
      down.clear();
      await doors.show('sol:1');
      await isDead();
      await goesDown();
      expect((await ask(port)).status).equal(503);
      expect(log.events()).deep.equal(['page.opened', 'page.closed', 'page.opened']);
    });

    it('moves with the port of its instance', async () => {
      const [other = 0] = await freePorts(1);
      await goesDown();
      await goesDown({ port: other });
      await isDead();
      expect((await ask(other)).status).equal(503);
    });

    it('tells many instances apart by their ports, in one app', async () => {
      const many = await freePorts(60);
      await Promise.all(many.map((at, number) => goesDown({ port: at, name: `acme-${number}` }, `sol:${number}`)));
      const said = await Promise.all(many.map(async (at) => (await ask(at)).body));
      expect(said.every((body, number) => body.includes(`: acme-${number} `))).equal(true);
      await doors.stop();
      await Promise.all(many.map((at) => isDead(at)));
    });

    it('gives a port back whoever holds it, and at once, with visitors in the door', async () => {
      await goesDown();
      const visitors = await Promise.all([dial(port), dial(port), dial(port)]);
      const [silent, slow, patient] = visitors as [Socket, Socket, Socket];
      slow.write('GET / HTTP/1.1\r\nHost: a\r\n');
      patient.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 100\r\n\r\nbegun');
      await until(() => patient.bytesRead > 0);
      const elapsedMs = startWatch();
      await doors.release({ httpPort: port });
      const server = await bind(port);
      expect(elapsedMs()).below(200);
      await until(() => silent.destroyed && slow.destroyed && patient.destroyed);
      await shut(server);
      // Once more is nothing.
      await doors.release({ httpPort: port });
    });

    it('can be given back while it is being opened', async () => {
      const opening = goesDown();
      await doors.release({ httpPort: port });
      await shut(await bind(port));
      await opening;
      expect(log.events()).deep.equal(['page.opened', 'page.closed']);
    });

    it('warns where somebody else has the port, and has it the next time', async () => {
      const stranger = await bind(port);
      await goesDown();
      expect(log.lines).length(1);
      expect(log.lines[0]).include({ level: 'warn', event: 'page.not_shown', instance: 'acme', port });
      expect(log.lines[0]?.advice).contain('ss -tanp');
      await shut(stranger);
      await doors.show('sol:1');
      expect((await ask(port)).status).equal(503);
    });

    it('waits a moment for a port that is just being left', async () => {
      const leaving = await bind(port);
      const opening = goesDown();
      setTimeout(() => leaving.close(), 250);
      await opening;
      expect(log.events()).deep.equal(['page.opened']);
    });

    it('says what to do where the address is not of this host', async () => {
      const elsewhere = createDoors({
        address: '192.0.2.1',
        pausedOf: (key) => down.get(key) ?? null,
        wake: () => undefined,
        log,
      });
      down.set('sol:1', { name: 'acme', port, phase: 'suspended', lang: 'es_ES', ownerUrl: null });
      await elsewhere.show('sol:1');
      expect(log.lines[0]?.advice).contain('network_mode: host');
      await elsewhere.stop();
    });

    it('never fails, whatever the store says', async () => {
      const broken = createDoors({
        address: ADDRESS,
        pausedOf() {
          throw new Error('the store cannot be read');
        },
        wake: () => undefined,
        log,
      });
      await broken.show('sol:1');
      expect(log.lines[0]).include({ level: 'error', event: 'page.failed', error: 'the store cannot be read' });
      await broken.stop();
    });

    it('answers also in the moment in which its instance is not down any more', async () => {
      await goesDown();
      down.clear();
      const { status, headers, body } = await ask(port, { accept: BROWSER });
      expect([status, body]).deep.equal([503, 'Service unavailable\n']);
      expect(headers['retry-after']).equal('60');
    });

    it('opens nothing after the stop', async () => {
      await goesDown();
      await doors.stop();
      await isDead();
      await goesDown();
      await isDead();
    });

    it('is shown at one door while hundreds of half requests wait at another', async () => {
      const [other = 0] = await freePorts(1);
      await goesDown();
      await goesDown({ port: other, name: 'other' }, 'sol:2');
      const half = async () => {
        const socket = await dial(port);
        socket.write('GET / HTTP/1.1\r\nHost: acme.example.com\r\nX-Never');
        return socket;
      };
      const crowd = await Promise.all(Array.from({ length: 400 }, half));
      const started = performance.now();
      expect((await ask(other)).status).equal(503);
      expect(performance.now() - started).lessThan(5000);
      for (const socket of crowd) socket.destroy();
    });

    it('lets in only so many at once', async () => {
      await goesDown();
      const crowd = await Promise.all(Array.from({ length: 120 }, () => dial(port)));
      await until(() => crowd.filter(({ destroyed }) => destroyed).length >= 20);
      expect(crowd.filter(({ destroyed }) => !destroyed)).length(100);
      for (const socket of crowd) socket.destroy();
      await until(() => crowd.every(({ destroyed }) => destroyed));
      let answer: Answer | null = null;
      while (!answer) answer = await ask(port).catch(() => null);
      expect(answer.status).equal(503);
    });
  });
});

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, ADDRESS, () => resolve(socket));
    socket.on('error', reject);
    socket.resume();
  });
}
