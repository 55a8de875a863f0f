/**
 * The daemon of the fault run: the real one, with the faults of a plan in its seams. `tsx victim.ts`, with the settings
 * of a daemon and FAULTS_FILE. `killed` is a SIGKILL of this process.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { loadConfig } from '../../src/config/config.js';
import { startDaemon } from '../../src/daemon.js';
import { RetryableError } from '../../src/lib/errors.js';
import type { Intercept } from '../../src/lib/intercept.js';
import { createLog } from '../../src/lib/logger.js';
import { cutError, deadlineError, statusError } from '../../src/odoo/network-errors.js';
import type { Seams } from '../../src/wiring.js';
import { type Fault, metOf, noteMet, planReader } from './plan-file.js';

const file = process.env.FAULTS_FILE ?? '';
const config = loadConfig(process.env);
const url = new URL(config.odoo.url);
const readPlan = planReader(file);
/** A fault that is no lasting one is met once, in whatever process. */
const met = new Set<string>(metOf(file).keys());

const LASTING: ReadonlySet<string> = new Set(['errors always', 'refused', 'full', 'no copy']);
/** What makes the engine do something. */
const CHANGES = /^(create|start|stop|remove|put|update|attach)/;
const STEP_HANG_MS = 5_000;

function armed(matches: (fault: Fault) => boolean): Fault | undefined {
  const { faults, released } = readPlan();
  return faults.find(
    (fault) => !released.includes(fault.id) && (LASTING.has(fault.kind) || !met.has(fault.id)) && matches(fault),
  );
}

function note({ id }: Fault): void {
  met.add(id);
  noteMet(file, id);
}

function die(fault: Fault): never {
  note(fault);
  process.kill(process.pid, 'SIGKILL');
  // The signal may come a moment later.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
}

/** In the step of which instance a call is made. */
interface Under {
  fault: Fault;
  /** It has done its harm. */
  done: boolean;
}
const steps = new AsyncLocalStorage<Under>();

const cut = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
const engineErrors: { readonly [kind: string]: () => Error } = {
  'errors once': cut,
  'errors always': () => Object.assign(new Error('(HTTP code 500) server error - broken'), { statusCode: 500 }),
  refused: () => Object.assign(new Error('(HTTP code 400) bad parameter - refused'), { statusCode: 400 }),
  full: () => Object.assign(new Error('(HTTP code 500) server error - no space left on device'), { statusCode: 500 }),
};
const masterErrors: { readonly [kind: string]: () => Error } = {
  'errors once': () => cutError(url),
  'errors always': () => statusError(url, 502, undefined, '<title>Bad Gateway</title>'),
};
const storeError = () => new Database.SqliteError('database or disk is full', 'SQLITE_FULL');

/** One call, with its fault. */
async function broken<T>(
  fault: Fault,
  call: () => Promise<T>,
  errors: { readonly [kind: string]: () => Error },
  hang: () => Promise<never>,
): Promise<T> {
  const { kind } = fault;
  if (kind === 'killed before') die(fault);
  if (kind === 'hangs') {
    note(fault);
    return hang();
  }
  const error = errors[kind];
  if (error) {
    note(fault);
    throw error();
  }
  await call();
  if (kind === 'killed after') die(fault);
  note(fault);
  throw cut();
}

const forEver = () => new Promise<never>(() => undefined);
const untilDeadline = async (): Promise<never> => {
  await sleep(config.odoo.timeoutMs);
  throw deadlineError(url, config.odoo.timeoutMs);
};

/** How many calls of its system were made since a fault was first looked for. */
const counts = new Map<string, number>();
/** A fault at whatever call comes after so many: for the random cycles. */
function atCall(system: 'engine' | 'master' | 'store'): Fault | undefined {
  return armed(({ id, kind, point }) => {
    if (point.at !== 'call' || point.system !== system || (system === 'engine' && kind === 'full')) return false;
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    return count > point.after;
  });
}

const isEngineFull = ({ kind, point }: Fault) => kind === 'full' && point.at === 'call' && point.system === 'engine';

const engine: Intercept = async (what, call) => {
  const full = CHANGES.test(what) && armed(isEngineFull);
  if (full) return broken(full, call, engineErrors, forEver);
  const any = atCall('engine');
  if (any) return broken(any, call, engineErrors, forEver);
  const under = steps.getStore();
  const fault = under?.fault;
  if (!fault || under.done || !CHANGES.test(what) || /^killed/.test(fault.kind)) return call();
  under.done = true;
  return broken(fault, call, engineErrors, forEver).catch((error: unknown) => {
    // A container that is there already: nothing was done of which the reply could be lost.
    if (!met.has(fault.id)) under.done = false;
    throw error;
  });
};

const step: Intercept = async (what, call) => {
  const [action, name] = what.split(' ');
  const fault = armed(({ kind, point, name: of }) => {
    if (of !== name) return false;
    // A kill, or an error, as an operation comes to its next progress is one of the store.
    if (point.at === 'progress') return point.step === action && (kind === 'hangs' || kind === 'reply lost');
    return point.at === 'step' && point.step === action;
  });
  if (!fault) return call();
  if (fault.kind === 'no copy') {
    note(fault);
    throw new RetryableError('export.failed', 'the dump fails for the fault run', 'Nothing to do.');
  }
  if (fault.kind === 'killed before') die(fault);
  const under: Under = { fault, done: false };
  const result = await steps.run(under, call);
  if (fault.kind === 'killed after') die(fault);
  if (under.done) return result;
  // Nothing of it goes by the engine: the step itself is what fails.
  note(fault);
  if (fault.kind === 'hangs') await sleep(STEP_HANG_MS);
  throw new RetryableError('instance.not_ready', `${what} fails for the fault run`, 'Nothing to do.');
};

interface Write {
  op: string;
  command_id?: number;
}

function hasWrite({ point, includes = [], key }: Fault, writes: Write[]): boolean {
  return writes.some((write) => {
    if (point.at === 'push') {
      if (write.op !== point.op) return false;
      const text = JSON.stringify(write);
      if (write.op === 'command') return commandOf(write.command_id)?.instance_key === key;
      return includes.every((part) => text.includes(part));
    }
    return false;
  });
}

function commandOf(id = 0): { command: string; instance_key: string } | undefined {
  const db = new Database(config.storePath, { readonly: true, timeout: 5_000 });
  try {
    return db.prepare('SELECT command, instance_key FROM commands WHERE id = ?').get(id) as never;
  } finally {
    db.close();
  }
}

const master: Intercept = async (what, call, carries = []) => {
  const any = atCall('master');
  if (any) return masterBroken(any, call);
  if (what === 'saas.bridge.push') {
    const fault = armed((one) => hasWrite(one, carries[0] as Write[]));
    return fault ? masterBroken(fault, call) : call();
  }
  if (what !== 'saas.bridge.poll') return call();
  const reply = await call();
  const { commands = [] } = reply as { commands?: { command: string; instance_key: string }[] };
  const fault = armed(
    ({ point, kind, key }) =>
      point.at === 'command' &&
      (kind === 'hangs' || kind === 'reply lost') &&
      commands.some(({ command, instance_key }) => command === point.command && instance_key === key),
  );
  if (!fault) return reply;
  note(fault);
  if (fault.kind === 'hangs') return untilDeadline();
  throw cutError(url);
};

function masterBroken<T>(fault: Fault, call: () => Promise<T>): Promise<T> {
  return broken(fault, call, masterErrors, untilDeadline).catch((error: unknown) => {
    throw (error as { code?: string }).code === 'ECONNRESET' ? cutError(url) : error;
  });
}

/** The statements by which a command is taken in, and an operation comes to its next progress. */
function store(sql: string, values: unknown[]): void {
  const any = /^\s*(INSERT|UPDATE|DELETE)/i.test(sql) && atCall('store');
  if (any) storeBroken(any);
  if (/INSERT INTO commands/.test(sql)) {
    const row = values[0] as { instanceKey: string; command: string };
    const fault = armed(
      ({ point, key }) => point.at === 'command' && point.command === row.command && key === row.instanceKey,
    );
    if (fault && fault.kind !== 'hangs' && fault.kind !== 'reply lost') storeBroken(fault);
  }
  if (/UPDATE operations SET progress/.test(sql)) {
    const [progress, key, kind] = values;
    const fault = armed(
      ({ point, key: of }) =>
        point.at === 'progress' && point.operation === kind && point.progress === progress && of === key,
    );
    if (fault && fault.kind !== 'hangs' && fault.kind !== 'reply lost') storeBroken(fault);
  }
}

function storeBroken(fault: Fault): void {
  if (fault.kind === 'killed before') die(fault);
  if (fault.kind === 'killed after') {
    // It is written, with all of its commit, when the stack is empty.
    met.add(fault.id);
    setImmediate(() => die(fault));
    return;
  }
  note(fault);
  throw storeError();
}

const seams: Seams = { engine, master, store, step };
const log = createLog(config.log);
const stopSignal = new Promise<string>((resolve) => {
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
});
try {
  const daemon = await startDaemon(config, log, '0.0.0-faults', seams);
  const reason = await Promise.race([stopSignal, daemon.ended]);
  if (reason instanceof Error) log.error('daemon.disowned', reason.message);
  await daemon.stop();
} catch (error) {
  log.error('victim.failed', String(error), { code: (error as { code?: unknown }).code });
  process.exitCode = 1;
}
await log.close();
process.exit();
