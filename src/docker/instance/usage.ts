/** What an instance uses: asked of its database and its filestore, both of which are the customer's and hostile. */

import type { Release } from '../../instance/release.js';
import type { InstanceSecrets } from '../../instance/secrets.js';
import type { Usage } from '../../instance/types.js';
import { type StoredBytes, UnreadableError } from '../../instance/unreadable.js';
import { BOUNDS } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { type Job, runJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { hasOwnVolume } from './own-volume.js';
import type { Rendered } from './rendering.js';

const MAX_MODULES = 2000;
/** 2000 lines of `module` and 64 characters, and some numbers. */
const OUTPUT_BYTES = 200_000;

export interface UsageContext {
  engine: Engine;
  files: Pick<Files, 'measureScript'>;
  release: Pick<Release, 'postgresImage'>;
}

/**
 * Measures a running instance. UnreadableError `usage.unreadable` when its database gives no sensible answer (stopped,
 * overloaded, damaged), with what is on the disk; RetryableError `docker.*` when the engine gives none.
 */
export async function measureUsage(
  { engine, files, release }: UsageContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
  secrets: Pick<InstanceSecrets, 'dbPassword'>,
): Promise<Usage> {
  if (!(await hasOwnVolume(engine, rendered.names.filestore, rendered.labels))) {
    const advice = 'Restore its volumes from a backup.';
    throw new UnreadableError('usage.unreadable', `${rendered.names.project} has no files`, advice, null);
  }
  const job = measureJob(files, release, rendered, secrets);
  const { exitCode, output } = await runJob(engine, job, ANY_CODE);
  const usage = exitCode === 0 ? parseUsage(output) : null;
  if (usage) return usage;
  throw new UnreadableError(
    'usage.unreadable',
    `${rendered.names.project} cannot be measured (code ${exitCode}): ${tailOf(output)}`,
    "Look at the log of the instance's database; it is measured again.",
    parseStored(output),
  );
}

const ANY_CODE = Array.from({ length: 256 }, (_value, code) => code);

/** The one-shot container: one capability, to look into folders of any owner; the filestore read-only. */
export function measureJob(
  files: Pick<Files, 'measureScript'>,
  release: Pick<Release, 'postgresImage'>,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
  { dbPassword }: Pick<InstanceSecrets, 'dbPassword'>,
): Job {
  return {
    name: `${names.project}_measure`,
    image: release.postgresImage,
    entrypoint: ['bash', '-c', files.measureScript, 'measure'],
    labels,
    bounds: BOUNDS.measure,
    network: names.network,
    mounts: [
      { volume: names.pgdata, target: '/database', readOnly: true },
      { volume: names.filestore, target: '/filestore', readOnly: true },
    ],
    stdin: Buffer.from(`*:*:*:*:${dbPassword.reveal()}\n`),
    keepBytes: OUTPUT_BYTES,
  };
}

/** What the first two lines of measure.sh say; null unless both are there and make sense. */
export function parseStored(output: string): StoredBytes | null {
  // They are printed before the database is asked anything, so that nothing of it can come before them.
  const found = /^database (\d{1,15})\nfilestore (\d{1,15})\n/.exec(output);
  return found && { databaseBytes: Number(found[1]), filestoreBytes: Number(found[2]) };
}

/** The lines that measure.sh prints; null unless all of them are there and make sense. Other lines are left out. */
export function parseUsage(output: string): Usage | null {
  const numbers = new Map<string, number>();
  const modules = new Set<string>();
  let loggedInAt: string | undefined;
  for (const line of output.split('\n')) {
    const number = /^(users|database|filestore) (\d{1,15})$/.exec(line);
    if (number?.[1]) numbers.set(number[1], Number(number[2]));
    const login = /^login (\d{1,10})$/.exec(line);
    if (login) loggedInAt = new Date(Number(login[1]) * 1000).toISOString();
    const module = /^module ([a-z0-9_]{1,64})$/.exec(line);
    if (module?.[1] && modules.size < MAX_MODULES) modules.add(module[1]);
  }
  const [users, databaseBytes, filestoreBytes] = ['users', 'database', 'filestore'].map((name) => numbers.get(name));
  if (users === undefined || databaseBytes === undefined || filestoreBytes === undefined) return null;
  return { users, databaseBytes, filestoreBytes, modules: [...modules].sort(), ...(loggedInAt && { loggedInAt }) };
}

/** For a message: the end, without what a terminal or a log would take for more than text. */
function tailOf(output: string): string {
  return output
    .slice(-300)
    .replace(/[^\x20-\x7e\u00a1-\u024f]+/g, ' ')
    .trim();
}
