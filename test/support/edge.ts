/** A real edge with a certificate authority of its own, on ports of this world; both go when all tests are done. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { rootOf } from '../../compose/demo/edge.js';
import { docker } from './engine.js';
import { MASTER } from './world.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SHIFT = MASTER.port - 18_069;
const PORTS = {
  EDGE_HTTPS_PORT: 18_443 + SHIFT,
  EDGE_HTTP_PORT: 18_444 + SHIFT,
  EDGE_ASK_PORT: 18_445 + SHIFT,
  ACME_PORT: 18_446 + SHIFT,
  ACME_ROOTS_PORT: 18_447 + SHIFT,
  ACME_DNS_PORT: 18_448 + SHIFT,
  ACME_DNS_API_PORT: 18_449 + SHIFT,
};
const ACME = `${MASTER.project}-acme`;
const PROJECT = `${MASTER.project}-edge`;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Asked {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** The name that the certificate is asked for, where it is another than that of the request. */
  servername?: string;
  plain?: boolean;
}

export interface Edge {
  /** The daemon's SAAS_EDGE_DIR. */
  dir: string;
  ports: typeof PORTS;
  container: string;
  /** Asks the edge as a browser asks a host; every name leads here. */
  ask(host: string, asked?: Asked): Promise<Answer>;
  /** Runs `compose/edge.sh`. */
  script(command: string, env?: Record<string, string>): Promise<{ stdout: string; stderr: string }>;
  /** Root certificates of the authority. */
  ca: string;
}

let started: Promise<Edge> | null = null;

export function theEdge(): Promise<Edge> {
  started ??= start();
  return started;
}

async function start(): Promise<Edge> {
  const dir = mkdtempSync(path.join(tmpdir(), 'saas-edge-'));
  const acmeDir = path.join(dir, 'authority');
  const run = promisify(execFile);
  await run(path.join(ROOT, 'compose/images.sh'), ['edge', 'acme']);
  await remove();
  const authority = await docker.createContainer({
    name: ACME,
    Image: 'saas-bridge/acme',
    Env: Object.entries(PORTS).map(([name, port]) => `${name}=${port}`),
    HostConfig: { NetworkMode: 'host', Init: true, AutoRemove: true, Binds: [`${acmeDir}:/acme`] },
  });
  await authority.start();
  const ca = await rootOf(PORTS.ACME_ROOTS_PORT);
  const env = {
    ...process.env,
    ...Object.fromEntries(Object.entries(PORTS).map(([name, port]) => [name, String(port)])),
    EDGE_DIR: dir,
    EDGE_PROJECT: PROJECT,
    EDGE_EMAIL: 'admin@example.test',
    EDGE_MAX_BODY: '2MB',
    EDGE_ACME_URL: `https://127.0.0.1:${PORTS.ACME_PORT}/dir`,
    EDGE_ACME_ROOT: path.join(acmeDir, 'ca.pem'),
  };
  const script = (command: string, more: Record<string, string> = {}) =>
    run(path.join(ROOT, 'compose/edge.sh'), [command], { env: { ...env, ...more } });
  await script('up');
  return { dir, ports: PORTS, container: `${PROJECT}-edge-1`, ca, script, ask: (host, asked) => ask(ca, host, asked) };
}

function ask(ca: string, host: string, asked: Asked = {}): Promise<Answer> {
  const { path: at = '/', method = 'GET', headers = {}, body, servername = host, plain = false } = asked;
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host: '127.0.0.1', path: at, method, agent: false as const, timeout: 30_000 },
      headers: { Host: host, ...headers },
    };
    const call = plain
      ? http.request({ ...options, port: PORTS.EDGE_HTTP_PORT })
      : https.request({ ...options, port: PORTS.EDGE_HTTPS_PORT, ca, servername });
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    call.on('timeout', () => call.destroy(new Error('no answer in time')));
    call.on('error', reject);
    call.end(body);
  });
}

/**
 * A hook for lego that writes the answer to a DNS challenge into the authority's own DNS server.
 * @returns its path, for EXEC_PATH.
 */
export function dnsHook(dir: string): string {
  const file = path.join(dir, 'dns-hook.sh');
  writeFileSync(
    file,
    `#!/bin/bash
set -eu
name=$2 value=\${3:-}
case $1 in
  present) path=/set-txt body="{\\"host\\":\\"$name\\",\\"value\\":\\"$value\\"}" ;;
  *) path=/clear-txt body="{\\"host\\":\\"$name\\"}" ;;
esac
exec 3<>/dev/tcp/127.0.0.1/${PORTS.ACME_DNS_API_PORT}
printf 'POST %s HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n%s' "$path" "\${#body}" "$body" >&3
head -n 1 <&3 | grep -q ' 200 '
`,
    { mode: 0o755 },
  );
  return file;
}

async function remove(): Promise<void> {
  const filters = { name: [`^/(${ACME}|${PROJECT}-edge-1)$`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker
      .getContainer(Id)
      .remove({ force: true })
      .catch(() => undefined);
  }
  await docker
    .getVolume(`${PROJECT}_data`)
    .remove()
    .catch(() => undefined);
}

/** A root hook. */
after(async function closeEdge() {
  this.timeout(60_000);
  if (!started) return;
  const { dir } = await started.catch(() => ({ dir: null }));
  await remove();
  if (dir !== null) rmSync(dir, { recursive: true, force: true });
});
