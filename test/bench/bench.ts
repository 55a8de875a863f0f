/**
 * `npm run bench`: from the decision to a customer who can log in, against the plain way on the same machine in the
 * same run; and what daemon and instances weigh. A measurement, not a test: it has no limits to fail.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import {
  type DaemonOptions,
  type RunningDaemon,
  residentMb,
  runCommand,
  startDaemon,
  stopLeftover,
} from '../../compose/demo/daemon.js';
import { instanceMemoryMb, removeInstances } from '../../compose/demo/fleet.js';
import { type MasterOptions, masterDown, masterUp, REPO_DIR } from '../../compose/demo/master.js';
import { adminOf, userOf } from '../../compose/demo/records.js';
import { createCustomer, sell } from '../support/shop.js';
import { type BackupFigures, backupFigures } from './backups.js';
import { type EdgeFigures, edgeFigures } from './edge.js';
import { plainWay } from './plain.js';

const { json, runs, plainRuns } = new Command('npm run bench --')
  .description('Time the way to a running instance against the plain way.')
  .option('--json', 'print one JSON object as the last line')
  .option('--runs <number>', 'instances to make', Number, 5)
  .option('--plain-runs <number>', 'runs of the plain way', Number, 3)
  .parse()
  .opts<{ json?: boolean; runs: number; plainRuns: number }>();

const STATE_DIR = path.join(REPO_DIR, '.state', 'bench');
const MASTER: MasterOptions = {
  project: 'saas-bench',
  port: 18_169,
  mailPort: 18_180,
  smtpPort: 18_125,
  stateDir: STATE_DIR,
};
const DAEMON: DaemonOptions = {
  dataDir: path.join(STATE_DIR, 'daemon'),
  scope: 'bench',
  httpPort: 18_168,
  portRange: '25000-25999',
  subnetPool: '10.210.0.0/16',
  settings: { SAAS_BACKUP_HOURS: 'none' },
};

const say = (text: string) => process.stderr.write(`${text}\n`);

await clean();
const master = await masterUp(MASTER, true);
await runCommand(master, DAEMON, ['template', 'build']);
let daemon = await startDaemon(master, DAEMON);
const admin = adminOf(master);
const manager = userOf(master, master.manager_login, master.manager_password);
const provisionMs: number[] = [];
const stepMs: Record<string, number[]> = {};
const plainMs: number[] = [];
const instanceMb: number[] = [];
let daemonMb = 0;
let backups: BackupFigures;
let edge: EdgeFigures;
try {
  for (let run = 1; run <= Math.max(runs, plainRuns); run++) {
    if (run <= runs) {
      const name = await order(run);
      provisionMs.push(provisioned(daemon, name));
      for (const { step, durationMs } of stepsOf(daemon, name)) stepMs[step] = [...(stepMs[step] ?? []), durationMs];
      instanceMb.push(await instanceMemoryMb(DAEMON.scope, name));
      if (run === 1) daemonMb = residentMb(daemon.pid);
      say(`run ${run}: from the decision to the login in ${provisionMs.at(-1)} ms`);
    }
    if (run <= plainRuns) {
      plainMs.push(Math.round(await plainWay('odoo:19.0', 'postgres:17')));
      say(`run ${run}: the plain way in ${plainMs.at(-1)} ms`);
    }
  }
  backups = await backupFigures({ ...{ manager, daemon, scope: DAEMON.scope, name: 'banco-1' }, withTrials });
  edge = await edgeFigures({
    ...{ stateDir: STATE_DIR, scope: DAEMON.scope, admin, name: 'banco-1', planCode: 'basico' },
    restart: startAgain,
  });
} finally {
  await admin.close();
  await manager.close();
  await daemon.stop();
  await clean();
  await masterDown(MASTER);
}

const steps = Object.fromEntries(Object.entries(stepMs).map(([step, values]) => [step, median(values)]));
const result = {
  provision_ms: provisionMs,
  provision_ms_median: median(provisionMs),
  step_ms_medians: steps,
  plain_ms: plainMs,
  plain_ms_median: median(plainMs),
  times_faster: Math.round((median(plainMs) / median(provisionMs)) * 10) / 10,
  daemon_rss_mb: daemonMb,
  instance_mb_median: median(instanceMb),
  ...backups,
  ...edge,
};
say(`
provision, median of ${runs}        ${result.provision_ms_median} ms
${Object.entries(steps)
  .map(([step, ms]) => `  ${step.padEnd(26)}${ms} ms\n`)
  .join('')}the plain way, median of ${plainRuns}    ${result.plain_ms_median} ms
times faster                ${result.times_faster}
daemon with one instance    ${result.daemon_rss_mb} MB
idle instance after login   ${result.instance_mb_median} MB
backup, the first           ${result.backup_ms} ms, ${result.backup_job_mb} MB
backup, again               ${result.backup_again_ms} ms
restore, until it is used   ${result.restore_ms} ms
trial of a backup           ${result.prove_ms} ms
a request, direct           ${result.direct_ms} ms
  what the edge adds        ${result.edge_added_ms} ms
edge with ${result.edge_hosts} hosts      ${result.edge_rss_mb} MB
  one host more             ${result.edge_add_host_ms} ms
login page, awake           ${result.awake_ms} ms
  asleep until then         ${result.wake_ms} ms, ${result.asleep_pair_mb} MB`);
if (json) process.stdout.write(`${JSON.stringify(result)}\n`);

/** Sells one plan and waits until it runs; gives the instance's name. */
async function order(run: number): Promise<string> {
  const partner = await createCustomer(admin, { name: `Banco ${run}`, email: `banco${run}@example.com` });
  await sell(admin, partner, 'basico');
  const name = `banco-${run}`;
  for (let waited = 0; waited < 300_000; waited += 100) {
    if (daemon.lines().some((line) => line.event === 'instance.provisioned' && line.instance === name)) return name;
    await sleep(100);
  }
  throw new Error(`${name} was not made in 300 s; see ${daemon.logFile}`);
}

function withTrials(): Promise<RunningDaemon> {
  return startAgain({ SAAS_BACKUP_HOURS: '00:00-00:00' });
}

async function startAgain(settings: Record<string, string> = {}): Promise<RunningDaemon> {
  await daemon.stop();
  daemon = await startDaemon(master, { ...DAEMON, settings: { ...DAEMON.settings, ...settings } });
  return daemon;
}

function provisioned({ lines }: RunningDaemon, name: string): number {
  const at = (event: string) =>
    Date.parse(lines().find((line) => line.event === event && line.instance === name)?.time ?? '');
  return at('instance.provisioned') - at('instance.created');
}

/** Those of its first start. */
function stepsOf({ lines }: RunningDaemon, name: string): { step: string; durationMs: number }[] {
  return lines().flatMap(({ event, instance, step, durationMs }) =>
    event === 'step.done' && instance === name ? { step: String(step), durationMs: Number(durationMs) } : [],
  );
}

async function clean(): Promise<void> {
  await stopLeftover(DAEMON.dataDir);
  await removeInstances(DAEMON.scope, DAEMON.dataDir);
  rmSync(DAEMON.dataDir, { recursive: true, force: true });
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const value = sorted.length % 2 === 1 ? sorted[middle] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  return Math.round((value ?? 0) * 10) / 10;
}
