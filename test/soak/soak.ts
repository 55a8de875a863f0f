/**
 * `npm run soak -- --json`: a week without hands, on a fast clock. Each day somebody buys, somebody renews, somebody gets
 * the money back, staff press buttons, somebody is deleted, and everything is restarted: daemon, master, all instances.
 * Memory, file handles, the store and what lies about on the engine must stay as they are.
 */
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { residentMb } from '../../compose/demo/daemon.js';
import { check, FINDINGS, type Places, typeMark } from '../faults/checker.js';
import { type Customer, customers, makePlans, PLAN, refresh, register, served } from '../faults/customers.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { creditNote, invoiceAndPay, sell } from '../support/shop.js';
import { answered, confirmDialog, managerOf, pressButton } from '../support/staff.js';
import { travel } from '../support/time.js';
import { DAEMON, endWorld, MASTER, until, world } from '../support/world.js';

const run = promisify(execFile);
const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, days: { type: 'string', default: '7' } },
});
const say = (text: string) => process.stderr.write(`${text}\n`);

/** So much may differ between the first days and the last ones. */
const ALLOWED = { memoryMb: 1.2, handles: 1.2, storeKb: 1.3 };
const STEADY = 3;
/** A day after the money is back it is down, and then it is deleted. */
const LASTS_DAYS = 2;

interface Day {
  day: number;
  instances: number;
  memoryMb: number;
  handles: number;
  storeKb: number;
  /** Containers, volumes and networks of the scope that are no part of an instance. */
  litter: number;
}

const days = Number(options.days);
const w = await world();
const manager = managerOf(w);
const places: Places = {
  project: MASTER.project,
  mailUrl: w.master.mail_url,
  manager: 'gestor@nubefacil.example',
  scope: DAEMON.scope,
  dataDir: DAEMON.dataDir,
};
await makePlans(w);
const all: Customer[] = [];
const invoices = new Map<Customer, number>();

const steady = customers('fijo', STEADY, () => true);
const passing = customers('paso', days, () => true);
for (const one of steady) {
  await join(one);
  await welcome(one);
}

const series: Day[] = [];
for (let day = 1; day <= days; day++) {
  const startedAt = performance.now();
  const comes = passing[day - 1] as Customer;
  const renews = steady[day % STEADY] as Customer;
  const refunded = passing[day - 1 - 1];
  const goes = passing[day - 1 - LASTS_DAYS];
  await restartAll();
  await travel(w, day, async () => {
    await join(comes);
    const { id } = await sell(w.admin, renews.partner, PLAN);
    await invoiceAndPay(w.admin, id);
    count(renews, 'Gracias por renovar');
    const invoice = refunded && invoices.get(refunded);
    if (invoice) await creditNote(w.admin, invoice);
    return [comes.order, id, ...(refunded ? [refunded.order] : [])];
  });
  await welcome(comes);
  if (goes) await remove(goes);
  await commands(renews, steady[(day + 1) % STEADY] as Customer);
  if (refunded) await untilDown(refunded);
  await settled(w);
  const seen = await measure(day);
  series.push(seen);
  say(`${JSON.stringify(seen)}  ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

async function join(customer: Customer): Promise<void> {
  await register(w, customer);
  const { id } = await sell(w.admin, customer.partner, PLAN);
  customer.order = id;
  invoices.set(customer, await invoiceAndPay(w.admin, id));
  count(customer, 'Su Odoo está listo');
  all.push(customer);
}

async function welcome(customer: Customer): Promise<void> {
  await served(w, customer);
  await typeMark(places, customer.record, customer.mark);
}

/** The money is back: it goes down, at the latest in the next night. */
async function untilDown(customer: Customer): Promise<void> {
  const record = await refresh(w, customer);
  if (record?.state !== 'suspended') return;
  suspended(customer);
}

function suspended(customer: Customer): void {
  if (customer.state === 'suspended') return;
  customer.state = 'suspended';
  count(customer, 'Su Odoo está en pausa');
}

async function remove(customer: Customer): Promise<void> {
  await until(`${customer.name} to be suspended`, async () => (await refresh(w, customer))?.state === 'suspended');
  suspended(customer);
  const { record } = customer;
  await confirmDialog(manager, record, 'action_delete', { confirm_name: record.name, reason: 'soak' });
  await answered(manager, record, 'delete');
  await until(`${customer.name} to be deleted`, async () => (await refresh(w, customer))?.state === 'deleted');
  customer.state = 'deleted';
  customer.copy = 'zip';
  count(customer, 'Hemos eliminado su Odoo');
}

async function commands(one: Customer, other: Customer): Promise<void> {
  await pressButton(manager, one.record, 'action_restart');
  await answered(manager, one.record, 'restart');
  await pressButton(manager, other.record, 'action_rebuild');
  await answered(manager, other.record, 'rebuild');
  await confirmDialog(manager, one.record, 'action_extend', { days: 5, reason: 'soak' });
  await answered(manager, one.record, 'extend');
  one.grants++;
}

function count(customer: Customer, subject: string): void {
  customer.mails[subject] = (customer.mails[subject] ?? 0) + 1;
}

/** Master, its database and all instances; the daemon is by the journey through time. */
async function restartAll(): Promise<void> {
  const ours = await Promise.all(
    all.filter(({ state }) => state === 'running').map(({ record }) => containersOf(record)),
  );
  const names = ours
    .flat()
    .filter(({ State }) => State === 'running')
    .map(({ name }) => name.replace(/^\//, ''));
  await run('docker', ['restart', '-t', '20', ...names, `${MASTER.project}-db-1`, `${MASTER.project}-odoo-1`], {
    timeout: 300_000,
  });
  await until('the master to answer', async () => {
    const answer = await fetch(`http://127.0.0.1:${MASTER.port}/web/health`, { signal: AbortSignal.timeout(5_000) });
    return answer.ok;
  });
}

async function measure(day: number): Promise<Day> {
  const { pid } = w.daemon();
  const store = readdirSync(DAEMON.dataDir).filter((file) => file.startsWith('bridge.sqlite'));
  const bytes = store.reduce((sum, file) => sum + statSync(path.join(DAEMON.dataDir, file)).size, 0);
  const living = all.filter(({ state }) => state !== 'deleted').length;
  const things = await Promise.all([
    listed(['ps', '-aq', '--filter', `label=saas.scope=${DAEMON.scope}`]),
    listed(['volume', 'ls', '-q', '--filter', `label=saas.scope=${DAEMON.scope}`, '--filter', 'label=saas.key']),
    listed(['network', 'ls', '-q', '--filter', `label=saas.scope=${DAEMON.scope}`]),
  ]);
  return {
    day,
    instances: living,
    memoryMb: residentMb(pid),
    handles: readdirSync(`/proc/${pid}/fd`).length,
    storeKb: Math.round(bytes / 1024),
    litter: things.reduce((sum, number) => sum + number, 0) - living * (2 + 3 + 1),
  };
}

async function listed(args: string[]): Promise<number> {
  const { stdout } = await run('docker', args);
  return stdout.split('\n').filter(Boolean).length;
}

for (const one of passing.slice(0, days - 1)) if (one.state === 'running') await untilDown(one);
const findings = await check(places, all);
for (const { kind, what } of findings) say(`FOUND  ${kind}: ${what}`);
const half = Math.max(1, Math.floor(series.length / 2));
const mean = (list: Day[], of: keyof Day) => list.reduce((sum, one) => sum + one[of], 0) / list.length;
const growth = Object.fromEntries(
  (['memoryMb', 'handles', 'storeKb'] as const).map((of) => {
    const ratio = mean(series.slice(-half), of) / mean(series.slice(0, half), of);
    return [of, { ratio: Math.round(ratio * 100) / 100, allowed: ALLOWED[of], flat: ratio <= ALLOWED[of] }];
  }),
);
const counts = Object.fromEntries(FINDINGS.map((kind) => [kind, findings.filter((one) => one.kind === kind).length]));
const flat = Object.values(growth).every((one) => one.flat) && series.every(({ litter }) => litter === 0);
const verdict = flat && findings.length === 0 ? 'flat' : 'not flat';
await manager.close();
await endWorld();
const answer = { days: series.length, verdict, growth, ...counts, series };
process.stdout.write(`${JSON.stringify(answer, null, options.json ? 0 : 2)}\n`);
process.exit(verdict === 'flat' ? 0 : 1);
