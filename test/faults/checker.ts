/**
 * Looks afterwards whether anything was lost or done twice. It shares no code with the daemon: it asks the master's
 * database, the engine's own command line, the mail catcher, the disk and the customers' databases what is there.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const FINDINGS = [
  'duplicates',
  'orphans',
  'lost',
  'double_notices',
  'wrong_suspensions',
  'wrong_deletions',
  'stuck',
] as const;
export type FindingKind = (typeof FINDINGS)[number];

export interface Finding {
  kind: FindingKind;
  what: string;
}

/** What a customer is to have now. */
export interface Expected {
  partner: number;
  name: string;
  email: string;
  state: 'running' | 'suspended' | 'stopped' | 'deleted';
  /** What the customer has typed into their database. */
  mark: string;
  /** Mails that they are to have got, by the beginning of the subject. */
  mails: { [subject: string]: number };
  /** Beginnings of subjects of which any number is right. */
  tolerated?: string[];
  /** How often staff have given them time. */
  grants: number;
  /** A deleted one: there is a copy of this format. */
  copy?: 'zip' | 'tgz' | 'none';
}

export interface Places {
  /** The master's compose project, the address of the mail catcher, and who gets what managers get. */
  project: string;
  mailUrl: string;
  manager: string;
  scope: string;
  dataDir: string;
}

interface Row {
  id: number;
  key: string;
  name: string;
  partner_id: number;
  state: string;
  http_port: number;
  error_message: string | null;
  log: string | null;
  grants: number;
}

interface Thing {
  name: string;
  labels: { [label: string]: string };
  state: string;
}

const DOWN: readonly string[] = ['suspended', 'stopped'];

export async function check(places: Places, expected: readonly Expected[]): Promise<Finding[]> {
  const found: Finding[] = [];
  const add = (kind: FindingKind, what: string) => found.push({ kind, what });
  const rows = await rowsOf(places, expected);
  const [containers, volumes, networks, mails] = await Promise.all([
    containersOf(places.scope),
    listOf('volume', places.scope),
    listOf('network', places.scope),
    mailsOf(places.mailUrl),
  ]);
  const things = { containers, volumes, networks };
  const alive = new Map<string, Row>();
  for (const customer of expected) {
    const theirs = rows.filter((row) => row.partner_id === customer.partner);
    const living = theirs.filter((row) => row.state !== 'deleted');
    for (const row of living) alive.set(row.key, row);
    checkRecord(customer, theirs, living, add);
    const [row] = living;
    if (row && customer.state !== 'deleted') await checkInstance(places, customer, row, things, add);
    if (customer.state === 'deleted') await checkCopy(places, customer, theirs, add);
    checkMails(customer, mails, add);
  }
  checkOrphans(places, alive, things, add);
  checkManagers(places.manager, mails, add);
  await checkMaster(places, add);
  return found;
}

type Add = (kind: FindingKind, what: string) => void;

function checkRecord(customer: Expected, theirs: Row[], living: Row[], add: Add): void {
  const { name, state } = customer;
  if (living.length > 1) add('duplicates', `${name} has ${living.length} records: ${living.map((row) => row.name)}`);
  const [row] = living;
  if (!row) {
    if (state !== 'deleted')
      add(theirs.length > 0 ? 'wrong_deletions' : 'lost', `${name} has no instance in the master`);
    return;
  }
  if (row.state !== state) {
    const kind = state === 'running' && DOWN.includes(row.state) ? 'wrong_suspensions' : 'stuck';
    add(kind, `${name} is ${row.state} in the master, not ${state}: ${row.error_message ?? ''}`);
  }
  if (row.grants !== customer.grants) {
    const kind = row.grants > customer.grants ? 'duplicates' : 'lost';
    add(kind, `${name} was given time ${row.grants} times, not ${customer.grants}`);
  }
  const lines = (row.log ?? '').split('\n').filter(Boolean);
  for (const line of new Set(lines.filter((one, index) => lines.indexOf(one) !== index))) {
    add('double_notices', `the log of ${name} says twice: ${line}`);
  }
}

interface Things {
  containers: Thing[];
  volumes: Thing[];
  networks: Thing[];
}

async function checkInstance(
  places: Places,
  customer: Expected,
  row: Row,
  { containers, volumes, networks }: Things,
  add: Add,
): Promise<void> {
  const { name } = customer;
  const ofIt = (list: Thing[]) => list.filter(({ labels }) => labels['saas.key'] === row.key);
  for (const role of ['odoo', 'db']) {
    const theirs = ofIt(containers).filter(({ labels }) => labels['saas.role'] === role);
    if (theirs.length > 1) add('duplicates', `${name} has ${theirs.length} containers ${role}`);
    const [one] = theirs;
    if (!one) add('lost', `${name} has no container ${role}`);
    else if (customer.state === 'running' && one.state !== 'running') {
      add('wrong_suspensions', `${one.name} is ${one.state}, and ${name} is to run`);
    } else if (customer.state !== 'running' && one.state === 'running') add('stuck', `${one.name} runs, and is not to`);
  }
  if (ofIt(networks).length !== 1) add(ofIt(networks).length > 1 ? 'duplicates' : 'lost', `${name}: networks`);
  if (ofIt(volumes).length < 3) add('lost', `${name} has ${ofIt(volumes).length} volumes`);
  if (ofIt(volumes).length > 3) add('duplicates', `${name} has ${ofIt(volumes).length} volumes`);
  if (customer.state !== 'running') return;
  const page = await fetch(`http://127.0.0.1:${row.http_port}/web/login`, {
    signal: AbortSignal.timeout(30_000),
  }).catch(() => null);
  if (page?.status !== 200) add('lost', `the login page of ${name} answers ${page?.status ?? 'nothing'}`);
  const mark = await readMark(places, row).catch((error: unknown) => String(error));
  if (mark !== customer.mark) add('lost', `in the database of ${name} is not ${customer.mark} but: ${mark}`);
}

const MARK = 'faults.mark';

/** What the customer has typed in; by the password that their configuration has. */
async function readMark(places: Places, row: Pick<Row, 'name' | 'key'>): Promise<string> {
  return customerSql(places, row, `SELECT value FROM ir_config_parameter WHERE key = '${MARK}'`);
}

export async function typeMark(places: Places, row: Pick<Row, 'name' | 'key'>, mark: string): Promise<void> {
  await customerSql(
    places,
    row,
    `INSERT INTO ir_config_parameter (key, value) VALUES ('${MARK}', '${mark}')
      ON CONFLICT (key) DO NOTHING`,
  );
}

async function customerSql({ scope, dataDir }: Places, { name, key }: Pick<Row, 'name' | 'key'>, text: string) {
  const conf = readFileSync(path.join(dataDir, 'instances', name, 'odoo.conf'), 'utf8');
  const password = /^db_password\s*=\s*(.*)$/m.exec(conf)?.[1] ?? '';
  const db = (await containersOf(scope)).find(
    ({ labels }) => labels['saas.key'] === key && labels['saas.role'] === 'db',
  );
  if (!db) throw new Error(`there is no database container for ${name}`);
  const psql = ['psql', '-h', '127.0.0.1', '-U', 'odoo', '-qAt', '-c', text, 'odoo'];
  return output('docker', ['exec', '-e', `PGPASSWORD=${password}`, db.name, ...psql]);
}

async function checkCopy({ dataDir }: Places, customer: Expected, theirs: Row[], add: Add): Promise<void> {
  const { name, copy, mark } = customer;
  if (copy === undefined) return;
  const folder = path.join(dataDir, 'exports');
  const keys = theirs.map(({ key }) => key.replaceAll(/[^A-Za-z0-9]/g, '.'));
  const all = existsSync(folder) ? readdirSync(folder) : [];
  const files = all.filter((file) => theirs.some((row) => file.startsWith(`${row.name}.`)) && !file.endsWith('.until'));
  const wanted = copy === 'none' ? 0 : 1;
  if (files.length > wanted) add('orphans', `${name} has ${files.length} copies: ${files} (${keys})`);
  if (files.length < wanted) add('lost', `${name} has no final copy`);
  const [file] = files;
  if (copy !== 'zip' || !file) return;
  const listing = await output('python3', [
    '-c',
    'import sys,zipfile;print(sys.argv[2].encode() in zipfile.ZipFile(sys.argv[1]).read("dump.sql"))',
    path.join(folder, file),
    mark,
  ]).catch((error: unknown) => String(error));
  if (listing !== 'True') add('lost', `the copy ${file} does not hold what ${name} has typed in: ${listing}`);
}

/** Everything of ours belongs to an instance that is there. */
function checkOrphans({ dataDir }: Places, alive: Map<string, Row>, things: Things, add: Add): void {
  for (const [kind, list] of Object.entries(things) as [string, Thing[]][]) {
    for (const { name, labels } of list) {
      const key = labels['saas.key'];
      if (key === undefined) continue;
      if (!alive.has(key)) add('orphans', `${kind}: ${name} belongs to ${key}, which is not there`);
      else if (kind === 'containers' && !['odoo', 'db'].includes(labels['saas.role'] ?? '')) {
        add('orphans', `the task ${name} is left`);
      }
    }
  }
  const folder = path.join(dataDir, 'instances');
  const names = new Set([...alive.values()].map(({ name }) => name));
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (!names.has(name)) add('orphans', `the folder ${name} is left`);
  }
  const exports = path.join(dataDir, 'exports');
  for (const file of existsSync(exports) ? readdirSync(exports) : []) {
    if (!/\.(zip|tgz)(\.until)?$/.test(file)) add('orphans', `the file ${file} is left among the copies`);
  }
}

interface Mail {
  subject: string;
  text: string;
  to: { address: string }[];
}

const SUSPENDED = 'Su Odoo está en pausa';
const DELETED = 'Hemos eliminado su Odoo';

function checkMails({ name, email, mails: wanted, tolerated = [] }: Expected, mails: Mail[], add: Add): void {
  if (email === '') return;
  const theirs = mails.filter(({ to }) => to.some(({ address }) => address.toLowerCase() === email));
  const beginnings = [...Object.keys(wanted), ...tolerated];
  for (const [beginning, number] of Object.entries(wanted)) {
    const count = theirs.filter(({ subject }) => subject.startsWith(beginning)).length;
    if (count < number) add('lost', `${name} got ${count} × "${beginning}", not ${number}`);
    if (count > number) add('double_notices', `${name} got ${count} × "${beginning}", not ${number}`);
  }
  for (const { subject } of theirs.filter(({ subject: one }) => !beginnings.some((begin) => one.startsWith(begin)))) {
    if (subject.startsWith(SUSPENDED)) add('wrong_suspensions', `${name} got: ${subject}`);
    else if (subject.startsWith(DELETED)) add('wrong_deletions', `${name} got: ${subject}`);
    else if (/Odoo|plan|renovar|vence|eliminar/.test(subject)) add('double_notices', `${name} got: ${subject}`);
  }
}

/** The night is told once. */
function checkManagers(manager: string, mails: Mail[], add: Add): void {
  const texts = mails
    .filter(({ subject, to }) => /SaaS/.test(subject) && to.some(({ address }) => address === manager))
    .map(({ text }) => text);
  for (const text of new Set(texts.filter((one, index) => texts.indexOf(one) !== index))) {
    add('double_notices', `the managers were told twice: ${text.slice(0, 200)}`);
  }
}

async function checkMaster(places: Places, add: Add): Promise<void> {
  const pending = await json<{ id: number; command: string; name: string }>(
    places,
    `SELECT c.id, c.command, i.name FROM saas_command c JOIN saas_instance i ON i.id = c.instance_id
      WHERE c.state = 'pending'`,
  );
  for (const { command, name } of pending) add('stuck', `${command} of ${name} was never answered`);
  const todos = await json<{ res_model: string; res_id: number; note: string; count: number }>(
    places,
    `SELECT res_model, res_id, note, count(*)::int AS count FROM mail_activity
      WHERE res_model IN ('saas.instance', 'sale.order', 'account.move') GROUP BY 1, 2, 3 HAVING count(*) > 1`,
  );
  for (const { res_model, res_id, note, count } of todos) {
    add('double_notices', `${count} times the same to-do on ${res_model} ${res_id}: ${note.slice(0, 100)}`);
  }
}

function rowsOf(places: Places, expected: readonly Expected[]): Promise<Row[]> {
  const partners = expected.map(({ partner }) => partner).join(',') || '0';
  return json<Row>(
    places,
    `SELECT id, key, name, partner_id, state, http_port, error_message, log,
        (SELECT count(*)::int FROM saas_grant g WHERE g.instance_id = i.id AND g.quantity > 0) AS grants
      FROM saas_instance i WHERE partner_id IN (${partners}) ORDER BY id`,
  );
}

/** Rows of the master's database. */
export async function json<T>({ project }: Pick<Places, 'project'>, query: string): Promise<T[]> {
  const text = `SELECT coalesce(json_agg(t), '[]') FROM (${query}) t`;
  const psql = ['psql', '-U', 'odoo', 'master', '-qAt', '-v', 'ON_ERROR_STOP=1', '-c', text];
  return JSON.parse(await output('docker', ['exec', `${project}-db-1`, ...psql])) as T[];
}

async function containersOf(scope: string): Promise<Thing[]> {
  const format = '{{.Names}}\t{{.State}}\t{{.Labels}}';
  const args = ['ps', '-a', '--no-trunc', '--filter', `label=saas.scope=${scope}`, '--format', format];
  return lines(await output('docker', args)).map((line) => {
    const [name = '', state = '', labels = ''] = line.split('\t');
    return { name, state, labels: labelsIn(labels) };
  });
}

async function listOf(kind: 'volume' | 'network', scope: string): Promise<Thing[]> {
  const args = [kind, 'ls', '--filter', `label=saas.scope=${scope}`, '--format', '{{.Name}}\t{{.Labels}}'];
  return lines(await output('docker', args)).map((line) => {
    const [name = '', labels = ''] = line.split('\t');
    return { name, state: '', labels: labelsIn(labels) };
  });
}

function labelsIn(text: string): Thing['labels'] {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

async function mailsOf(mailUrl: string): Promise<Mail[]> {
  const response = await fetch(new URL('/api/email', mailUrl), { signal: AbortSignal.timeout(10_000) });
  return (await response.json()) as Mail[];
}

async function output(program: string, args: string[]): Promise<string> {
  const { stdout } = await run(program, args, { timeout: 60_000, maxBuffer: 64 * 2 ** 20 });
  return stdout.trim();
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean);
}
