/** The life of the customers, a stage at a time, each with its faults; what is there is checked after each. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { DateTime } from 'luxon';
import type { CommandName } from '../../src/instance/command.js';
import { settled } from '../support/daemon.js';
import { confirmDialog, pressButton } from '../support/staff.js';
import { DAEMON, MASTER, until } from '../support/world.js';
import type { Case, Stage } from './cases.js';
import { check, type Finding, json, type Places, typeMark } from './checker.js';
import { buy, type Customer, each, largerPlan, refresh } from './customers.js';
import type { Fault } from './plan-file.js';
import type { Room } from './room.js';

export interface Result {
  id: string;
  /** It was met, and what follows from it was done. */
  passed: boolean;
  note: string;
}

export interface StageResult {
  stage: string;
  results: Result[];
  findings: Finding[];
  seconds: number;
  /** Who did not come to its end: what follows is not asked of them. */
  left?: Customer[];
}

export const MANAGER = 'gestor@nubefacil.example';
const STAGE_MS = 420_000;
/** An error that lasts has lasted when it was met so often. */
const LASTS = 3;
const SUBJECT = {
  welcome: 'Su Odoo está listo',
  suspended: 'Su Odoo está en pausa',
  reactivated: 'Su Odoo vuelve a estar activo',
  planChanged: 'Su plan ha cambiado',
  deleted: 'Hemos eliminado su Odoo',
};
const REFUSAL = 'refused in retry';

export function placesOf(room: Room): Places {
  const { scope, dataDir } = DAEMON;
  return { project: MASTER.project, mailUrl: room.w.master.mail_url, manager: MANAGER, scope, dataDir };
}

interface Life {
  /** Makes it happen. */
  act(room: Room, all: Customer[]): Promise<void>;
  /** It has happened for this customer. */
  done(room: Room, customer: Customer): Promise<boolean>;
  /** What is expected from then on. */
  after?(customer: Customer): void;
  /** It happens to everybody at once, whoever is named. */
  isForAll?: true;
}

const expectMail = (customer: Customer, subject: string) => {
  if (customer.email) customer.mails[subject] = (customer.mails[subject] ?? 0) + 1;
};

async function isIn(room: Room, customer: Customer, state: string): Promise<boolean> {
  return (await refresh(room.w, customer))?.state === state;
}

/** The newest command of the instance was this one, and it is done. */
async function isAnswered(room: Room, { record }: Customer, command: CommandName): Promise<boolean> {
  const [row] = await json<{ command: string; state: string }>(
    placesOf(room),
    `SELECT command, state FROM saas_command WHERE instance_id = ${record.id} ORDER BY id DESC LIMIT 1`,
  );
  return row?.command === command && row.state === 'done';
}

function command(
  name: CommandName,
  answers?: (customer: Customer, room: Room) => Promise<{ [field: string]: unknown }>,
  after: Life['after'] = undefined,
): Life {
  return {
    act: (room, all) =>
      each(all, async (customer) => {
        const button = `action_${name}`;
        if (!answers) await pressButton(room.manager, customer.record, button);
        else await confirmDialog(room.manager, customer.record, button, await answers(customer, room));
      }),
    done: (room, customer) => isAnswered(room, customer, name),
    ...(after ? { after } : {}),
  };
}

const deleted = (copy: 'zip' | 'tgz' | 'none') => (customer: Customer) => {
  customer.state = 'deleted';
  customer.copy = copy;
  expectMail(customer, SUBJECT.deleted);
};
const byName = async ({ record: { name } }: Customer) => ({ confirm_name: name, reason: 'fault run' });

const LIVES: { readonly [Name in Exclude<Stage, 'night'>]: Life } = {
  buy: {
    act: (room, all) => each(all, (customer) => buy(room.w, customer)),
    async done(room, customer) {
      if (!(await isIn(room, customer, 'running'))) return false;
      await typeMark(placesOf(room), customer.record, customer.mark);
      return true;
    },
    after: (customer) => expectMail(customer, SUBJECT.welcome),
  },
  stop: command('stop', undefined, (customer) => {
    customer.state = 'stopped';
  }),
  start: command('start', undefined, (customer) => {
    customer.state = 'running';
  }),
  restart: command('restart'),
  rebuild: command('rebuild'),
  'back up': command('back_up'),
  restore: command('restore', async () => ({ reason: 'fault run' })),
  suspend: command(
    'suspend',
    async () => ({ reason: 'fault run' }),
    (customer) => {
      customer.state = 'suspended';
      expectMail(customer, SUBJECT.suspended);
    },
  ),
  resume: command('resume', undefined, (customer) => {
    customer.state = 'running';
    expectMail(customer, SUBJECT.reactivated);
  }),
  extend: command(
    'extend',
    async () => ({ days: 10, reason: 'fault run' }),
    (customer) => {
      customer.grants++;
    },
  ),
  'change plan': command(
    'change_plan',
    async (_customer, room) => ({ plan_id: await largerPlan(room.w) }),
    (customer) => expectMail(customer, SUBJECT.planChanged),
  ),
  // The engine refuses to start it; when it does no more, a person says that it is to be tried again.
  retry: {
    async act(room, all) {
      await each(all, ({ record }) => pressButton(room.manager, record, 'action_stop'));
      for (const one of all) await until(`${one.name} to stop`, () => isIn(room, one, 'stopped'));
      room.arm(
        all.map(({ slug }) => ({ ...refusalOf(slug), kind: 'refused', point: { at: 'step', step: 'startDb' } })),
      );
      await each(all, ({ record }) => pressButton(room.manager, record, 'action_start'));
      for (const one of all) await until(`${one.name} to fail`, () => isIn(room, one, 'error'));
      room.release(all.map(({ slug }) => refusalOf(slug).id));
      await each(all, ({ record }) => pressButton(room.manager, record, 'action_retry'));
    },
    done: async (room, customer) =>
      (await isAnswered(room, customer, 'retry')) && (await isIn(room, customer, 'running')),
  },
  address: {
    isForAll: true,
    act: (room) => room.restart({ SAAS_INSTANCE_URL: 'http://127.0.0.1:{port}' }),
    done: async (room, customer) => ((await refresh(room.w, customer))?.url ?? '').startsWith('http://127.0.0.1:'),
  },
  key: {
    isForAll: true,
    act: (room) =>
      room.restart({}, async () => {
        rmSync(path.join(DAEMON.dataDir, 'secret.key'));
        const { code } = await room.w.run('take-over', '--new-key');
        if (code !== 0) throw new Error('the lost key could not be replaced');
      }),
    done: (room, customer) => isIn(room, customer, 'running'),
  },
  delete: command('delete', byName, deleted('zip')),
  'delete as it is': command('delete', byName, deleted('tgz')),
  'delete without copy': {
    // For what is down already.
    async act(room, all) {
      await each(all, ({ record }) => pressButton(room.manager, record, 'action_stop'));
      for (const one of all) await until(`${one.name} to stop`, () => isIn(room, one, 'stopped'));
      await command('delete_without_copy', byName).act(room, all);
    },
    done: (room, customer) => isAnswered(room, customer, 'delete_without_copy'),
    after: deleted('none'),
  },
};

const refusalOf = (slug: string) => ({ id: `${REFUSAL} ${slug}`, name: slug });

/** The customers live through a stage without a fault of its own. */
export async function live(room: Room, stage: Exclude<Stage, 'night'>, all: readonly Customer[]): Promise<void> {
  const life = LIVES[stage];
  await life.act(room, [...all]);
  for (const one of all) await until(`${one.name} after ${stage}`, () => life.done(room, one), STAGE_MS);
  for (const one of all) life.after?.(one);
}

/** The daemon dies of it: work of others is cut off too, and may be beyond the point of its fault when it goes on. */
const isKill = ({ kind }: Case) => kind === 'killed before' || kind === 'killed after';
/** One of so many customers has the kills. */
const KILLED_PART = 3;

/**
 * Gives each fault to a customer; no customer has two faults at one point. Kills are for some of the customers, who have
 * nothing else.
 */
export function assign(cases: readonly Case[], customers: readonly Customer[]): Map<Case, Customer> {
  const given = new Map<Case, Customer>();
  const points = [...new Set(cases.map(({ id }) => id.replace(/:.*/, '')))];
  points.forEach((point, number) => {
    const ofPoint = cases.filter(({ id }) => id.startsWith(`${point}:`));
    const able = (customer: Customer) =>
      /^write todo/.test(point) ? customer.email === '' : /^write notice/.test(point) ? customer.email !== '' : true;
    const give = (some: readonly Case[], to: readonly Customer[]) =>
      some.slice(0, to.length).forEach((one, index) => {
        given.set(one, to[(index + number * some.length) % to.length] as Customer);
      });
    const kills = ofPoint.filter(isKill);
    give(
      kills,
      customers.filter((one, index) => index % KILLED_PART === 0 && able(one)),
    );
    give(
      ofPoint.filter((one) => !isKill(one)),
      customers.filter((one, index) => index % KILLED_PART !== 0 && able(one)),
    );
  });
  return given;
}

/** Whoever has a kill comes alone; all others together. */
function roundsOf(all: readonly Customer[], given: ReadonlyMap<Case, Customer>): Customer[][] {
  const killed = new Set([...given].flatMap(([one, customer]) => (isKill(one) ? [customer] : [])));
  const others = all.filter((customer) => !killed.has(customer));
  return [...[...killed].map((customer) => [customer]), ...(others.length > 0 ? [others] : [])];
}

function faultOf({ id, point, kind }: Case, { slug, name, email, record }: Customer): Fault {
  const includes: { [op: string]: string[] } = {
    notice: [`"to":"${email}"`],
    todo: [`"instance":"${slug}"`],
    log: [`"instance_key":"${record.key}"`],
    instance: [`"instance_key":"${record.key}"`],
  };
  return {
    id,
    kind,
    point,
    name: slug,
    ...(record.key ? { key: record.key } : {}),
    ...(point.at === 'push' ? { includes: includes[point.op] ?? [name] } : {}),
  };
}

/** Lives through a stage with these faults. What did not come to its end in time is stuck. */
export async function liveThrough(
  room: Room,
  stage: Exclude<Stage, 'night'>,
  cases: readonly Case[],
  all: readonly Customer[],
  everyone: readonly Customer[] = all,
): Promise<StageResult> {
  const startedAt = performance.now();
  const life = LIVES[stage];
  const given = assign(cases, all);
  if (stage === 'delete as it is') armFailingCopies(room, all);
  const left = new Set<Customer>();
  const notes = new Map<Customer, string>();
  for (const some of life.isForAll ? [all] : roundsOf(all, given)) {
    const faults = [...given].flatMap(([one, customer]) => (some.includes(customer) ? faultOf(one, customer) : []));
    room.arm(faults);
    const stopReleasing = releaseInTime(room, faults);
    await life.act(room, [...some]);
    const result = await untilDone(room, life, some, faults).finally(stopReleasing);
    for (const one of result.left) left.add(one);
    for (const [one, note] of result.notes) notes.set(one, note);
  }
  for (const customer of all) if (!left.has(customer)) life.after?.(customer);
  const isQuiet = await settled(room.w).then(
    () => true,
    () => false,
  );
  const findings = await check(placesOf(room), everyone);
  if (!isQuiet) findings.push({ kind: 'stuck', what: `the queues did not become empty after the stage ${stage}` });
  const met = room.met();
  const results = [...given].map(([{ id }, customer]): Result => {
    const wasMet = met.has(id);
    const note = !wasMet ? 'the fault was never met' : left.has(customer) ? (notes.get(customer) ?? 'not done') : '';
    return { id, passed: note === '', note };
  });
  for (const { id } of cases.filter((one) => !given.has(one))) {
    results.push({ id, passed: false, note: 'no customer is left for it' });
  }
  return { stage, results, findings, seconds: (performance.now() - startedAt) / 1000, left: [...left] };
}

/** Every copy fails until it is made in another way. */
function armFailingCopies(room: Room, all: readonly Customer[]): void {
  room.arm(
    all.map(({ slug }) => ({
      id: `copy of ${slug} fails`,
      kind: 'no copy' as const,
      point: { at: 'step' as const, step: 'exportData' as const },
      name: slug,
    })),
  );
}

/** What lasts is over when it has lasted: the waits between the tries grow. */
function releaseInTime(room: Room, faults: readonly Fault[]): () => void {
  const lasting = new Set(faults.filter(({ kind }) => kind === 'errors always').map(({ id }) => id));
  const timer = setInterval(() => {
    const met = room.met();
    const over = [...lasting].filter((id) => (met.get(id) ?? 0) >= LASTS);
    for (const id of over) lasting.delete(id);
    if (over.length > 0) room.release(over);
  }, 200);
  return () => clearInterval(timer);
}

async function untilDone(room: Room, life: Life, all: readonly Customer[], faults: readonly Fault[]) {
  const end = Date.now() + STAGE_MS;
  const left = new Set(all);
  const notes = new Map<Customer, string>();
  for (;;) {
    const met = room.met();
    for (const customer of left) {
      const isDone = await life.done(room, customer).catch((error: unknown) => {
        notes.set(customer, String(error).slice(0, 300));
        return false;
      });
      if (isDone) left.delete(customer);
      else notes.set(customer, `it is ${customer.record.state}: ${customer.record.error_message || 'no error'}`);
    }
    const isMet = faults.every(({ id, kind }) => (met.get(id) ?? 0) >= (kind === 'errors always' ? LASTS : 1));
    if (left.size === 0 && isMet) break;
    if (Date.now() > end) break;
    // A fault whose moment has gone will not be met.
    if (left.size === 0 && Date.now() > end - STAGE_MS * 0.75) break;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  room.release(faults.map(({ id }) => id));
  return { left, notes };
}

/** Six nights with news, each told to the managers in spite of a fault. */
export async function liveThroughNights(
  room: Room,
  cases: readonly Case[],
  all: readonly Customer[],
  everyone: readonly Customer[],
): Promise<StageResult> {
  const startedAt = performance.now();
  const results: Result[] = [];
  for (const [index, one] of cases.entries()) {
    const customer = all[index % all.length];
    if (!customer) break;
    const now = DateTime.now().setZone('Europe/Madrid');
    const night = now.plus({ days: index + 1 }).set({ hour: 3, minute: 0 });
    const day = night.toFormat('yyyy-MM-dd');
    for (const stage of ['suspend', 'resume'] as const) {
      await LIVES[stage].act(room, [customer]);
      await until(`${customer.name} after ${stage}`, () => LIVES[stage].done(room, customer));
      LIVES[stage].after?.(customer);
    }
    await settled(room.w);
    const fault: Fault = { id: one.id, kind: one.kind, point: one.point, includes: [`summary:${day}`] };
    room.arm([fault]);
    await room.restart({ SAAS_CLOCK_OFFSET: `PT${Math.round((night.toMillis() - Date.now()) / 1000)}S` });
    const isTold = async () => {
      if ((room.met().get(one.id) ?? 0) >= LASTS) room.release([one.id]);
      const query = `SELECT id FROM saas_bridge_effect WHERE key = 'summary:${day}'`;
      return room.met().has(one.id) && (await json<{ id: number }>(placesOf(room), query)).length === 1;
    };
    const note = await until(`the summary of ${day}`, isTold).then(
      () => '',
      (error: unknown) => String(error),
    );
    room.release([one.id]);
    results.push({ id: one.id, passed: note === '', note });
  }
  await settled(room.w);
  const findings = await check(placesOf(room), everyone);
  return { stage: 'night', results, findings, seconds: (performance.now() - startedAt) / 1000 };
}
