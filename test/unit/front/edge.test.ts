import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { createEdge } from '../../../src/front/edge.js';
import type { Front, Route } from '../../../src/instance/ports.js';
import { keptLog } from '../reconcile/support.js';

describe('edge', () => {
  let dir: string;
  let at: Map<string, Route[]>;
  let log: ReturnType<typeof keptLog>;
  const doors: Front = {
    show: async () => expect.fail('no page is asked for'),
    hide: async () => expect.fail('no page is asked for'),
    route: () => expect.fail('an edge has addresses of its own'),
    sweep: () => expect.fail('an edge has addresses of its own'),
    release: async () => undefined,
    stop: async () => undefined,
  };
  const start = () => createEdge({ dir, address: '127.0.0.1', doors, routesOf: (key) => at.get(key) ?? [], log });
  /** host → the files in its folder. */
  const routes = () =>
    Object.fromEntries(
      readdirSync(path.join(dir, 'routes')).map((host) => [host, readdirSync(path.join(dir, 'routes', host))]),
    );

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-edge-'));
    at = new Map([
      ['sol:1', [{ host: 'acme.example.com', port: 20000 }]],
      ['sol:2', [{ host: 'beta.example.com', port: 20002 }]],
    ]);
    log = keptLog();
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('leads each address to its instance, and another place is taken up', async () => {
    const edge = start();
    edge.route('sol:1');
    edge.route('sol:2');
    const both = { 'acme.example.com': ['127.0.0.1_20000'], 'beta.example.com': ['127.0.0.1_20002'] };
    expect(routes()).deep.equal(both);
    edge.route('sol:1');
    expect(routes()).deep.equal(both);
    at.set('sol:1', [{ host: 'acme.example.com', port: 20004 }]);
    edge.route('sol:1');
    expect(routes()['acme.example.com']).deep.equal(['127.0.0.1_20004']);
    await edge.stop();
    expect(routes()['beta.example.com'], 'visitors come without the daemon too').deep.equal(['127.0.0.1_20002']);
  });

  it('leads to the shop too, and to no instance by its name', () => {
    const shop = { host: 'shop.example.com', address: '10.0.0.5', port: 8069, websocketPort: 8072 };
    const routesOf = (key: string) => at.get(key) ?? [];
    const edge = createEdge({ dir, address: '127.0.0.1', doors, shop, routesOf, log });
    edge.sweep();
    expect(routes()).deep.equal({ 'shop.example.com': ['10.0.0.5_8069_8072'] });
    at.set('sol:1', [{ host: 'shop.example.com', port: 20000 }]);
    edge.route('sol:1');
    expect(routes()).deep.equal({ 'shop.example.com': ['10.0.0.5_8069_8072'] });
    expect(log.events()).deep.equal(['route.failed']);
  });

  it('takes the address of one that is gone away, and not from whoever has it now', () => {
    const edge = start();
    edge.route('sol:1');
    at.set('sol:3', [{ host: 'acme.example.com', port: 20006 }]);
    at.delete('sol:1');
    edge.route('sol:3');
    edge.route('sol:1');
    expect(routes()).deep.equal({ 'acme.example.com': ['127.0.0.1_20006'] });
    at.delete('sol:3');
    edge.route('sol:3');
    expect(routes()).deep.equal({});
  });

  it('leads several hosts to one instance, sends visitors of some to another, and lets go of those it has no more', () => {
    const edge = start();
    const own = { host: 'acme.example.com', port: 20000 };
    at.set('sol:1', [
      { ...own, movedTo: 'erp.acme.test' },
      { host: 'erp.acme.test', port: 20000, isOurs: false },
      { host: 'www.erp.acme.test', port: 20000, isOurs: false, movedTo: 'erp.acme.test' },
    ]);
    edge.route('sol:1');
    expect(routes()).deep.equal({
      'acme.example.com': ['127.0.0.1_20000@erp.acme.test'],
      'erp.acme.test': ['127.0.0.1_20000'],
      'www.erp.acme.test': ['127.0.0.1_20000@erp.acme.test'],
    });
    at.set('sol:1', [own]);
    edge.route('sol:1');
    expect(routes()).deep.equal({ 'acme.example.com': ['127.0.0.1_20000'] });
  });

  it('gives no host of somebody to a customer, and takes one from a customer for its owner', () => {
    const edge = start();
    edge.route('sol:2');
    at.set('sol:1', [
      { host: 'acme.example.com', port: 20000 },
      { host: 'beta.example.com', port: 20000, isOurs: false },
      { host: 'shop.test', port: 20000, isOurs: false, movedTo: '../beta.example.com' },
    ]);
    edge.route('sol:1');
    expect(routes()).deep.equal({ 'acme.example.com': ['127.0.0.1_20000'], 'beta.example.com': ['127.0.0.1_20002'] });
    expect(log.events()).deep.equal(['route.failed']);
    at.set('sol:1', [{ host: 'gamma.example.com', port: 20000, isOurs: false }]);
    edge.route('sol:1');
    at.set('sol:3', [{ host: 'gamma.example.com', port: 20004, isOurs: true }]);
    edge.route('sol:3');
    expect(routes()['gamma.example.com']).deep.equal(['127.0.0.1_20004']);
  });

  it('mends what it finds at the start, whatever that is', () => {
    const folder = path.join(dir, 'routes');
    mkdirSync(path.join(folder, 'acme.example.com', 'a folder'), { recursive: true });
    writeFileSync(path.join(folder, 'acme.example.com', '127.0.0.1_1'), '');
    mkdirSync(path.join(folder, 'gone.example.com'));
    writeFileSync(path.join(folder, 'a file'), '');
    const edge = start();
    edge.route('sol:1');
    edge.sweep();
    expect(routes()).deep.equal({ 'acme.example.com': ['127.0.0.1_20000'] });
  });

  it('lets the edge read all, whatever the mask of the daemon', () => {
    const mask = process.umask(0o077);
    try {
      start().route('sol:1');
    } finally {
      process.umask(mask);
    }
    const modeOf = (...parts: string[]) => (statSync(path.join(dir, ...parts)).mode & 0o777).toString(8);
    expect(modeOf('routes')).equal('755');
    expect(modeOf('routes', 'acme.example.com')).equal('755');
    expect(modeOf('pages', 'away.es.html')).equal('644');
  });

  for (const host of [
    '..',
    'a/b',
    '*',
    'ACME.example.com',
    '',
    '.',
    'a..b',
    '-a.example.com',
    'a b',
    'a%2eb',
    '[::1]',
  ]) {
    it(`makes no route of ${JSON.stringify(host)}, and says so`, async () => {
      const edge = start();
      at.set('sol:1', [{ host, port: 1 }]);
      edge.route('sol:1');
      expect(readdirSync(path.join(dir, 'routes'))).empty;
      expect(log.events()).deep.equal(['route.failed']);
      await edge.stop();
    });
  }

  it('fails for nobody else where one cannot be written', async () => {
    const edge = start();
    writeFileSync(path.join(dir, 'routes', 'acme.example.com'), 'a file in its place');
    edge.route('sol:1');
    edge.route('sol:2');
    expect(log.events()).deep.equal(['route.failed']);
    expect(readdirSync(path.join(dir, 'routes'))).include('beta.example.com');
    await edge.stop();
  });

  it('writes the pages of what cannot be reached in both languages, each with its own policy', () => {
    start();
    for (const [file, says, hasScript] of [
      ['away.es', 'Un momento', true],
      ['away.en', 'One moment', true],
      ['unknown.es', 'ningún servicio', false],
      ['unknown.en', 'no service', false],
    ] as const) {
      const html = readFileSync(path.join(dir, 'pages', `${file}.html`), 'utf8');
      expect(html)
        .include(says)
        .and.include(`<html lang="${file.slice(-2)}">`);
      expect(html).include('Content-Security-Policy');
      expect(html.includes('<script>'), file).equal(hasScript);
      expect(html.includes('http-equiv="refresh"'), 'without scripts').equal(hasScript);
    }
  });
});
