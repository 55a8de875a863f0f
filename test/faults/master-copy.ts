/** Yesterday's copy of the master's database, and its return. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { MasterOptions } from '../../compose/demo/master.js';
import { until } from '../support/world.js';

const run = promisify(execFile);
const FILE = '/tmp/master.dump';

export async function dumpMaster({ project }: MasterOptions): Promise<void> {
  await inDatabase(project, ['pg_dump', '-U', 'odoo', '-Fc', '-f', FILE, 'master']);
}

/** The master is down meanwhile. */
export async function restoreMaster({ project, port }: MasterOptions): Promise<void> {
  await docker(['stop', `${project}-odoo-1`]);
  await inDatabase(project, ['psql', '-U', 'odoo', 'postgres', '-qc', 'DROP DATABASE master WITH (FORCE)']);
  await inDatabase(project, ['psql', '-U', 'odoo', 'postgres', '-qc', 'CREATE DATABASE master']);
  await inDatabase(project, ['pg_restore', '-U', 'odoo', '--no-owner', '-d', 'master', FILE]);
  await docker(['start', `${project}-odoo-1`]);
  await until('the master to answer', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/web/health`, { signal: AbortSignal.timeout(5_000) });
    return answer.ok;
  });
}

function inDatabase(project: string, command: string[]): Promise<void> {
  return docker(['exec', `${project}-db-1`, ...command]);
}

async function docker(args: string[]): Promise<void> {
  await run('docker', args, { timeout: 180_000 });
}
