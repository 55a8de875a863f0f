/** Filling an instance's volumes: a copy of the template with the customer's values in it, before anything runs. */
import type { FillOptions } from '../../instance/ports.js';
import type { InstanceSecrets } from '../../instance/secrets.js';
import type { InstanceSpec } from '../../instance/spec.js';
import { RetryableError, TerminalError } from '../../lib/errors.js';
import { BOUNDS } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { tar } from '../engine/tar.js';
import { type Job, runJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { hasOwnVolume } from './own-volume.js';
import { odooPasswordHash, personaliseSql } from './personalise.js';
import type { DockerSettings, Rendered } from './rendering.js';
import type { OpenSource, SourceVolumes } from './sources.js';

/** seed.sh: the instance's volumes are not filled, and there is nothing to copy (or it is empty). */
const NO_SOURCE = 78;
/** seed.sh: data that should be there is not. */
const DATA_MISSING = 66;

export interface SeedContext {
  engine: Engine;
  files: Files;
  settings: DockerSettings;
}

/**
 * Makes the instance's volumes and fills them from the source; volumes that are filled already only get the odoo.conf of
 * today. Dying half-way is healed by the next run. RetryableError `job.failed` with the output when the copy fails;
 * TerminalError `instance.data_missing` when data should be there and is not.
 */
export async function seedVolumes(
  { engine, files, settings }: SeedContext,
  spec: InstanceSpec,
  rendered: Rendered,
  secrets: InstanceSecrets,
  source: OpenSource,
  { mustExist, progress }: FillOptions,
): Promise<void> {
  const { names, labels } = rendered;
  // Made while the copy runs.
  const stdin = seedArchive(files, settings, spec, rendered, secrets);
  stdin.catch(() => undefined);
  const [found] = await Promise.all([
    source.find(),
    ...[names.pgdata, names.filestore, names.config].map((volume) => ensureOwnVolume(engine, volume, labels)),
  ]);
  const run = async (from: SourceVolumes | null): Promise<boolean> => {
    const task = seedJob(files, rendered, { from, mustExist, stdin });
    const { exitCode, output } = await runJob(engine, task, [0, NO_SOURCE, DATA_MISSING]);
    if (exitCode === DATA_MISSING) throw dataMissing(spec.name, output);
    return exitCode === 0;
  };
  if (await run(found)) return;
  // Somebody removed the volumes to copy from: mounting them made empty ones.
  if (found) await source.discard(found);
  if (await run(await source.make(progress))) return;
  const advice = 'Look at the log of the template build; it is built again.';
  throw new RetryableError('template.empty', `${spec.name}: the new template is empty`, advice);
}

/** Makes the volume, unless it is there. */
async function ensureOwnVolume(engine: Engine, volume: string, labels: Record<string, string>): Promise<void> {
  await engine.ensureVolume(volume, labels);
  await hasOwnVolume(engine, volume, labels);
}

function dataMissing(name: string, output: string): TerminalError {
  return new TerminalError(
    'instance.data_missing',
    `the data of ${name} is not there, though it was in use: ${output.trim().slice(-200)}`,
    'Press Restore on its record: the last backup comes back. Nothing is started until its data is whole.',
  );
}

async function seedArchive(
  files: Files,
  settings: DockerSettings,
  spec: InstanceSpec,
  rendered: Rendered,
  secrets: InstanceSecrets,
): Promise<Buffer> {
  const passwordHash = await odooPasswordHash(secrets.adminPassword.reveal());
  const sql = personaliseSql(files, spec, secrets, { passwordHash, timeZone: settings.timeZone });
  return tar([
    { name: 'personalise.sql', content: sql, mode: 0o400 },
    { name: 'close.sh', content: files.closeScript, mode: 0o444 },
    { name: 'odoo.conf', content: rendered.conf, mode: 0o400 },
    { name: 'limits.json', content: rendered.limitsJson, mode: 0o444 },
    ...files.limitsModule.map((file) => ({ ...file, mode: 0o444 })),
  ]);
}

/** The one-shot container: root with five capabilities, no network, what is copied read-only. */
export function seedJob(
  files: Pick<Files, 'seedScript'>,
  { names, labels, release }: Pick<Rendered, 'names' | 'labels' | 'release'>,
  { from, mustExist, stdin }: { from: SourceVolumes | null; mustExist: boolean; stdin: Promise<Buffer> },
): Job {
  return {
    name: `${names.project}_seed`,
    image: release.postgresImage,
    entrypoint: ['bash', '-c', files.seedScript, 'seed'],
    command: [mustExist ? 'keep' : 'fill'],
    labels,
    bounds: BOUNDS.seed,
    mounts: [
      ...(from
        ? [
            { volume: from.pgdataVolume, target: '/template/pgdata', readOnly: true },
            { volume: from.filestoreVolume, target: '/template/filestore', readOnly: true },
          ]
        : []),
      { volume: names.pgdata, target: '/instance/pgdata' },
      { volume: names.filestore, target: '/instance/filestore' },
      { volume: names.config, target: '/instance/config' },
    ],
    stdin,
  };
}
