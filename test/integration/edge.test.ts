/** The edge: the real Caddy, with certificates of a real authority, before a server that tells what reaches it. */
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { createEdge } from '../../src/front/edge.js';
import type { Front, Route } from '../../src/instance/ports.js';
import { dnsHook, type Edge, theEdge } from '../support/edge.js';
import { docker } from '../support/engine.js';
import { keptLog } from '../unit/reconcile/support.js';

const ACME = 'acme.example.test';
const BETA = 'beta.example.test';
const BROWSER = { Accept: 'text/html,application/xhtml+xml', 'Accept-Language': 'es-ES,es;q=0.9' };

describe('the edge', function () {
  this.timeout(300_000);
  let edge: Edge;
  let front: Front;
  let server: Server;
  let port: number;
  const upgraded: Duplex[] = [];
  const at = new Map<string, Route[]>();
  const log = keptLog();
  const doors: Front = {
    ...{ show: async () => undefined, hide: async () => undefined, release: async () => undefined },
    ...{ route: () => undefined, sweep: () => undefined, stop: async () => undefined },
  };

  before(async () => {
    edge = await theEdge();
    server = http.createServer(tell);
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
      socket.on('error', () => undefined);
      upgraded.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    front = createEdge({ dir: edge.dir, address: '127.0.0.1', doors, routesOf: (key) => at.get(key) ?? [], log });
    lead('acme', ACME, port);
    lead('beta', BETA, port);
  });
  after(async () => {
    await front.stop();
    for (const socket of upgraded) socket.destroy();
    server.closeAllConnections();
    server.close();
  });

  const lead = (key: string, host: string, where: number) => {
    at.set(key, [{ host, port: where }]);
    front.route(key);
  };
  /** What the server behind was asked. */
  const heard = (body: string) => JSON.parse(body) as { path: string; headers: Record<string, string> };

  it('serves a host that has a route with a certificate of its own, and sends http to https', async () => {
    const { status, headers, body } = await edge.ask(ACME, { path: '/web?debug=1' });
    expect(status).equal(200);
    expect(heard(body).path).equal('/web?debug=1');
    expect(headers).include({ 'strict-transport-security': 'max-age=86400' }).and.not.have.any.keys('server', 'via');
    expect(headers['set-cookie']).deep.equal(['session_id=abc; Path=/; HttpOnly; Secure', 'other=1']);
    const plain = await edge.ask(ACME, { plain: true, path: '/a?b=c' });
    expect(plain.status).equal(308);
    expect(plain.headers.location).equal(`https://${ACME}/a?b=c`);
  });

  it('tells the instance who the visitor is, and believes nothing that the visitor says of it', async () => {
    const lies = { 'X-Forwarded-For': '8.8.8.8', 'X-Forwarded-Host': 'evil.example', 'X-Real-IP': '8.8.8.8' };
    const { headers } = heard((await edge.ask(ACME, { headers: lies })).body);
    expect(headers).include({
      host: ACME,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': ACME,
      'x-forwarded-proto': 'https',
      'x-real-ip': '127.0.0.1',
    });
  });

  it('passes a websocket on', async () => {
    const socket = connectTls({ host: '127.0.0.1', port: edge.ports.EDGE_HTTPS_PORT, ca: edge.ca, servername: ACME });
    const upgrade = ['GET /websocket HTTP/1.1', `Host: ${ACME}`, 'Connection: Upgrade', 'Upgrade: websocket', '', ''];
    socket.write(upgrade.join('\r\n'));
    const replies = await new Promise<string>((resolve, reject) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
        if (/101 .*\r\n\r\n$/s.test(text)) socket.write('ping');
        if (text.endsWith('ping')) resolve(text);
      });
      socket.on('error', reject).on('close', () => reject(new Error(`closed after ${text}`)));
    });
    expect(replies).match(/^HTTP\/1\.1 101 /);
    socket.destroy();
  });

  for (const path of [
    '/web/database/manager',
    '//web//database/create',
    '/es/web/database/selector',
    '/x/../web/%64atabase/drop',
  ]) {
    it(`closes the database manager: ${path}`, async () => {
      expect((await edge.ask(ACME, { path })).status).equal(404);
    });
  }

  it('takes no body beyond the limit', async () => {
    const headers = { 'Content-Type': 'application/octet-stream' };
    const send = async (bytes: number) =>
      (await edge.ask(ACME, { method: 'POST', headers, body: 'x'.repeat(bytes) })).status;
    expect(await send(1e6)).equal(200);
    const status = await send(3e6);
    expect(status).equal(413);
  });

  it('asks for no certificate of a name without a route', async () => {
    const refused = await edge.ask('stranger.example.test').then(
      ({ status }) => status,
      (error: Error) => error.message,
    );
    expect(refused).match(/alert/);
  });

  for (const host of [
    '*',
    '..',
    `${ACME}.`,
    '%2e%2e',
    'acme.example.tes?',
    '[a]*',
    BETA,
    'acme.example.test/../beta.example.test',
  ]) {
    it(`answers nobody who names ${JSON.stringify(host)} behind the certificate of another`, async () => {
      const { status, body } = await edge.ask(host, { servername: ACME });
      expect(status, body).oneOf([400, 404, 421]);
    });
  }

  it('does not let two requests pass for one, or one for two', async () => {
    const smuggled = [
      `POST / HTTP/1.1\r\nHost: ${ACME}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nX: `,
      `POST / HTTP/1.1\r\nHost: ${ACME}\r\nTransfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\n0\r\nGET /evil HTTP/1.1\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${ACME}\r\nHost: ${BETA}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost : ${ACME}\r\n\r\n`,
    ];
    for (const text of smuggled) {
      const reply = await raw(text);
      expect(reply, text).not.contain('/evil');
      if (/^HTTP\/1\.1 200/.test(reply))
        expect(heard(reply.slice(reply.indexOf('{'), reply.lastIndexOf('}') + 1)).path).equal('/');
    }
  });

  const raw = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port: edge.ports.EDGE_HTTPS_PORT, ca: edge.ca, servername: ACME });
      let reply = '';
      socket.setTimeout(3000, () => socket.destroy());
      socket.on('data', (chunk) => {
        reply += chunk;
      });
      socket.on('error', reject).on('close', () => resolve(reply));
      socket.write(text);
    });

  it('follows to another place without losing a request', async () => {
    const other = http.createServer(tell);
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const places = [(other.address() as AddressInfo).port, port];
    let wrong = 0;
    for (let i = 0; i < 40; i++) {
      lead('acme', ACME, places[i % 2] ?? port);
      if ((await edge.ask(ACME)).status !== 200) wrong++;
    }
    expect(wrong).equal(0);
    other.closeAllConnections();
    other.close();
  });

  it('sends visitors to the address that an instance has now, and takes what programs send at the old one', async () => {
    const [old, own] = ['moved.example.test', 'erp.moved.test'];
    at.set('moved', [
      { host: old, port, movedTo: own },
      { host: own, port, isOurs: false },
    ]);
    front.route('moved');
    const sent = await edge.ask(old, { path: '/odoo/contacts?debug=1&x=a%2Fb' });
    expect(sent.status).equal(302);
    expect(sent.headers).include({
      location: `https://${own}/odoo/contacts?debug=1&x=a%2Fb`,
      'cache-control': 'no-store',
    });
    expect((await edge.ask(old, { path: '//evil.test/..' })).headers.location).match(/^https:\/\/erp\.moved\.test\//);
    expect((await edge.ask(old, { path: '/jsonrpc', method: 'POST', body: '{}' })).status).equal(200);
    expect((await edge.ask(old, { path: '/websocket?version=1' })).status).equal(200);
    expect(heard((await edge.ask(own, { path: '/odoo' })).body).headers.host).equal(own);
    at.delete('moved');
    front.route('moved');
  });

  it('serves the shop too, with its websocket from a port of its own', async () => {
    const socket = http.createServer((_request, response) => response.end('the websocket'));
    await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve));
    const websocketPort = (socket.address() as AddressInfo).port;
    const shop = { host: 'tienda.example.test', address: '127.0.0.1', port, websocketPort };
    createEdge({ dir: edge.dir, address: '127.0.0.1', doors, shop, routesOf: () => [], log });
    expect(heard((await edge.ask(shop.host, { path: '/shop' })).body).path).equal('/shop');
    expect((await edge.ask(shop.host, { path: '/websocket?version=1' })).body).equal('the websocket');
    socket.closeAllConnections();
    socket.close();
    // Its address is nobody's again.
    front.sweep();
  });

  it('answers others while many visitors are slow', async () => {
    const slow = Array.from({ length: 500 }, () => {
      const socket = net.connect(edge.ports.EDGE_HTTPS_PORT, '127.0.0.1');
      socket.on('error', () => undefined);
      return socket;
    });
    expect((await edge.ask(ACME)).status).equal(200);
    for (const socket of slow) socket.destroy();
  });

  describe('of an instance that does not answer', () => {
    before(async () => {
      const nobody = net.createServer();
      await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
      const { port: free } = nobody.address() as AddressInfo;
      await new Promise((resolve) => nobody.close(resolve));
      lead('down', 'down.example.test', free);
    });

    it('shows a page in the language of the visitor, with a status that says so', async () => {
      const { status, headers, body } = await edge.ask('down.example.test', { headers: BROWSER });
      expect(status).equal(503);
      expect(headers).include({ 'retry-after': '10', 'cache-control': 'no-store' });
      expect(body).include('Un momento, por favor');
      const english = await edge.ask('down.example.test', { headers: { ...BROWSER, 'Accept-Language': 'en-GB' } });
      expect(english.body).include('One moment, please');
    });

    it('is brief to programs', async () => {
      const { status, headers, body } = await edge.ask('down.example.test');
      expect(status).equal(503);
      expect(headers['content-type']).match(/^text\/plain/);
      expect(body).match(/^The service is starting/);
    });

    it('has none any more when it is gone', async () => {
      at.delete('down');
      front.route('down');
      const { status, body } = await edge.ask('down.example.test', { headers: BROWSER });
      expect(status).equal(404);
      expect(body).include('Aquí no hay ningún servicio');
    });
  });

  it('serves the names of the seller by one certificate that DNS proves, and is told of another one without a break', async () => {
    const variables = {
      EDGE_DOMAIN: 'wild.test',
      EDGE_DNS: 'exec',
      EXEC_PATH: dnsHook(edge.dir),
      // The authority's DNS server knows nothing of zones.
      EDGE_LEGO_OPTIONS: '--dns.propagation-wait 1s',
    };
    await edge.script('certificate', variables);
    lead('wild', 'one.wild.test', port);
    const { status, headers } = await edge.ask('one.wild.test');
    expect(status).equal(200);
    expect(headers['strict-transport-security']).equal('max-age=31536000');
    const { stdout } = await edge.script('status');
    expect(stdout)
      .include('*.wild.test')
      .and.match(/hosts +3/);
    expect((await edge.ask('two.wild.test', { headers: BROWSER })).status, 'a name without an instance').equal(404);
  });

  it('writes down who came, and no secret of an address', async () => {
    await edge.ask(ACME, { path: '/my/orders/1?access_token=s3cret&x=1', headers: { Cookie: 'session_id=s3cret' } });
    const access = await docker.getContainer(edge.container).getArchive({ path: '/data/access.log' });
    const chunks: Buffer[] = [];
    for await (const chunk of access) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    expect(text).include('/my/orders/1?x=1');
    expect(text).not.include('s3cret');
  });

  it('has no rights but to bind ports, and no way to write but its own volume', async () => {
    const { HostConfig } = await docker.getContainer(edge.container).inspect();
    expect(HostConfig).deep.include({ CapDrop: ['ALL'], ReadonlyRootfs: true, Privileged: false });
    expect((HostConfig.CapAdd as string[]).map((name) => name.replace('CAP_', ''))).deep.equal(['NET_BIND_SERVICE']);
    expect(readFileSync(`${edge.dir}/pages/away.es.html`, 'utf8')).include('Un momento');
  });
});

/** Tells what it was asked; a cookie as Odoo's. */
function tell(request: IncomingMessage, response: http.ServerResponse): void {
  request.resume();
  request.on('end', () => {
    response.setHeader('Set-Cookie', ['session_id=abc; Path=/; HttpOnly', 'other=1']);
    response.setHeader('Server', 'Werkzeug');
    response.end(JSON.stringify({ path: request.url, headers: request.headers }));
  });
}
