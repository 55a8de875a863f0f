/** Trouble that comes from outside: master, engine, store and clock are away, slow, older or wrong; a second daemon. */
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { DateTime } from 'luxon';
import { type DaemonOptions, runCommand, startDaemon } from '../../compose/demo/daemon.js';
import { settled } from '../support/daemon.js';
import { containersOf, docker } from '../support/engine.js';
import { type Door, openDoor, type Spoiled } from '../support/proxy.js';
import { planVariant, press } from '../support/shop.js';
import { masterSql } from '../support/sql.js';
import { DAEMON, MASTER, until } from '../support/world.js';
import { check, json } from './checker.js';
import { type Customer, each, refresh } from './customers.js';
import { dumpMaster, restoreMaster } from './master-copy.js';
import type { Fault } from './plan-file.js';
import type { Room } from './room.js';
import { live, placesOf, type Result, type StageResult } from './stages.js';

const DAY_S = 86_400;
const ZONE = 'Europe/Madrid';
const STORE = path.join(DAEMON.dataDir, 'bridge.sqlite');

interface Scene {
  room: Room;
  all: Customer[];
  master: Door;
  engine: Door;
  /** Seconds that the daemon's clock is ahead. */
  ahead: number;
}

type Outside = { name: string; play(scene: Scene): Promise<void> };

export const OUTSIDE: readonly Outside[] = [
  {
    name: 'master away for a day',
    async play(scene) {
      const { room, all, master } = scene;
      master.close();
      await moveClock(scene, scene.ahead + DAY_S);
      // What runs is looked after all the same.
      const [one] = all;
      if (!one) return;
      const [odoo] = (await containersOf(one.record)).filter(({ role }) => role === 'odoo');
      await odoo?.stop();
      await until('it to be started again', async () =>
        (await containersOf(one.record)).every(({ State }) => State === 'running'),
      );
      master.open();
      await settled(room.w);
    },
  },
  spoiledMaster('master slow', { lateMs: 1_500 }),
  spoiledMaster("master behind a proxy's page", { page: '<title>Please log in</title>', status: 200 }, 8_000),
  spoiledMaster("master behind a proxy's error", { page: '<title>Bad Gateway</title>', status: 502 }, 8_000),
  spoiledMaster('master cut off in the middle of a reply', { bytes: 300 }, 8_000),
  {
    name: 'master restored from a dump',
    async play(scene) {
      const { room, all } = scene;
      await settled(room.w);
      await dumpMaster(MASTER);
      // Known to the daemon alone afterwards: a gift of time, a pause and its end.
      await live(room, 'extend', all.slice(0, 2));
      for (const one of all.slice(0, 2)) one.grants--;
      await live(room, 'suspend', all.slice(2, 3));
      await live(room, 'resume', all.slice(2, 3));
      await settled(room.w);
      await restoreMaster(MASTER);
      await until('the refusal', () => says(room, 'master.refuses'));
      await sleep(5_000);
      await reconcileMaster(room);
      for (const one of all) await until(`${one.name} to be known`, () => refresh(room.w, one));
    },
  },
  {
    name: "master's generation lowered",
    async play({ room }) {
      await settled(room.w);
      await sqlOnMaster(room, 'UPDATE saas_bridge_generation SET number = number - 3');
      await until('the refusal', () => says(room, 'master.refuses'));
      await reconcileMaster(room);
    },
  },
  {
    name: "engine's socket cut",
    async play({ room, all, engine }) {
      engine.close();
      const done = live(room, 'restart', all.slice(0, 2));
      await sleep(12_000);
      engine.open();
      await done;
    },
  },
  {
    name: 'engine killed with all that runs',
    async play({ all, engine }) {
      engine.close();
      await each(all, async ({ record }) => {
        for (const { id } of await containersOf(record)) await docker.getContainer(id).kill();
      });
      await sleep(3_000);
      engine.open();
      for (const one of all) {
        await until(`${one.name} to run again`, async () =>
          (await containersOf(one.record)).every(({ State }) => State === 'running'),
        );
      }
    },
  },
  {
    name: 'engine restarted: every container stopped and started by it',
    async play({ room, all, engine }) {
      engine.close();
      await each(all, async ({ record }) => {
        for (const { id } of await containersOf(record)) await docker.getContainer(id).restart({ t: 10 });
      });
      engine.open();
      await settled(room.w);
    },
  },
  {
    name: 'engine out of space',
    async play({ room, all }) {
      const fault: Fault = {
        id: 'outside: engine full',
        kind: 'full',
        point: { at: 'call', system: 'engine', after: 0 },
      };
      room.arm([fault]);
      const done = live(room, 'rebuild', all.slice(0, 2));
      await until('it to be met', () => (room.met().get(fault.id) ?? 0) >= 3);
      room.release([fault.id]);
      await done;
    },
  },
  {
    name: 'store out of space',
    async play({ room, all }) {
      const fault: Fault = {
        id: 'outside: store full',
        kind: 'full',
        point: { at: 'call', system: 'store', after: 0 },
      };
      room.arm([fault]);
      const done = live(room, 'restart', all.slice(0, 2));
      await until('it to be met', () => (room.met().get(fault.id) ?? 0) >= 10);
      room.release([fault.id]);
      await done;
    },
  },
  {
    name: 'containers of a customer removed by hand',
    async play({ all }) {
      const [one] = all;
      if (!one) return;
      for (const container of await containersOf(one.record)) await container.remove();
      await until(`${one.name} to run again`, async () => {
        const now = await containersOf(one.record);
        return now.length === 2 && now.every(({ State }) => State === 'running');
      });
    },
  },
  {
    name: 'store deleted',
    async play({ room, all }) {
      await room.restart({}, () => {
        for (const file of storeFiles()) rmSync(path.join(DAEMON.dataDir, file));
      });
      await live(room, 'restart', all.slice(0, 2));
    },
  },
  {
    name: 'store truncated',
    play: (scene) => refusedStore(scene, () => truncateSync(STORE, Math.floor(statSync(STORE).size / 2))),
  },
  {
    name: 'store newer than the program',
    play: (scene) =>
      refusedStore(scene, () => {
        const db = new Database(STORE);
        db.pragma('user_version = 999');
        db.close();
      }),
  },
  {
    name: 'older store put back',
    async play({ room, all }) {
      const kept = path.join(DAEMON.dataDir, 'kept.sqlite');
      await room.restart({}, () => copyFileSync(STORE, kept));
      await live(room, 'extend', all.slice(0, 2));
      await live(room, 'suspend', all.slice(2, 3));
      await live(room, 'resume', all.slice(2, 3));
      await settled(room.w);
      await room.restart({}, () => {
        for (const file of storeFiles()) rmSync(path.join(DAEMON.dataDir, file));
        renameSync(kept, STORE);
      });
      await until('it to be set aside', () => says(room, 'store.set_aside'));
      await live(room, 'restart', all.slice(0, 3));
    },
  },
  {
    name: 'clock an hour back',
    play: (scene) => moveClock(scene, scene.ahead - 3_600),
  },
  {
    name: 'clock a day ahead, and right again',
    async play(scene) {
      const { ahead } = scene;
      await moveClock(scene, ahead + DAY_S);
      await moveClock(scene, ahead);
    },
  },
  { name: 'the night in which clocks go forward', play: (scene) => passTheNight(scene, '2027-03-28T01:59:50') },
  { name: 'the night in which clocks go back', play: (scene) => passTheNight(scene, '2027-10-31T02:59:50') },
  {
    name: 'a second daemon on the same folder',
    async play({ room }) {
      await refused(room, {});
    },
  },
  {
    name: 'a second daemon with a folder of its own in the same scope',
    async play({ room }) {
      await refused(room, { dataDir: `${DAEMON.dataDir}-second` });
    },
  },
  {
    name: 'a second daemon in a scope of its own on the same master',
    async play({ room }) {
      const second: DaemonOptions = {
        ...DAEMON,
        ...{ dataDir: `${DAEMON.dataDir}-second`, scope: `${DAEMON.scope}b`, httpPort: DAEMON.httpPort + 50 },
      };
      const daemon = await startDaemon(room.w.master, second);
      await until('it to be refused', () => daemon.lines().some(({ event }) => event === 'master.refuses'));
      await sleep(3_000);
      await daemon.stop();
      const filters = { label: [`saas.scope=${second.scope}`] };
      const made = await docker.listContainers({ all: true, filters });
      for (const { name } of (await docker.listVolumes({ filters })).Volumes.map(({ Name }) => ({ name: Name }))) {
        await docker.getVolume(name).remove();
      }
      rmSync(second.dataDir, { recursive: true, force: true });
      if (made.length > 0) throw new Error('it made containers');
    },
  },
  { name: 'a poisoned order among a hundred', play: poisonedOrder },
];

function spoiledMaster(name: string, how: Spoiled, forMs = 0): Outside {
  return {
    name,
    async play({ room, all, master }) {
      master.spoil(how);
      const done = live(room, 'restart', all.slice(0, 2));
      if (forMs > 0) {
        await sleep(forMs);
        master.spoil(null);
      }
      await done;
      master.spoil(null);
      await settled(room.w);
    },
  };
}

function says(room: Room, event: string): boolean {
  return room.w
    .daemon()
    .lines()
    .some((line) => line.event === event);
}

async function sqlOnMaster(room: Room, text: string): Promise<void> {
  await masterSql(placesOf(room).project, text);
}

async function reconcileMaster(room: Room): Promise<void> {
  await room.restart({}, async () => {
    const { code, output } = await room.w.run('reconcile-master', '--yes');
    process.stderr.write(output.replaceAll(/^/gm, '       '));
    if (code !== 0) throw new Error('reconcile-master did not agree');
  });
  await settled(room.w);
}

async function moveClock(scene: Scene, seconds: number): Promise<void> {
  scene.ahead = seconds;
  await scene.room.restart({ SAAS_CLOCK_OFFSET: `PT${Math.round(seconds)}S` });
  if (scene.master.isOpen()) await settled(scene.room.w);
}

/** From a moment before the change of the hour until after it. */
async function passTheNight(scene: Scene, local: string): Promise<void> {
  const { ahead } = scene;
  const moment = DateTime.fromISO(local, { zone: ZONE });
  await moveClock(scene, (moment.toMillis() - Date.now()) / 1000);
  await sleep(15_000);
  await settled(scene.room.w);
  await moveClock(scene, ahead);
}

function storeFiles(): string[] {
  return readdirSync(DAEMON.dataDir).filter((file) => file.startsWith('bridge.sqlite') && !file.includes('older'));
}

/** The daemon does not start on it, and says what to do; that is done. */
async function refusedStore({ room, all }: Scene, spoil: () => void): Promise<void> {
  await room.restart({}, async () => {
    // What is in the log beside it would make up for what is lost.
    new Database(STORE).close();
    spoil();
    const { code } = await room.w.run('run');
    if (code !== 1) throw new Error(`the daemon ended with ${code}`);
    for (const file of storeFiles())
      renameSync(path.join(DAEMON.dataDir, file), path.join(DAEMON.dataDir, `bad-${file}`));
  });
  for (const file of readdirSync(DAEMON.dataDir)) if (file.startsWith('bad-')) rmSync(path.join(DAEMON.dataDir, file));
  await live(room, 'restart', all.slice(0, 2));
}

async function refused(room: Room, changes: Partial<DaemonOptions>): Promise<void> {
  const options = { ...DAEMON, ...changes };
  const { code } = await runCommand(room.w.master, options, ['run']);
  if (options.dataDir !== DAEMON.dataDir && existsSync(options.dataDir)) rmSync(options.dataDir, { recursive: true });
  if (code !== 1) throw new Error(`the second daemon ended with ${code}`);
  const answer = await fetch(`${room.w.daemon().url}/health`);
  if (answer.status !== 200) throw new Error('the first daemon does not answer any more');
}

/** Orders that are confirmed in one call. */
const AT_ONCE = 10;

/** Ninety-nine renewals and one order that no row can be made of. */
async function poisonedOrder({ room, all }: Scene): Promise<void> {
  const { admin } = room.w;
  const product = await planVariant(admin, await planOf(room, all));
  const before = await paidDays(room, all);
  const wanted = new Map<number, number>();
  const orders = Array.from({ length: 100 }, (_unused, index) => {
    const { partner, record } = all[index % all.length] as Customer;
    if (index !== 50) wanted.set(record.id, (wanted.get(record.id) ?? 0) + 60);
    const line = { product_id: product, product_uom_qty: 1, saas_instance_id: record.id };
    return { partner_id: partner, order_line: [[0, 0, line]] };
  });
  const ids = (await admin.call('sale.order', 'create', [orders])) as number[];
  // More than a century at once must be a mistake.
  await sqlOnMaster(room, `UPDATE sale_order_line SET product_uom_qty = 1000000 WHERE order_id = ${ids[50]}`);
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    await press(admin, 'sale.order', 'action_confirm', ids.slice(at, at + AT_ONCE));
  }
  const context = { active_model: 'sale.order', active_ids: ids.filter((_id, index) => index !== 50) };
  const wizard = await admin.call('sale.advance.payment.inv', 'create', [{ advance_payment_method: 'delivered' }], {
    context,
  });
  await press(admin, 'sale.advance.payment.inv', 'create_invoices', [wizard], context);
  const rows = (await admin.call('sale.order', 'read', [ids, ['invoice_ids']])) as { invoice_ids: number[] }[];
  const moves = [...new Set(rows.flatMap(({ invoice_ids }) => invoice_ids))];
  for (const move of moves) await press(admin, 'account.move', 'action_post', [move]);
  const paying = { active_model: 'account.move', active_ids: moves };
  const payment = await admin.call('account.payment.register', 'create', [{ group_payment: false }], {
    context: paying,
  });
  await press(admin, 'account.payment.register', 'action_create_payments', [payment], paying);
  await until('all renewals to count', async () => {
    const now = await paidDays(room, all);
    return [...wanted].every(([id, days]) => Math.abs((now.get(id) ?? 0) - (before.get(id) ?? 0) - days) < 0.6);
  });
  await settled(room.w);
  // Several payments in one look are told in one mail.
  for (const one of all) one.tolerated = ['Gracias por renovar'];
  await sqlOnMaster(room, `UPDATE sale_order SET state = 'cancel' WHERE id = ${ids[50]}`);
}

/** The code of the plan that they all have. */
async function planOf(room: Room, all: readonly Customer[]): Promise<string> {
  const [row] = await json<{ code: string }>(
    placesOf(room),
    `SELECT p.saas_plan_code AS code FROM saas_instance i JOIN product_template p ON p.id = i.plan_id
      WHERE i.id = ${all[0]?.record.id}`,
  );
  if (!row) throw new Error('the first customer has no plan');
  return row.code;
}

async function paidDays(room: Room, all: readonly Customer[]): Promise<Map<number, number>> {
  const rows = await json<{ id: number; days: number }>(
    placesOf(room),
    `SELECT id, extract(epoch FROM paid_until) / 86400 AS days FROM saas_instance
      WHERE id IN (${all.map(({ record }) => record.id).join(',')})`,
  );
  return new Map(rows.map(({ id, days }) => [id, Number(days)]));
}

/** Plays all of them, one after the other, and looks after each. */
export async function playOutside(
  room: Room,
  all: Customer[],
  ahead: number,
  tell: (result: StageResult) => void,
  isWanted: (name: string) => boolean,
  isLate: () => boolean,
): Promise<void> {
  const socket = path.join('/tmp', `saas-faults-${process.pid}.sock`);
  const masterPort = MASTER.port + 7;
  const url = new URL(room.w.master.master_url);
  const master = await openDoor({ host: '127.0.0.1', port: masterPort }, { host: '127.0.0.1', port: Number(url.port) });
  const engine = await openDoor({ path: socket }, { path: '/var/run/docker.sock' });
  const scene: Scene = { room, all, master, engine, ahead };
  await room.restart({ SAAS_ODOO_URL: `http://127.0.0.1:${masterPort}`, SAAS_DOCKER_SOCKET: socket });
  for (const { name, play } of OUTSIDE.filter((one) => isWanted(one.name))) {
    if (isLate()) break;
    const startedAt = performance.now();
    const id = `outside: ${name}`;
    const result: Result = await play(scene)
      .then(() => settled(room.w))
      .then(
        () => ({ id, passed: true, note: '' }),
        (error: unknown) => ({ id, passed: false, note: String(error) }),
      );
    master.spoil(null);
    master.open();
    engine.open();
    const findings = await check(placesOf(room), all).catch((error: unknown) => [
      { kind: 'stuck' as const, what: `the checker failed: ${String(error)}` },
    ]);
    const seconds = (performance.now() - startedAt) / 1000;
    tell({ stage: id, results: [result], findings, seconds });
  }
  await room.restart({ SAAS_ODOO_URL: room.w.master.master_url, SAAS_DOCKER_SOCKET: '/var/run/docker.sock' });
  await master.end();
  await engine.end();
}
