/** The routes of the edge: one folder a host, which a web server reads. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { createEdge } from '../../../src/front/edge.js';
import type { Front } from '../../../src/instance/ports.js';
import { text } from '../hostile.js';
import { holds, same, target } from '../target.js';

const nothing = async () => undefined;
const doors = { show: nothing, hide: nothing, release: nothing, stop: nothing } as unknown as Front;
const log = { debug() {}, info() {}, warn() {}, error() {} };

const host = fc.oneof(
  fc.constantFrom('acme.example.com', 'beta.example.com', 'xn--nxasmq6b.example', 'a'),
  text,
  text.map((it) => `${it}.example.com`),
  text.map((it) => `acme.example.com/${it}`),
);
const act = fc.record({
  key: fc.constantFrom('sol:1', 'sol:2'),
  route: fc.option(fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) })),
});

/** Labels of DNS in small letters, 253 characters in all. */
function isHost(name: string): boolean {
  const labels = name.split('.');
  return (
    name.length <= 253 && labels.every((label) => label !== '' && /^[a-z0-9-]+$/.test(label) && !/^-|-$/.test(label))
  );
}

export function edgeTargets(edgeOf: typeof createEdge = createEdge) {
  let root: string | null = null;
  const edge = target({
    name: 'routes of the edge',
    share: 2,
    values: fc.array(act, { minLength: 1, maxLength: 4 }),
    async check(acts) {
      root ??= mkdtempSync(path.join(tmpdir(), 'saas-fuzz-'));
      const dir = path.join(root, 'edge');
      const routes = new Map<string, { host: string; port: number } | null>();
      const made = edgeOf({ dir, address: '127.0.0.1', doors, routesOf: (key) => [routes.get(key) ?? []].flat(), log });
      const folder = (name: string) => path.join(dir, 'routes', name);
      for (const { key, route } of acts) {
        routes.set(key, route);
        made.route(key);
        if (route && isHost(route.host))
          same('where it leads', readdirSync(folder(route.host)), [`127.0.0.1_${route.port}`]);
      }
      const hosts = readdirSync(folder('.'));
      same(
        'hosts that are none',
        hosts.filter((name) => !isHost(name)),
        [],
      );
      const wanted = new Set([...routes.values()].map((route) => route?.host ?? ''));
      same(
        'hosts that nobody has',
        hosts.filter((name) => !wanted.has(name)),
        [],
      );
      for (const name of hosts) {
        const [file = '', ...more] = readdirSync(folder(name));
        same('files of a host', more, []);
        holds(
          'an address and a port',
          /^127\.0\.0\.1_\d{1,5}$/.test(file) && statSync(path.join(folder(name), file)).size === 0,
          file,
        );
      }
      same('what is beside it', [readdirSync(root), readdirSync(dir).sort()], [['edge'], ['pages', 'routes']]);
      await made.stop();
      rmSync(folder('.'), { recursive: true });
    },
    close() {
      if (root) rmSync(root, { recursive: true });
      root = null;
    },
  });
  return [edge];
}
