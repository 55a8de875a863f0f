/**
 * The edge: a web server before all instances, which reads from files where each host leads. One folder a host with one
 * empty file in it, `routes/<host>/<address>_<port>`, for the shop with the port of its websocket at the end, and with `@` and
 * another host where visitors are sent there; another place is a rename. Level-based: what must be is written, the rest is removed. What is down is shown on its port as without an
 * edge (`doors.ts`); the edge passes it on.
 */
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Front, Route } from '../instance/ports.js';
import { errorFields, type Log } from '../lib/logger.js';
import { loadPage, STILL_PAGES } from './page.js';

/** Lower case, and nothing that means something in a path or a pattern. */
const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const RETRY_MS = 30_000;

export interface EdgeParts {
  /** Shared with the edge: it reads, we write. */
  dir: string;
  /** Where the edge finds the ports of the instances. */
  address: string;
  doors: Front;
  /** The shop, where the edge serves it too. */
  shop?: { host: string; address: string; port: number; websocketPort: number } | null;
  /** None for an instance that is nowhere. */
  routesOf(key: string): Route[];
  log: Log;
}

export function createEdge({ dir, address, doors, shop = null, routesOf, log }: EdgeParts): Front {
  const routes = path.join(dir, 'routes');
  /** The hosts that were last written for each instance, and whose each is: a name that was given back may be another's. */
  const hosts = new Map<string, Set<string>>();
  const owners = new Map<string, string>();
  const retries = new Map<string, NodeJS.Timeout>();

  ensureFolder(routes);
  writePages(path.join(dir, 'pages'));
  if (shop) writeRoute(path.join(routes, shop.host), `${shop.address}_${shop.port}_${shop.websocketPort}`);

  function follow(key: string): void {
    clearTimeout(retries.get(key));
    retries.delete(key);
    try {
      const leading = routesOf(key);
      const wanted = new Set(leading.map(({ host }) => host));
      const before = hosts.get(key) ?? [];
      hosts.set(key, new Set());
      for (const host of before) if (owners.get(host) === key && !wanted.has(host)) removeHost(host);
      const errors = leading.flatMap((route) => lead(key, route) ?? []);
      if (hosts.get(key)?.size === 0) hosts.delete(key);
      if (errors[0]) throw errors[0];
    } catch (error) {
      retries.set(key, setTimeout(() => follow(key), RETRY_MS).unref());
      log.error('route.failed', 'The address of an instance could not be made to lead to it.', {
        key,
        ...errorFields(error),
        advice: `See that the daemon may write into ${routes} and that the disk is not full; it is tried again every 30 s.`,
      });
    }
  }

  /** Gives why it cannot be: one of several keeps the others from nothing. */
  function lead(key: string, { host, port, isOurs = true, movedTo }: Route): unknown {
    try {
      if (!HOST.test(host)) throw new Error(`${JSON.stringify(host)} is no name of a host`);
      if (movedTo !== undefined && !HOST.test(movedTo))
        throw new Error(`${JSON.stringify(movedTo)} is no name of a host`);
      if (host === shop?.host) throw new Error(`${host} is the shop`);
      const owner = owners.get(host);
      if (!isOurs && owner !== undefined && owner !== key) throw new Error(`${host} is another instance's`);
      writeRoute(path.join(routes, host), `${address}_${port}${movedTo === undefined ? '' : `@${movedTo}`}`);
      hosts.get(key)?.add(host);
      owners.set(host, key);
      return null;
    } catch (error) {
      return error;
    }
  }

  function removeHost(host: string): void {
    owners.delete(host);
    rmSync(path.join(routes, host), { recursive: true, force: true });
  }

  return {
    show: (key) => doors.show(key),
    hide: (key) => doors.hide(key),
    route: follow,
    sweep() {
      for (const name of readdirSync(routes)) if (!owners.has(name) && name !== shop?.host) removeHost(name);
    },
    release: (placement) => doors.release(placement),
    /** The addresses stay: who runs is reached without the daemon too. */
    async stop() {
      for (const timer of retries.values()) clearTimeout(timer);
      await doors.stop();
    },
  };
}

/** The edge never meets a host without a file, or one with a file of both: a rename is one act. */
function writeRoute(folder: string, target: string): void {
  ensureFolder(folder);
  const [first, ...more] = readdirSync(folder).sort((a, b) => Number(b === target) - Number(a === target));
  if (first === undefined) writeFileSync(path.join(folder, target), '', { mode: 0o644 });
  else if (first !== target) renameSync(path.join(folder, first), path.join(folder, target));
  for (const other of more) rmSync(path.join(folder, other), { recursive: true, force: true });
}

/** What the edge itself says, in a file each: whole or not at all. */
function writePages(folder: string): void {
  ensureFolder(folder);
  const page = loadPage();
  for (const name of STILL_PAGES) {
    for (const language of ['es', 'en'] as const) {
      const file = path.join(folder, `${name}.${language}.html`);
      writeFileSync(`${file}.new`, page.still(name, language));
      chmodSync(`${file}.new`, 0o644);
      renameSync(`${file}.new`, file);
    }
  }
}

/** The edge may read it, whatever the daemon's mask. */
function ensureFolder(folder: string): void {
  if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755);
}
