/** What an edge adds to a request, what it weighs with many hosts, and how long a sleeping instance takes to answer. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http, { type Server } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RunningDaemon } from '../../compose/demo/daemon.js';
import { edgeDown, edgeUp } from '../../compose/demo/edge.js';
import { instanceMemoryMb } from '../../compose/demo/fleet.js';
import { createEdge } from '../../src/front/edge.js';
import type { Front } from '../../src/instance/ports.js';
import type { OdooClient } from '../../src/odoo/client.js';

const PLACE = {
  project: 'saas-bench-edge',
  authority: 'saas-bench-acme',
  ports: {
    ...{ EDGE_HTTPS_PORT: 18_143, EDGE_HTTP_PORT: 18_144, EDGE_ASK_PORT: 18_145, ACME_PORT: 18_146 },
    ...{ ACME_ROOTS_PORT: 18_147, ACME_DNS_PORT: 18_148, ACME_DNS_API_PORT: 18_149 },
  },
};
const DOMAIN = 'banco.test';
const HOSTS = 10_000;
const REQUESTS = 1_000;
const WAKES = 3;
const PATIENCE_MS = 300_000;

export interface EdgeFigures {
  /** p50 of a request with a connection that stays, to a server that answers at once. */
  direct_ms: number;
  edge_ms: number;
  edge_added_ms: number;
  edge_hosts: number;
  edge_rss_mb: number;
  /** p50 of what one host more takes, from the daemon's write until the edge knows it. */
  edge_add_host_ms: number;
  /** p50 from a visit to an instance that sleeps until its page. */
  wake_ms: number;
  /** p50 of the same page while it is awake. */
  awake_ms: number;
  asleep_pair_mb: number;
}

export interface EdgeBench {
  stateDir: string;
  scope: string;
  admin: OdooClient;
  /** Of an instance that runs, and of its plan. */
  name: string;
  planCode: string;
  /** Starts the daemon again with these settings. */
  restart(settings: Record<string, string>): Promise<RunningDaemon>;
}

export async function edgeFigures(bench: EdgeBench): Promise<EdgeFigures> {
  const edge = await edgeUp(bench.stateDir, PLACE);
  try {
    const ca = readFileSync(edge.rootFile, 'utf8');
    const added = await addedBy(edge.dir, ca);
    const woken = await wakes(bench, { ...edge.settings, SAAS_INSTANCE_URL: `https://{name}.${DOMAIN}` }, ca);
    return { ...added, ...woken };
  } finally {
    await edgeDown(bench.stateDir, PLACE);
  }
}

/** With a server that does nothing: what is left is the edge. */
async function addedBy(dir: string, ca: string) {
  const server = http.createServer((request, response) => {
    request.resume();
    response.end('here');
  });
  const port = await listen(server);
  const front = createEdge({
    ...{ dir, address: '127.0.0.1', doors: NO_DOORS, log: NO_LOG },
    routesOf: (key) => [{ host: `${key}.${DOMAIN}`, port }],
  });
  for (let host = 1; host <= HOSTS; host++) front.route(`h${host}`);
  const addMs: number[] = [];
  for (let one = 1; one <= 20; one++) {
    const startedAt = performance.now();
    front.route(`more${one}`);
    await knows(`more${one}.${DOMAIN}`);
    addMs.push(performance.now() - startedAt);
  }
  const direct = asker(http, { host: '127.0.0.1', port });
  const through = asker(https, { ...through443(ca), servername: `h1.${DOMAIN}`, headers: { Host: `h1.${DOMAIN}` } });
  // The first request gets the certificate.
  await through('/');
  const [directMs, edgeMs] = [[] as number[], [] as number[]];
  for (let request = 0; request < REQUESTS; request++) {
    directMs.push(await direct('/'));
    edgeMs.push(await through('/'));
  }
  const edge_rss_mb = await residentOf(`${PLACE.project}-edge-1`);
  await front.stop();
  server.closeAllConnections();
  server.close();
  const [direct_ms, edge_ms] = [p50(directMs), p50(edgeMs)];
  const figures = { direct_ms, edge_ms, edge_added_ms: round(edge_ms - direct_ms), edge_rss_mb };
  return { ...figures, edge_hosts: HOSTS, edge_add_host_ms: p50(addMs) };
}

/** A real instance behind the edge sleeps and is woken again and again. */
async function wakes(
  { admin, name, planCode, scope, restart }: EdgeBench,
  settings: Record<string, string>,
  ca: string,
) {
  const plans = await admin.call('product.template', 'search', [[['saas_plan_code', '=', planCode]]]);
  await admin.call('product.template', 'write', [plans, { saas_sleep_hours: 1 }]);
  const host = `${name}.${DOMAIN}`;
  const ask = (at: string) => visit({ ...through443(ca), servername: host, headers: { Host: host } }, at);
  const [wakeMs, awakeMs] = [[] as number[], [] as number[]];
  let asleep_pair_mb = Number.NaN;
  for (let wake = 1; wake <= WAKES; wake++) {
    const daemon = await restart({ ...settings, SAAS_CLOCK_OFFSET: `PT${wake * 6}H` });
    await asleep(daemon, name);
    asleep_pair_mb = await instanceMemoryMb(scope, name);
    wakeMs.push(await ask('/web/login'));
    for (let again = 0; again < 5; again++) awakeMs.push(await ask('/web/login'));
  }
  await admin.call('product.template', 'write', [plans, { saas_sleep_hours: 0 }]);
  return { wake_ms: p50(wakeMs), awake_ms: p50(awakeMs), asleep_pair_mb };
}

async function asleep(daemon: RunningDaemon, name: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(100)) {
    if (daemon.lines().some(({ event, instance }) => event === 'instance.asleep' && instance === name)) return;
  }
  throw new Error(`${name} does not fall asleep; see ${daemon.logFile}`);
}

/** Follows as a browser does, on a connection of its own; gives the milliseconds until the page is there. */
async function visit(options: https.RequestOptions, at: string): Promise<number> {
  const startedAt = performance.now();
  for (let hops = 0, where = at; hops < 5; hops++) {
    const { status, location } = await request(https, { ...options, agent: false }, where);
    if (status === 200) return performance.now() - startedAt;
    if (location === undefined) throw new Error(`${where}: ${status}`);
    where = location.replace(/^https:\/\/[^/]+/, '');
  }
  throw new Error(`${at} leads on and on`);
}

const through443 = (ca: string) => ({ host: '127.0.0.1', port: PLACE.ports.EDGE_HTTPS_PORT, ca });

/** Asks again and again on one connection; each time it gives the milliseconds. */
function asker(protocol: typeof http | typeof https, options: https.RequestOptions) {
  const agent = new protocol.Agent({ keepAlive: true, maxSockets: 1 });
  return async (at: string): Promise<number> => {
    const startedAt = performance.now();
    const { status } = await request(protocol, { ...options, agent }, at);
    if (status !== 200) throw new Error(`${at}: ${status}`);
    return performance.now() - startedAt;
  };
}

function request(protocol: typeof http | typeof https, options: https.RequestOptions, at: string) {
  return new Promise<{ status: number; location: string | undefined }>((resolve, reject) => {
    const call = protocol.get({ ...options, path: at, timeout: 60_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode ?? 0, location: response.headers.location }));
    });
    call.on('timeout', () => call.destroy(new Error(`${at} is not answered`)));
    call.on('error', reject);
  });
}

/** Until the edge would ask for a certificate of the host. */
async function knows(host: string): Promise<void> {
  const options = { host: '127.0.0.1', port: PLACE.ports.EDGE_ASK_PORT };
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    if ((await request(http, options, `/ask?domain=${host}`)).status === 200) return;
  }
  throw new Error(`the edge does not know ${host}`);
}

async function residentOf(container: string): Promise<number> {
  const { stdout } = await promisify(execFile)('docker', ['inspect', '--format', '{{.State.Pid}}', container]);
  const status = readFileSync(path.join('/proc', stdout.trim(), 'status'), 'utf8');
  return round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function p50(values: number[]): number {
  return round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const nothing = async () => undefined;
const NO_DOORS: Front = {
  ...{ show: nothing, hide: nothing, release: nothing, stop: nothing },
  ...{ route: () => undefined, sweep: () => undefined },
};
const NO_LOG = { debug() {}, info() {}, warn() {}, error() {} };
