/** A look, or a hand, in the database of a master. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs SQL in the database of the master of this project; gives what it prints. */
export async function masterSql(project: string, text: string): Promise<string> {
  const psql = ['psql', '-U', 'odoo', 'master', '-qAt', '-v', 'ON_ERROR_STOP=1', '-c', text];
  const { stdout } = await run('docker', ['exec', '-i', `${project}-db-1`, ...psql], { timeout: 30_000 });
  return stdout.trim();
}
