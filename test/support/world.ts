/**
 * The real parts that integration and end-to-end tests share: one engine, one master with fresh data, one set of
 * templates. Made when the first test asks, removed when all are done.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DaemonOptions,
  type LogLine,
  type RunningDaemon,
  runCommand,
  startDaemon,
  stopLeftover,
} from '../../compose/demo/daemon.js';
import { removeInstances } from '../../compose/demo/fleet.js';
import { type MasterOptions, type MasterState, masterDown, masterUp, REPO_DIR } from '../../compose/demo/master.js';
import { adminOf } from '../../compose/demo/records.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { masterSql } from './sql.js';

/** Several people, or several runs, side by side: each number is a world of its own. */
const NUMBER = Number(process.env.TEST_WORLD ?? 0);
const SUFFIX = NUMBER === 0 ? '' : String(NUMBER);
const STATE_DIR = path.join(REPO_DIR, '.state', `test${SUFFIX}`);

export const MASTER: MasterOptions = {
  project: `saas-test${SUFFIX}`,
  port: 18_069 + 100 * NUMBER,
  mailPort: 18_080 + 100 * NUMBER,
  smtpPort: 18_025 + 100 * NUMBER,
  stateDir: STATE_DIR,
};

/**
 * A pause that nobody looks at proves nothing: the daemon of the tests looks more often than one at work. It makes backups
 * where a test asks for them: not in each of the nights that it travels through.
 */
const OFTEN = { SAAS_POLL_INTERVAL: '0.5', SAAS_MONITOR_INTERVAL: '5', SAAS_BACKUP_HOURS: 'none' };

export const DAEMON = {
  dataDir: path.join(STATE_DIR, 'daemon'),
  scope: `e2e${SUFFIX}`,
  httpPort: 18_068 + 100 * NUMBER,
  portRange: `${24_000 + 1000 * NUMBER}-${24_999 + 1000 * NUMBER}`,
  subnetPool: `10.209.${16 * NUMBER}.0/20`,
  settings: OFTEN,
} satisfies DaemonOptions;

export interface World {
  master: MasterState;
  /** The master's administrator over XML-RPC. */
  admin: OdooClient;
  /** The daemon all tests share; the same one after `restart`. */
  daemon(): RunningDaemon;
  /**
   * Stops the daemon (SIGKILL to simulate a crash), runs `meanwhile`, starts it with other settings: these, and for the
   * rest the usual ones.
   */
  restart(options?: {
    signal?: NodeJS.Signals;
    settings?: Record<string, string>;
    /** Another program than the built daemon: what node is to run. */
    program?: string[];
    meanwhile?: () => Promise<void> | void;
  }): Promise<RunningDaemon>;
  /** A command of the command line, with the daemon's settings. */
  run(...args: string[]): Promise<{ code: number | null; output: string }>;
}

let made: Promise<World & { startOver(): Promise<void> }> | null = null;

/**
 * The world, made on first use (half a minute; the very first time on a machine some minutes). Every further call, one
 * for each file, starts over: no instance, an empty store. Instances of others would cost a journey through time minutes.
 */
export async function world(): Promise<World> {
  const first = made === null;
  made ??= makeWorld();
  const w = await made;
  if (!first) await w.startOver();
  return w;
}

async function makeWorld(): Promise<World & { startOver(): Promise<void> }> {
  await clean();
  const master = await masterUp(MASTER, true);
  let options: DaemonOptions = DAEMON;
  const built = await runCommand(master, options, ['template', 'build', '--json']);
  if (built.code !== 0) throw new Error('the template could not be built; the reason is above');
  let daemon = await startDaemon(master, options);
  const admin = adminOf(master);
  return {
    master,
    admin,
    daemon: () => daemon,
    async restart({ signal = 'SIGTERM', settings = {}, program, meanwhile } = {}) {
      await daemon.stop(signal);
      await meanwhile?.();
      options = { ...DAEMON, settings: { ...OFTEN, ...settings }, ...(program ? { program } : {}) };
      daemon = await startDaemon(master, options);
      return daemon;
    },
    run: (...args) => runCommand(master, options, args),
    async startOver() {
      await daemon.stop('SIGKILL');
      await clean();
      await forgetSales();
      await forgetMails(master.mail_url);
      options = DAEMON;
      daemon = await startDaemon(master, options);
    },
  };
}

/** All that was sold is cancelled and all instances are deleted, behind the addon's back. */
async function forgetSales(): Promise<void> {
  await masterSql(
    MASTER.project,
    `
    UPDATE sale_order SET state = 'cancel' WHERE id IN (
      SELECT l.order_id FROM sale_order_line l JOIN product_product p ON p.id = l.product_id
        JOIN product_template t ON t.id = p.product_tmpl_id WHERE t.saas_plan);
    UPDATE saas_command SET state = 'failed' WHERE state = 'pending';
    UPDATE saas_bridge_heartbeat SET daemon = NULL;
    UPDATE saas_instance SET state = 'deleted', hold = 'deleted', odoo_container = NULL, db_container = NULL;
    `,
  );
}

/** Two files may sell to people of the same address. */
async function forgetMails(mailUrl: string): Promise<void> {
  const request = { method: 'DELETE', signal: AbortSignal.timeout(10_000) };
  const { ok, status } = await fetch(new URL('/api/email/all', mailUrl), request);
  if (!ok) throw new Error(`the mail catcher does not forget its mails: ${status}`);
}

/** Ends what the tests started and removes what they made; templates and images stay for the next run. */
export async function endWorld(): Promise<void> {
  if (!made) return;
  const { daemon, admin } = await made;
  await daemon().stop();
  await admin.close();
  await clean();
  await masterDown(MASTER);
}

// A root hook, where mocha runs; the fault run ends its world itself.
if (typeof after === 'function') {
  after(function endOfAll() {
    this.timeout(120_000);
    return endWorld();
  });
}

async function clean(): Promise<void> {
  await stopLeftover(DAEMON.dataDir);
  await removeInstances(DAEMON.scope, DAEMON.dataDir);
  rmSync(DAEMON.dataDir, { recursive: true, force: true });
}

/** Nothing takes so long, on a machine that has ten times as much to do as it can. */
const PATIENCE_MS = 180_000;

/** Asks again and again until there is an answer. What was seen last is in the error. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`waited ${timeoutMs / 1000} s for ${what}; last seen: ${String(last)}`);
}

/** The first line of the daemon's log with this event (and instance). */
export function logged(daemon: RunningDaemon, event: string, instance?: string): LogLine | undefined {
  return daemon.lines().find((line) => line.event === event && (!instance || line.instance === instance));
}
