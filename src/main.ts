#!/usr/bin/env -S node --max-semi-space-size=1 --optimize-for-size
/** The command line. The only place that ends the process. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { backupSelf } from './cli/backup-self.js';
import { check } from './cli/check.js';
import { dropDeadLetter, listDeadLetters, retryDeadLetters } from './cli/dead-letters.js';
import { doctor } from './cli/doctor.js';
import { plainOut } from './cli/output.js';
import { showPlan } from './cli/plan.js';
import { rebuildStore } from './cli/rebuild-store.js';
import { reconcileMaster } from './cli/reconcile-master.js';
import { restoreAll } from './cli/restore-all.js';
import { showInstance, showStatus } from './cli/status.js';
import { takeOver } from './cli/take-over.js';
import { buildTemplates } from './cli/template.js';
import { loadConfig } from './config/config.js';
import { settingsHelp } from './config/help.js';
import { startDaemon } from './daemon.js';
import { BridgeError, messageOf } from './lib/errors.js';
import { createLog, errorFields } from './lib/logger.js';
import { runbookPage } from './lib/runbook.js';

const [stdout, stderr] = [plainOut(process.stdout), plainOut(process.stderr)];
const EXIT = { ok: 0, failed: 1, misused: 2 } as const;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('saas-bridge')
  .description('Gives every customer who pays in an Odoo shop an own Odoo in Docker, and keeps it as paid.')
  .version(version)
  // Commands take it over from here when they are made.
  .exitOverride()
  .showHelpAfterError('(saas-bridge --help shows all commands)')
  .addHelpText(
    'after',
    `\nSettings come from the environment:\n${settingsHelp()}\n\nExit codes: 0 done, 1 failed or not healthy, 2 wrong command or settings.`,
  );

program
  .command('run')
  .description('run the daemon until SIGTERM or SIGINT')
  .action(async () => {
    const config = loadConfig(process.env);
    // Before anything else: the first process of a container ignores signals that it has no handler for.
    const stopSignal = new Promise<string>((resolve) => {
      for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
    });
    const log = createLog(config.log);
    const daemon = await startDaemon(config, log, version).catch(async (error: unknown) => {
      await log.close();
      throw error;
    });
    const reason = await Promise.race([stopSignal, daemon.ended]);
    if (reason instanceof BridgeError) {
      log.error('daemon.disowned', 'It does not work on: the scope is not its own any more.', errorFields(reason));
      process.exitCode = EXIT.failed;
    } else log.info('daemon.stopping', `Received ${reason}: finishing what is under way.`);
    await daemon.stop();
    await log.close();
  });

program
  .command('check')
  .description('verify settings, master, engine and store, and say what is wrong')
  .option('--json', 'print one JSON object')
  .action(async (options: { json?: boolean }) => {
    const healthy = await check(loadConfig(process.env), stdout, options.json === true);
    if (!healthy) process.exitCode = EXIT.failed;
  });

program
  .command('doctor')
  .description('find what does not agree between master, engine, disk and store')
  .option('--fix', 'mend what can be mended without taking anything of a customer away')
  .option('--json', 'print one JSON object')
  .action(async ({ fix = false, json = false }: { fix?: boolean; json?: boolean }) => {
    const healthy = await doctor(loadConfig(process.env), stdout, { fix, asJson: json });
    if (!healthy) process.exitCode = EXIT.failed;
  });

program
  .command('status')
  .description('list all instances')
  .option('--json', 'print one JSON object')
  .action((options: { json?: boolean }) => showStatus(loadConfig(process.env), stdout, options.json === true));

program
  .command('instance')
  .argument('<name>', 'name of the instance, e.g. acme')
  .description('show one instance: facts, what must be, what is, what would be done')
  .option('--json', 'print one JSON object')
  .action((name: string, options: { json?: boolean }) =>
    showInstance(loadConfig(process.env), name, stdout, options.json === true),
  );

program
  .command('plan')
  .description('dry run: what would be done now, or on a date')
  .option('--at <date>', 'ISO date or time, e.g. 2027-01-31', parseDate)
  .option('--json', 'print one JSON object')
  .action((options: { at?: Date; json?: boolean }) =>
    showPlan(loadConfig(process.env), options.at ?? null, stdout, options.json === true),
  );

program
  .command('template')
  .description('prepared databases that new instances are copied from')
  .command('build')
  .description('build the templates of all plans now, before the first customer')
  .option('--json', 'print one JSON object')
  .action((options: { json?: boolean }) =>
    buildTemplates(loadConfig(process.env), stdout, stderr, options.json === true),
  );

program
  .command('take-over')
  .description("make the scope on the engine this data folder's, after the one it belonged to is lost")
  .option('--new-key', 'make another secret.key where the one of the instances is lost; each is restarted once')
  .option('--json', 'print one JSON object')
  .action(({ newKey = false, json = false }: { newKey?: boolean; json?: boolean }) =>
    takeOver(loadConfig(process.env), stdout, { newKey, asJson: json }),
  );

program
  .command('reconcile-master')
  .description('after the master was restored from a backup: say what differs, and with --yes go on together')
  .option('--yes', 'go on together: read everything, and report each instance anew')
  .action(async (options: { yes?: boolean }) => {
    const agreed = await reconcileMaster(loadConfig(process.env), options.yes === true, process.stdout);
    if (!agreed) process.exitCode = EXIT.failed;
  });

program
  .command('rebuild-store')
  .description('set bridge.sqlite aside and make it anew from master and engine; the daemon must be stopped')
  .option('--json', 'print one JSON object')
  .action((options: { json?: boolean }) => rebuildStore(loadConfig(process.env), stdout, options.json === true));

program
  .command('backup-self')
  .argument('<folder>', 'where to; it must not be there yet')
  .description('copy key, store, settings and certificates: what another host needs beside the backups')
  .option('--json', 'print one JSON object')
  .action((folder: string, options: { json?: boolean }) =>
    backupSelf(loadConfig(process.env), process.env, folder, stdout, options.json === true),
  );

program
  .command('restore')
  .description('on a host that has nothing: every instance from its last backup; the daemon must be stopped')
  .requiredOption('--all', 'all instances that the master knows; one alone has a button on its record')
  .option('--json', 'print one JSON object')
  .action(async (options: { json?: boolean }) => {
    const isWhole = await restoreAll(loadConfig(process.env), stdout, stderr, options.json === true);
    if (!isWhole) process.exitCode = EXIT.failed;
  });

const letters = program
  .command('dead-letters')
  .description('what the master refused or did not take, and instances that gave up');
letters
  .command('list', { isDefault: true })
  .description('when, what, for whom, and the reason')
  .option('--json', 'print one JSON object')
  .action((options: { json?: boolean }) => listDeadLetters(loadConfig(process.env), stdout, options.json === true));
letters
  .command('retry')
  .argument('[id]', 'number of a write, or name of an instance')
  .description('have it tried at once, beside the daemon too')
  .option('--all', 'all of them')
  .option('--json', 'print one JSON object')
  .action((id: string | undefined, options: { all?: boolean; json?: boolean }) => {
    if ((id === undefined) !== (options.all === true))
      letters.error('Give one id, or --all.', { exitCode: EXIT.misused });
    retryDeadLetters(loadConfig(process.env), id ?? null, stdout, options.json === true);
  });
letters
  .command('drop')
  .argument('<id>', 'number of a write')
  .description('forget a write that nobody needs any more')
  .option('--json', 'print one JSON object')
  .action((id: string, options: { json?: boolean }) =>
    dropDeadLetter(loadConfig(process.env), id, stdout, options.json === true),
  );

function parseDate(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('Give an ISO date such as 2027-01-31.');
  return date;
}

try {
  await program.parseAsync();
  process.exit();
} catch (error) {
  process.exit(report(error));
}

function report(error: unknown): number {
  if (error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number') {
    return error.exitCode === 0 ? EXIT.ok : EXIT.misused;
  }
  stderr.write(`saas-bridge: ${error instanceof BridgeError ? error.message : messageOf(error)}\n`);
  if (error instanceof BridgeError) {
    const page = runbookPage(error.code);
    stderr.write(`${error.advice}\n${page ? `More: ${page}\n` : ''}`);
  }
  return error instanceof BridgeError && error.code.startsWith('config.') ? EXIT.misused : EXIT.failed;
}
