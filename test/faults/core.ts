/**
 * Random cycles of the daemon's core: the real store on a real file, the real intake, reconciler and delivery; engine and
 * master are in memory, and throw on what they do not know. It proves the order in which things are written down, thousands
 * of times; that Docker and Odoo do what is asked of them is proven on them. One seed gives one run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSender } from '../../src/delivery/sender.js';
import { specReader } from '../../src/facts/spec-of.js';
import { COMMAND_NAMES, type CommandName } from '../../src/instance/command.js';
import type { Runtime } from '../../src/instance/ports.js';
import type { Hold, Observed } from '../../src/instance/types.js';
import { createIngest } from '../../src/intake/ingest.js';
import { BridgeError, RetryableError } from '../../src/lib/errors.js';
import { createMetrics } from '../../src/lib/metrics.js';
import type { InstanceRecord, MasterPurchase } from '../../src/odoo/rows.js';
import type { PushOperation, PushResult } from '../../src/protocol/push.js';
import { createReconciler } from '../../src/reconcile/reconciler.js';
import { openStore, type Store } from '../../src/store/store.js';
import { batch, bought, CUSTOMER, keptLog, only, PLAN, POLICY, SELLER } from '../unit/reconcile/support.js';
import { placementAt, RELEASE } from '../unit/store/support.js';
import type { Finding, FindingKind } from './checker.js';

/** Numbers from 0 to 1 that a seed decides. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const DAY_MS = 86_400_000;
/** How often the store is gone before a daemon starts. */
const STORE_LOST = 0.05;
const FAULTS = ['killed before', 'killed after', 'errors', 'reply lost'] as const;
interface Armed {
  kind: (typeof FAULTS)[number];
  /** Of so many calls. */
  at: number;
  met: boolean;
}

/** The process is dead: nothing that it does has an effect any more. */
class Killed extends Error {}

interface OnEngine {
  name: string;
  /** Of the place that its network was made for. */
  slot: number | null;
  network: boolean;
  /** What was put in when they were filled. */
  volumes: string | null;
  db: boolean | null;
  odoo: boolean | null;
}

interface Asked {
  id: number;
  createdOn: Date;
  instanceKey: string;
  command: CommandName;
  state: 'pending' | 'done' | 'refused' | 'failed';
}

/** Outlives every death of the daemon. */
interface Outside {
  now: Date;
  purchases: MasterPurchase[];
  records: Map<string, InstanceRecord & { customerId: number }>;
  commands: Asked[];
  effects: Set<string>;
  notices: { key: string; notice: string; instanceKey: string }[];
  engine: Map<string, OnEngine>;
  /** What is in each instance's volumes since it was served first. */
  data: Map<string, string>;
  /** Who was deleted by somebody's word. */
  condemned: Set<string>;
  copies: Set<string>;
  files: Map<string, Date>;
}

export interface CoreResult {
  cycles: number;
  /** Faults that something came to. */
  met: number;
  killed: number;
  findings: Finding[];
}

/** @param cycles faults, each in the middle of whatever is going on. */
export async function coreCycles(cycles: number, seed: number): Promise<CoreResult> {
  const dice = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(dice() * list.length)] as T;
  const dir = mkdtempSync(path.join(tmpdir(), 'saas-faults-'));
  const findings: Finding[] = [];
  let killed = 0;
  let met = 0;
  let done = 0;
  try {
    // A fresh pair of shop and engine now and then: histories stay short enough to be understood.
    for (let round = 0; done < cycles; round++) {
      const outside = emptyWorld();
      const file = path.join(dir, `${round}.sqlite`);
      const found = (kind: FindingKind, what: string) =>
        findings.push({ kind, what: `seed ${seed}, round ${round}: ${what}` });
      for (let turn = 0; turn < 25 && done < cycles; turn++, done++) {
        const what = happen(outside, dice, pick);
        const isLost = dice() < STORE_LOST;
        if (isLost) for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
        if (process.env.CORE_DEBUG)
          console.error(round, turn, outside.now.toISOString(), what, isLost ? 'STORE LOST' : '');
        const fault: Armed = { kind: pick(FAULTS), met: false, at: 1 + Math.floor(dice() * 60) };
        killed += await live(outside, file, fault, dice, found);
        if (process.env.CORE_DEBUG)
          console.error(
            '   ',
            JSON.stringify(fault),
            [...outside.records.values()]
              .map((r) => `${r.key} ${r.phase} ${r.hold} ${r.paidUntil?.toISOString()}`)
              .join('; '),
          );
        if (fault.met) met++;
        check(outside, found);
        if (findings.length > 20) return { cycles: done, met, killed, findings };
      }
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return { cycles: done, met, killed, findings };
}

function emptyWorld(): Outside {
  return {
    now: new Date('2026-01-15T12:00:00Z'),
    purchases: [],
    records: new Map(),
    commands: [],
    effects: new Set(),
    notices: [],
    engine: new Map(),
    data: new Map(),
    condemned: new Set(),
    copies: new Set(),
    files: new Map(),
  };
}

/** Something that customers, staff or time do. */
function happen(outside: Outside, dice: () => number, pick: <T>(list: readonly T[]) => T): string {
  const { purchases, records, commands } = outside;
  outside.now = new Date(outside.now.getTime() + 60_000);
  const living = [...records.values()].filter(({ phase }) => phase !== 'deleted' && phase !== 'deleting');
  const chance = dice();
  if (living.length === 0 || chance < 0.2) {
    const id = purchases.length + 1;
    const customer = { ...CUSTOMER, id: 100 + id, name: `Acme ${id}`, email: `c${id}@example.com` };
    const key = `sol:${id}`;
    const part = { startsOn: outside.now, paidOn: outside.now };
    purchases.push(
      bought({ key, customer, customerId: customer.id, document: `S${id}`, createdOn: outside.now, ...part }),
    );
    return `buys ${key}`;
  }
  const one = pick(living);
  if (chance < 0.3) {
    outside.now = new Date(outside.now.getTime() + Math.floor(dice() * 20) * DAY_MS);
    return 'time passes';
  } else if (chance < 0.45) {
    const id = purchases.length + 1;
    purchases.push(
      bought({
        ...{ key: `sol:${id}`, customer: one.customer, customerId: one.customer.id, document: `S${id}` },
        ...{ createdOn: outside.now, startsOn: outside.now, paidOn: outside.now, instanceKey: one.key },
      }),
    );
    return `renews ${one.key}`;
  } else {
    // Backups are made beside the jobs.
    const useful = COMMAND_NAMES.filter((name) => !['change_plan', 'extend', 'back_up', 'restore'].includes(name));
    const command = pick(useful.filter((name) => dice() < 0.3 || !name.startsWith('delete')));
    commands.push({
      id: commands.length + 1,
      createdOn: outside.now,
      instanceKey: one.key,
      command: command ?? 'restart',
      state: 'pending',
    });
    if (command?.startsWith('delete')) outside.condemned.add(one.key);
    return `${command} ${one.key}`;
  }
}

/** Daemons live one after the other until there is nothing to do; the first of them has a fault. Gives how many died. */
async function live(
  outside: Outside,
  file: string,
  fault: Armed,
  dice: () => number,
  found: (kind: FindingKind, what: string) => void,
): Promise<number> {
  let deaths = 0;
  for (let life = 0; life < 4; life++) {
    let daemon: Daemon | null = null;
    try {
      daemon = born(outside, file, life === 0 ? fault : null, dice, found);
      await daemon.work();
      return deaths;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      deaths++;
    } finally {
      daemon?.end();
    }
  }
  found('stuck', 'it died without a fault');
  return deaths;
}

type Daemon = ReturnType<typeof born>;

function born(
  outside: Outside,
  file: string,
  fault: Armed | null,
  dice: () => number,
  found: (kind: FindingKind, what: string) => void,
) {
  let calls = 0;
  let isDead = false;
  const die = (): never => {
    isDead = true;
    throw new Killed('killed');
  };
  const lost = () => new RetryableError('docker.unreachable', 'broken', 'Nothing to do.');

  /** Everything that has an effect outside of the process. */
  async function seam<T>(call: () => T): Promise<T> {
    if (isDead) throw new Killed('killed');
    const isMet = fault !== null && !fault.met && ++calls === fault.at;
    if (isMet) fault.met = true;
    await Promise.resolve();
    if (isMet && fault.kind === 'killed before') return die();
    if (isMet && fault.kind === 'errors') throw lost();
    const result = call();
    if (isMet && fault.kind === 'killed after') return die();
    if (isMet && fault.kind === 'reply lost') throw lost();
    return result;
  }

  const clock = () => outside.now;
  const store = openStore(file, {
    clock,
    intercept(sql) {
      if (isDead) throw new Killed('killed');
      if (fault === null || !/^\s*(INSERT|UPDATE|DELETE)/i.test(sql) || ++calls !== fault.at) return;
      if (fault.kind.startsWith('killed')) {
        fault.met = true;
        die();
      }
      // Another fault is one of engine and master.
      calls--;
    },
  });
  store.db.pragma('synchronous = OFF');
  try {
    store.plans.save([PLAN]);
    store.jobs.releaseAll();
    store.outbox.releaseAll();
  } catch (error) {
    store.db.close();
    throw isDead ? new Killed('killed') : error;
  }
  const log = keptLog();
  const ingest = createIngest({ store, policy: POLICY, firstToExpire: false, clock, log });
  const runtime = memoryRuntime(outside, seam, dice, found);
  const reconciler = createReconciler({
    ...{ store, runtime, policy: POLICY, clock, log, release: RELEASE },
    front: { release: async () => undefined },
    exportLane: (work) => work(),
    backUp: () => seam(() => undefined),
    specOf: specReader((name, { httpPort }) => `https://${name}.example.com:${httpPort}`),
    mayAct: () => true,
    isOpen: () => false,
    readAfresh: () => seam(() => void ingest.page(pageOf(outside), false)),
    copies: {
      keptDays: 90,
      fileOf: ({ key }, format) => `/exports/${key}.${format}`,
      promise: async (name, until) => void outside.files.set(name, until),
      promisedUntil: async (name) => outside.files.get(name) ?? null,
    },
    metrics: createMetrics(only({})),
  });
  const sender = createSender({
    outbox: store.outbox,
    push: (operations) => seam(() => operations.map((operation) => take(outside, operation, found))),
    complete: async (operation) => operation,
    clock,
    log,
  });

  /** Polls, works and delivers until all is quiet; each failure is tried again. */
  async function work(): Promise<void> {
    let failing = '';
    for (let rounds = 0; rounds < 200; rounds++) {
      const isRead = await trying(() => seam(() => void ingest.page(pageOf(outside), true)));
      const jobs = store.jobs.claim(clock(), 'core', 3);
      for (const job of jobs) {
        try {
          const next = await reconciler.reconcile(job.instanceKey);
          store.jobs.complete(job.instanceKey, job.token, next);
        } catch (error) {
          if (isDead) throw error;
          failing = `${job.instanceKey}: ${String(error)}`;
          reconciler.fail(job, error);
          store.jobs.fail(job.instanceKey, job.token, clock());
        }
      }
      const entries = store.outbox.due(clock(), 10);
      const ready = entries.map((entry) => ({ entry, operation: entry.operation }));
      const error = ready.length > 0 ? await sender.send(ready) : null;
      if (isDead) throw new Killed('killed');
      if (error) for (const { id } of entries) store.outbox.retry(id, clock(), String(error));
      if (isRead && jobs.length === 0 && entries.length === 0) return;
      // Delays of a few minutes end, those of the calendar do not.
      if (jobs.length === 0) outside.now = new Date(outside.now.getTime() + 1_000);
    }
    found('stuck', `the queues do not become empty; ${failing}`);
  }

  async function trying(what: () => Promise<unknown>): Promise<boolean> {
    try {
      await what();
      return true;
    } catch (error) {
      if (isDead || !(error instanceof BridgeError)) throw isDead ? new Killed('killed') : error;
      return false;
    }
  }

  return {
    async work() {
      try {
        await work();
      } catch (error) {
        throw isDead ? new Killed('killed') : error;
      }
    },
    end: () => closeStore(store),
  };
}

/** As the kernel does it for a process that is gone: a transaction that was open is no more. */
function closeStore(store: Store): void {
  store.db.close();
}

function pageOf({ now, purchases, records, commands }: Outside) {
  return batch({
    serverTime: now,
    plans: [PLAN],
    purchases,
    instances: [...records.values()],
    commands: commands
      .filter(({ state }) => state === 'pending')
      .map(({ id, createdOn, instanceKey, command }) => ({
        ...{ id, createdOn, instanceKey, command },
        ...{ requestedBy: 'Ann', planId: null },
      })),
  });
}

/** The addon: one effect for one key. */
function take(
  outside: Outside,
  operation: PushOperation,
  found: (kind: FindingKind, what: string) => void,
): PushResult {
  const result = (status: PushResult['status']): PushResult => ({ key: operation.key, status, message: '' });
  if (operation.op === 'instance') {
    writeRecord(outside, operation, found);
    return result('done');
  }
  if (operation.op === 'command') {
    const command = outside.commands.find(({ id }) => id === operation.command_id);
    if (!command) return result('refused');
    if (command.state !== 'pending') return result('duplicate');
    command.state = operation.result;
    return result('done');
  }
  if (outside.effects.has(operation.key)) return result('duplicate');
  outside.effects.add(operation.key);
  if (operation.op === 'notice') {
    outside.notices.push({ key: operation.key, notice: operation.notice, instanceKey: operation.instance_key });
  }
  return result('done');
}

function writeRecord(
  outside: Outside,
  { instance_key: key, values }: Extract<PushOperation, { op: 'instance' }>,
  found: (kind: FindingKind, what: string) => void,
): void {
  const before = outside.records.get(key);
  const customer = before?.customer ?? outside.purchases.find((one) => one.customerId === values.customer_id)?.customer;
  if (!customer) throw new Error(`nobody has bought ${key}`);
  const at = (text: string | null | undefined, old: Date | null) =>
    text === undefined ? old : text === null ? null : new Date(`${text.replace(' ', 'T')}Z`);
  const record = {
    ...(before ?? {
      ...{ id: outside.records.size + 1, createdOn: outside.now, key, seller: SELLER, requested: true },
      ...{ hold: 'none' as Hold, startedAt: null, paidUntil: null, suspendedAt: null, storageOverSince: null },
      ...{ name: '', planId: PLAN.id, phase: 'draft' as const },
    }),
    customer,
    customerId: customer.id,
  };
  record.name = values.name ?? record.name;
  record.phase = values.state ?? record.phase;
  record.hold = values.hold ?? record.hold;
  record.startedAt = at(values.started_on, record.startedAt);
  record.paidUntil = at(values.paid_until, record.paidUntil);
  record.suspendedAt = at(values.suspended_on, record.suspendedAt);
  const isPaid = Number(record.paidUntil) > outside.now.getTime();
  if (record.phase === 'suspended' && record.hold === 'none' && isPaid) found('wrong_suspensions', key);
  for (const purchase of outside.purchases) {
    const fullKey = (values.purchase_keys ?? []).some((one) => one.split('.')[0] === purchase.key);
    if (fullKey && purchase.instanceKey === null) purchase.instanceKey = key;
  }
  outside.records.set(key, record);
}

/** The engine: each act sees what is there, and what it must not do is an error of the daemon. */
function memoryRuntime(
  outside: Outside,
  seam: <T>(call: () => T) => Promise<T>,
  dice: () => number,
  found: (kind: FindingKind, what: string) => void,
): Runtime {
  const { engine } = outside;
  const of = ({ key, name }: { key: string; name: string }): OnEngine => {
    const there = engine.get(key) ?? { name, slot: null, network: false, volumes: null, db: null, odoo: null };
    engine.set(key, there);
    return there;
  };
  const container = (role: string, running: boolean | null) =>
    running === null
      ? null
      : {
          ...{ id: role, name: role, running, specHash: 'h', exitCode: null },
          image: role === 'db' ? RELEASE.postgresImage : RELEASE.odooImage,
        };
  const must = (condition: boolean, what: string) => {
    if (!condition) throw new Error(`the engine was asked for what cannot be: ${what}`);
  };
  const tidy = (key: string) => {
    const one = engine.get(key);
    if (one && !one.network && one.volumes === null && one.db === null && one.odoo === null) engine.delete(key);
  };
  const copy = async (spec: { key: string; name: string }) => {
    return seam(() => {
      const there = of(spec);
      must(!there.db && !there.odoo, 'a copy of volumes on which something runs');
      must(there.volumes !== null, 'a copy of nothing');
      outside.copies.add(`${spec.key} ${there.volumes}`);
      return { bytes: 1 };
    });
  };
  return only<Runtime>({
    capacity: 1000,
    revision: 'r',
    placementAt,
    freePlaces: async () => {
      const taken = new Set([...engine.values()].map(({ slot }) => slot));
      return async ({ slot }) => !taken.has(slot);
    },
    hashesOf: () => ({ db: 'h', odoo: 'h' }),
    containersOf: ({ name }) => ({ odoo: name, db: `${name}_db` }),
    observe: ({ key }) =>
      seam((): Observed & { slot: number | null } => {
        const there = engine.get(key);
        return {
          network: there?.network ?? false,
          volumes: there !== undefined && there.volumes !== null,
          db: container('db', there?.db ?? null),
          odoo: container('odoo', there?.odoo ?? null),
          slot: there?.slot ?? null,
        };
      }),
    ensureNetwork: (spec) =>
      seam(() => {
        Object.assign(of(spec), { network: true, slot: spec.placement.slot });
      }),
    fill: (spec, _source, { mustExist }) =>
      seam(() => {
        const there = of(spec);
        must(!mustExist || there.volumes !== null, `data of ${spec.key} is missing`);
        there.volumes ??= `data ${Math.floor(dice() * 1e9)}`;
      }),
    startDb: (spec) => seam(() => start(spec, 'db')),
    startOdoo: (spec) => seam(() => start(spec, 'odoo')),
    startBoth: (spec) =>
      seam(() => {
        start(spec, 'db');
        start(spec, 'odoo');
      }),
    stopOdoo: (spec) => seam(() => stop(spec, 'odoo')),
    stopDb: (spec) => seam(() => stop(spec, 'db')),
    awaitReady: (spec) =>
      seam(() => {
        const there = of(spec);
        must(there.db === true && there.odoo === true, 'a login page of what does not run');
        if (!outside.data.has(spec.key)) outside.data.set(spec.key, there.volumes ?? '');
      }),
    applyLimits: () => seam(() => undefined),
    applySettings: (spec) => seam(() => must(of(spec).db === true, 'settings of a database that does not run')),
    setSecrets: () => seam(() => undefined),
    exportData: copy,
    copyVolumes: copy,
    removeContainers: (spec) =>
      seam(() => {
        Object.assign(of(spec), { db: null, odoo: null });
        tidy(spec.key);
      }),
    removeVolumes: (spec) =>
      seam(() => {
        const there = of(spec);
        must(there.db === null && there.odoo === null, 'volumes of containers removed');
        const isDue =
          outside.condemned.has(spec.key) || Number(outside.records.get(spec.key)?.paidUntil) < outside.now.getTime();
        if (!isDue) found('wrong_deletions', `${spec.key} has paid and loses its data`);
        there.volumes = null;
        tidy(spec.key);
      }),
    removeNetwork: (spec) =>
      seam(() => {
        of(spec).network = false;
        tidy(spec.key);
      }),
  });

  function start(spec: { key: string; name: string }, role: 'db' | 'odoo'): void {
    const there = of(spec);
    must(there.network && there.volumes !== null, `${role} without network and volumes`);
    there[role] = true;
  }
  function stop(spec: { key: string; name: string }, role: 'db' | 'odoo'): void {
    const there = of(spec);
    if (there[role]) there[role] = false;
    tidy(spec.key);
  }
}

/** All is quiet: what is there is what must be. */
function check(outside: Outside, found: (kind: FindingKind, what: string) => void): void {
  const { records, engine, purchases, commands, notices, data } = outside;
  for (const customer of new Set(purchases.map(({ customerId }) => customerId))) {
    const theirs = [...records.values()].filter((one) => one.customerId === customer && one.phase !== 'deleted');
    if (theirs.length > 1) found('duplicates', `customer ${customer} has ${theirs.map(({ key }) => key)}`);
    if (![...records.values()].some((one) => one.customerId === customer))
      found('lost', `customer ${customer} has nothing`);
  }
  for (const [key, there] of engine) {
    const record = records.get(key);
    if (!record || record.phase === 'deleted')
      found('orphans', `${key} is ${record?.phase ?? 'unknown'} and has ${JSON.stringify(there)}`);
  }
  for (const { key, phase, hold, paidUntil } of records.values()) {
    const there = engine.get(key);
    const runs = there?.db === true && there.odoo === true;
    const isPaid = Number(paidUntil) > outside.now.getTime();
    if (phase === 'deleted' || phase === 'deleting') {
      if (!outside.condemned.has(key) && isPaid) found('wrong_deletions', key);
      if (phase === 'deleting') found('stuck', `${key} is still deleting`);
      continue;
    }
    if (hold === 'none' && isPaid && !runs)
      found('stuck', `${key} is paid and does not run: ${phase} ${JSON.stringify(there)}`);
    if (phase !== 'running' && (there?.db || there?.odoo)) found('stuck', `${key} is ${phase} and something runs`);
    if (data.has(key) && there?.volumes !== data.get(key)) found('lost', `the data of ${key}`);
  }
  for (const { id, command, state } of commands) if (state === 'pending') found('stuck', `command ${id} ${command}`);
  for (const once of ['welcome', 'deleted']) {
    const keys = notices.filter(({ notice }) => notice === once).map(({ instanceKey }) => instanceKey);
    for (const key of new Set(keys.filter((one, index) => keys.indexOf(one) !== index))) {
      found('double_notices', `${once} of ${key}`);
    }
  }
  for (const { key, startedAt, phase } of records.values()) {
    const has = (notice: string) => notices.some((one) => one.notice === notice && one.instanceKey === key);
    if (startedAt !== null && !has('welcome')) found('lost', `${key} was never welcomed`);
    if (startedAt !== null && phase === 'deleted' && !has('deleted'))
      found('lost', `${key} was not told of its deletion`);
  }
}
