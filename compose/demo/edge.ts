/** An edge before the demo, with a certificate authority of this machine: `https://<name>.localhost`. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { REPO_DIR, script } from './master.js';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;

/** What an edge and its authority are called, and where they listen. */
export interface EdgePlace {
  project: string;
  authority: string;
  /** As `compose/edge.sh` and the image of the authority name them. */
  ports: {
    [name in 'EDGE_HTTP_PORT' | 'EDGE_HTTPS_PORT' | 'EDGE_ASK_PORT' | 'ACME_PORT' | 'ACME_ROOTS_PORT']: number;
  } & { [name: string]: number };
}

const DEMO: EdgePlace = {
  project: 'saas-demo-edge',
  authority: 'saas-demo-acme',
  ports: { EDGE_HTTP_PORT: 80, EDGE_HTTPS_PORT: 443, EDGE_ASK_PORT: 2021, ACME_PORT: 14_000, ACME_ROOTS_PORT: 15_000 },
};

export interface DemoEdge {
  /** The daemon's SAAS_EDGE_DIR. */
  dir: string;
  /** Of the daemon. */
  settings: Record<string, string>;
  /** The certificate that a browser has to trust. */
  rootFile: string;
  /** The status of an address, asked for as a browser that trusts it does. */
  ask(url: string): Promise<number>;
}

export async function edgeUp(stateDir: string, place = DEMO): Promise<DemoEdge> {
  const dir = path.join(stateDir, 'edge');
  const acmeDir = path.join(dir, 'authority');
  mkdirSync(acmeDir, { recursive: true });
  await script('images.sh', ['edge', 'acme']);
  await removeAuthority(place);
  const ports = Object.entries(place.ports).flatMap(([port, number]) => ['-e', `${port}=${number}`]);
  const name = ['--name', place.authority, '--network', 'host', '--init', '-v', `${acmeDir}:/acme`, ...ports];
  await run('docker', ['run', '-d', '--rm', ...name, 'saas-bridge/acme'], { timeout: TIMEOUT_MS });
  const root = await rootOf(place.ports.ACME_ROOTS_PORT);
  const rootFile = path.join(dir, 'root.pem');
  writeFileSync(rootFile, root);
  await edgeScript('up', dir, place, {
    EDGE_EMAIL: 'admin@nubefacil.example',
    EDGE_ACME_URL: `https://127.0.0.1:${place.ports.ACME_PORT}/dir`,
    EDGE_ACME_ROOT: path.join(acmeDir, 'ca.pem'),
  });
  const settings = { SAAS_EDGE_DIR: dir, SAAS_INSTANCE_URL: 'https://{name}.localhost', SAAS_PROXY_MODE: 'yes' };
  return { dir, settings, rootFile, ask: (url) => ask(url, root) };
}

/** Also where there is none. */
export async function edgeDown(stateDir: string, place = DEMO): Promise<void> {
  const dir = path.join(stateDir, 'edge');
  await edgeScript('down', dir, place, {});
  await run('docker', ['volume', 'rm', '-f', `${place.project}_data`], { timeout: TIMEOUT_MS });
  await removeAuthority(place);
  rmSync(dir, { recursive: true, force: true });
}

async function edgeScript(
  command: string,
  dir: string,
  { project, ports }: EdgePlace,
  env: Record<string, string>,
): Promise<void> {
  const numbers = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  await run(path.join(REPO_DIR, 'compose/edge.sh'), [command], {
    env: { ...process.env, ...numbers, EDGE_DIR: dir, EDGE_PROJECT: project, ...env },
    timeout: 5 * TIMEOUT_MS,
  });
}

async function removeAuthority({ authority }: EdgePlace): Promise<void> {
  await run('docker', ['rm', '-f', authority], { timeout: TIMEOUT_MS }).catch(() => undefined);
}

/** The root certificate of an authority, made anew with each of its starts: nothing can know it before. */
export async function rootOf(port: number): Promise<string> {
  for (let waited = 0; ; waited += 200) {
    const root = await get(`https://127.0.0.1:${port}/roots/0`, { rejectUnauthorized: false }).catch((error) => {
      if (waited > TIMEOUT_MS) throw error;
      return null;
    });
    if (root) return root.body;
    await sleep(200);
  }
}

/** A browser finds every `.localhost` here, this program does not. */
async function ask(url: string, ca: string): Promise<number> {
  const { hostname, pathname } = new URL(url);
  const options = { ca, servername: hostname, headers: { Host: hostname } };
  return (await get(`https://127.0.0.1${pathname}`, options)).status;
}

function get(url: string, options: https.RequestOptions): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = https.get(url, { ...options, agent: false, timeout: 30_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.on('timeout', () => call.destroy(new Error(`${url} does not answer`)));
    call.on('error', reject);
  });
}
