/** `npm run demo`: everything from nothing, then one real purchase followed to the running Odoo. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { login } from '../../src/docker/instance/ready.js';
import { Secret } from '../../src/lib/secret.js';
import { newVisitor } from './cast.js';
import { type DaemonOptions, residentMb, runCommand, startDaemon, stopLeftover } from './daemon.js';
import { edgeDown, edgeUp } from './edge.js';
import { instanceMemoryMb, removeInstances } from './fleet.js';
import {
  type Mail,
  type MasterOptions,
  type MasterState,
  mailsTo,
  masterDown,
  masterUp,
  passwordIn,
  REPO_DIR,
} from './master.js';
import { adminOf, instanceOf } from './records.js';
import { Shopper } from './shopper.js';

const STATE_DIR = path.join(REPO_DIR, '.state');
const SERVED_TIMEOUT_MS = 300_000;

const program = new Command('npm run demo --')
  .description('Set everything up on this machine and follow one purchase to the running Odoo.')
  .option('--exit', 'end when the customer is served; everything stays up in the background')
  .option('--json', 'print one JSON object as the last line')
  .option('--edge', 'https before the instances, by a certificate authority of this machine; takes ports 80 and 443')
  .option('--down', 'remove what the demo made: daemon, instances, master (images and prepared templates stay)')
  .option('--plan <name>', 'name of the plan to buy', 'Básico')
  .option('--port <number>', 'port of the shop', Number, 8069)
  .option('--mail-port <number>', 'port of the mail catcher', Number, 1080)
  .option('--smtp-port <number>', 'SMTP port of the mail catcher', Number, 1025)
  .option('--http-port <number>', "port of the daemon's health pages", Number, 8068)
  .parse();
const options = program.opts<{
  exit?: boolean;
  json?: boolean;
  down?: boolean;
  edge?: boolean;
  plan: string;
  port: number;
  mailPort: number;
  smtpPort: number;
  httpPort: number;
}>();

const MASTER: MasterOptions = {
  project: 'saas-demo',
  port: options.port,
  mailPort: options.mailPort,
  smtpPort: options.smtpPort,
  stateDir: STATE_DIR,
};
const DAEMON: DaemonOptions = {
  dataDir: path.join(STATE_DIR, 'demo'),
  scope: 'demo',
  httpPort: options.httpPort,
  portRange: '20000-20999',
  subnetPool: '10.208.0.0/16',
};

const startedAt = performance.now();
function say(text: string): void {
  process.stderr.write(`[${Math.round((performance.now() - startedAt) / 1000)}s] ${text}\n`);
}

try {
  process.exitCode = options.down ? await down() : await up();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function up(): Promise<number> {
  const master = await masterUp(MASTER);
  if (await stopLeftover(DAEMON.dataDir)) say('stopped the daemon of an earlier demo');
  say('preparing the database that instances are copied from (about half a minute the first time)');
  const edge = options.edge ? await edgeUp(STATE_DIR) : null;
  if (edge) say(`an edge is before the instances; trust ${edge.rootFile} in your browser`);
  const settings: DaemonOptions = { ...DAEMON, ...(edge ? { settings: edge.settings } : {}) };
  const built = await runCommand(master, settings, ['template', 'build', '--json']);
  if (built.code !== 0) throw new Error('the template could not be built; the reason is above');
  const { templates } = JSON.parse(built.output) as { templates: { durationMs: number; existed: boolean }[] };
  const daemon = await startDaemon(master, settings);
  say(`the daemon runs: ${daemon.url}/ready, log in ${daemon.logFile}`);

  const visitor = newVisitor();
  const shopper = new Shopper(master.master_url);
  say(`a new customer, ${visitor.name} of ${visitor.company}, signs up in the shop and buys "${options.plan}"`);
  await shopper.register(visitor);
  const paid = await shopper.buy(options.plan, visitor);
  const served = await follow(master, paid.orderId, visitor.email);
  const usableAt = new Date();
  const { record, mail, loginOk, httpStatus } = served;

  const lines = daemon.lines().filter((line) => line.instance === record.name);
  const at = (event: string) => Date.parse(lines.find((line) => line.event === event)?.time ?? '');
  const decidedAt = at('instance.created');
  const readyAt = at('instance.provisioned');
  const timeline: [number, string][] = [
    [paid.paidAt.getTime(), `${paid.order} is paid`],
    [decidedAt, `the daemon has seen it: ${record.name} is to be made`],
    ...lines
      .filter((line) => line.event === 'step.done')
      .map((line): [number, string] => [Date.parse(line.time), `${line.step}, ${line.durationMs} ms`]),
    [readyAt, 'ready: the login page answers and the password logs in'],
    [usableAt.getTime(), `the customer has the mail "${mail.subject}" and is logged in`],
  ];
  for (const [time, text] of timeline.sort(([a], [b]) => a - b)) {
    process.stderr.write(`${((time - paid.paidAt.getTime()) / 1000).toFixed(1).padStart(7)} s  ${text}\n`);
  }
  const result = {
    order: paid.order,
    partner: record.partner,
    instance: record.name,
    url: record.url,
    http_status: edge ? await edge.ask(`${record.url}/web/login`) : httpStatus,
    login_ok: loginOk,
    state_in_odoo: record.state,
    subscription_state: record.subscription_state,
    paid_until: record.paid_until,
    paid_to_usable_ms: usableAt.getTime() - paid.paidAt.getTime(),
    provision_ms: readyAt - decidedAt,
    email_to: mail.to[0]?.address ?? '',
    odoo_container: record.odoo_container,
    db_container: record.db_container,
    template_build_ms: templates.reduce((sum, template) => sum + (template.existed ? 0 : template.durationMs), 0),
    daemon_rss_mb: residentMb(daemon.pid),
    instance_mb: await instanceMemoryMb(DAEMON.scope, record.name),
    master_url: master.master_url,
    master_db: master.master_db,
    admin_login: master.admin_login,
    admin_password: master.admin_password,
    mail_url: master.mail_url,
    daemon_url: daemon.url,
  };
  const rows = [
    ['Shop and back office', `${master.master_url}   ${master.admin_login} / ${master.admin_password}`],
    ['The shop as customer', `${master.master_url}/my   ${visitor.email} / ${visitor.password}`],
    ["The customer's Odoo", `${record.url}   ${visitor.email} / ${passwordIn(mail)}`],
    ...(edge ? [['Certificate to trust', edge.rootFile]] : []),
    ['Mails', master.mail_url],
    ['Daemon', `${daemon.url}/ready`],
  ];
  process.stderr.write(`\n${rows.map(([name, text]) => `${name?.padEnd(22)}${text}`).join('\n')}\n\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  const ok = loginOk && result.http_status === 200 && record.state === 'running';
  if (!options.exit && ok) {
    process.stderr.write('Ctrl-C ends the daemon; npm run demo -- --down removes everything.\n');
    await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
    await daemon.stop();
  }
  return ok ? 0 : 1;
}

/** Waits until the record says running, the mail is there, and the mailed password logs in. */
async function follow(master: MasterState, orderId: number, email: string) {
  const admin = adminOf(master);
  try {
    const until = Date.now() + SERVED_TIMEOUT_MS;
    while (Date.now() < until) {
      const record = await instanceOf(admin, orderId);
      if (record?.state === 'error') throw new Error(`${record.name}: ${record.error_message}`);
      const mail = (await mailsTo(master.mail_url, email)).find((found) => record && found.text.includes(record.name));
      if (record?.state === 'running' && mail) return { record, mail, ...(await enter(record.http_port, email, mail)) };
      await sleep(100);
    }
    throw new Error(`the customer was not served in ${SERVED_TIMEOUT_MS / 1000} s; see the daemon's log`);
  } finally {
    await admin.close();
  }
}

/** The customer logs in with what the mail says. A browser finds every `.localhost` here, this program does not. */
async function enter(port: number, email: string, mail: Mail): Promise<{ loginOk: boolean; httpStatus: number }> {
  const host = '127.0.0.1';
  const page = await fetch(`http://${host}:${port}/web/login`, { signal: AbortSignal.timeout(30_000) });
  const uid = await login(host, port, email, new Secret(passwordIn(mail)));
  return { loginOk: uid !== null, httpStatus: page.status };
}

async function down(): Promise<number> {
  if (await stopLeftover(DAEMON.dataDir)) say('stopped the daemon');
  const removed = await removeInstances(DAEMON.scope, DAEMON.dataDir);
  if (removed.length > 0) say(`removed ${removed.join(', ')}`);
  await edgeDown(STATE_DIR);
  await masterDown(MASTER);
  rmSync(DAEMON.dataDir, { recursive: true, force: true });
  return 0;
}
