/** A Chromium in a container, one for all tests, driven over the DevTools protocol. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium } from 'playwright-core';
import { script } from '../../compose/demo/master.js';
import { docker } from './engine.js';
import { MASTER } from './world.js';

const IMAGE = 'saas-bridge/browser';
const PORT = 18_222 + MASTER.port - 18_069;
const START_TIMEOUT_MS = 30_000;
const AF_NETLINK = 16;
/** Chromium drops what it loads when a network of the host comes or goes, as they do here for every instance. */
const NO_NETLINK = JSON.stringify({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: ['socket'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: AF_NETLINK, op: 'SCMP_CMP_EQ' }] },
  ],
});

/** What is different from a browser that anybody has. */
export interface Special {
  /** In the name of its container. */
  name: string;
  /** Of its own, beside the one for all. */
  portShift: number;
  arguments?: string[];
  /** Root certificates that it trusts, PEM. */
  ca?: string;
}

const COMMON: Special = { name: 'browser', portShift: 0 };
const started = new Map<string, Promise<Browser>>();
const folders: string[] = [];

/** The browser, started on first use. */
export function theBrowser(special: Special = COMMON): Promise<Browser> {
  const known = started.get(special.name) ?? startBrowser(special);
  started.set(special.name, known);
  return known;
}

async function startBrowser({ name, portShift, arguments: more = [], ca }: Special): Promise<Browser> {
  await script('images.sh', ['browser']);
  await removeBrowser(name);
  const port = PORT + portShift;
  const container = await docker.createContainer({
    name: containerOf(name),
    Image: IMAGE,
    Cmd: [`--remote-debugging-port=${port}`, ...more, 'about:blank'],
    HostConfig: {
      ...{ NetworkMode: 'host', Init: true, AutoRemove: true, SecurityOpt: [`seccomp=${NO_NETLINK}`] },
      Binds: ca === undefined ? [] : [`${policyWith(ca)}:/etc/chromium/policies/managed:ro`],
    },
  });
  await container.start();
  const end = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { timeout: 5000 });
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(200);
    }
  }
}

/** A folder with what an administrator says: whom to trust. */
function policyWith(ca: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'saas-chromium-'));
  folders.push(folder);
  chmodSync(folder, 0o755);
  const certificate = ca.replace(/-----[A-Z ]+-----|\s/g, '');
  writeFileSync(path.join(folder, 'trust.json'), JSON.stringify({ CACertificates: [certificate] }), { mode: 0o644 });
  return folder;
}

const containerOf = (name: string) => `${MASTER.project}-${name}`;

async function removeBrowser(name: string): Promise<void> {
  const left = await docker.listContainers({ all: true, filters: { name: [`^/${containerOf(name)}$`] } });
  for (const { Id } of left) await docker.getContainer(Id).remove({ force: true });
}

/** A root hook: the browsers go when all tests are done. */
after(async function closeBrowser() {
  this.timeout(60_000);
  for (const [name, browser] of started) {
    await (await browser).close().catch(() => undefined);
    await removeBrowser(name);
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
