/** A Chromium in a container, one for all tests, driven over the DevTools protocol. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium } from 'playwright-core';
import { script } from '../../compose/demo/master.js';
import { docker } from './engine.js';
import { MASTER } from './world.js';

const IMAGE = 'saas-bridge/browser';
const PORT = 18_222 + MASTER.port - 18_069;
const START_TIMEOUT_MS = 30_000;
const CONTAINER = `${MASTER.project}-browser`;
const AF_NETLINK = 16;
/** Chromium drops what it loads when a network of the host comes or goes, as they do here for every instance. */
const NO_NETLINK = JSON.stringify({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: ['socket'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: AF_NETLINK, op: 'SCMP_CMP_EQ' }] },
  ],
});

let started: Promise<Browser> | null = null;

/** The browser, started on first use. */
export function theBrowser(): Promise<Browser> {
  started ??= startBrowser();
  return started;
}

async function startBrowser(): Promise<Browser> {
  await script('images.sh', ['browser']);
  await removeBrowser();
  const container = await docker.createContainer({
    name: CONTAINER,
    Image: IMAGE,
    Cmd: [`--remote-debugging-port=${PORT}`, 'about:blank'],
    HostConfig: { NetworkMode: 'host', Init: true, AutoRemove: true, SecurityOpt: [`seccomp=${NO_NETLINK}`] },
  });
  await container.start();
  const end = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await chromium.connectOverCDP(`http://127.0.0.1:${PORT}`, { timeout: 5000 });
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(200);
    }
  }
}

async function removeBrowser(): Promise<void> {
  const left = await docker.listContainers({ all: true, filters: { name: [`^/${CONTAINER}$`] } });
  for (const { Id } of left) await docker.getContainer(Id).remove({ force: true });
}

/** A root hook: the browser goes when all tests are done. */
after(async function closeBrowser() {
  this.timeout(60_000);
  if (!started) return;
  await (await started).close().catch(() => undefined);
  await removeBrowser();
});
