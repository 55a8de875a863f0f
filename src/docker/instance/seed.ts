/** Filling an instance's volumes: a copy of the template with the customer's values in it, before anything runs. */

import { LABEL } from '../../instance/naming.js';
import type { InstanceSecrets } from '../../instance/secrets.js';
import type { InstanceSpec } from '../../instance/spec.js';
import { RetryableError, TerminalError } from '../../lib/errors.js';
import { assertOurs, type Engine } from '../engine/engine.js';
import { tar } from '../engine/tar.js';
import { type Job, runJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import type { Progress, Template } from '../template/spec.js';
import type { TemplateStore } from '../template/store.js';
import { odooPasswordHash, personaliseSql } from './personalise.js';
import type { DockerSettings, Rendered } from './rendering.js';

const SEED_TIMEOUT_MS = 5 * 60_000;
/** seed.sh: the instance's volumes are not filled, and there is no template to copy (or an empty one). */
const NO_TEMPLATE = 78;
/** seed.sh: data that should be there is not. */
const DATA_MISSING = 66;

export interface SeedContext {
  engine: Engine;
  files: Files;
  settings: DockerSettings;
  templates: TemplateStore;
}

export interface SeedOptions {
  /** A customer has used it: what is missing is lost and must not be replaced by an empty database. */
  mustExist: boolean;
  progress?: Progress;
}

/**
 * Makes the instance's volumes and fills them; volumes that are filled already only get the odoo.conf of today.
 * Dying half-way is healed by the next run. RetryableError `job.failed` with the output when the copy fails;
 * TerminalError `instance.data_missing` when data should be there and is not.
 */
export async function seedVolumes(
  context: SeedContext,
  spec: InstanceSpec,
  rendered: Rendered,
  secrets: InstanceSecrets,
  { mustExist, progress }: SeedOptions,
): Promise<void> {
  const { engine, files, settings, templates } = context;
  const { names, labels } = rendered;
  const source = { ...settings, modules: spec.modules };
  // Made while the copy runs.
  const stdin = seedArchive(files, settings, spec, rendered, secrets);
  stdin.catch(() => undefined);
  const [template] = await Promise.all([
    templates.find(source),
    ...[names.pgdata, names.filestore, names.config].map((volume) => ensureOwnVolume(engine, volume, labels)),
  ]);
  const run = async (from: Template | null): Promise<boolean> => {
    const job = seedJob(files, settings, rendered, { template: from, mustExist, stdin });
    const { exitCode, output } = await runJob(engine, job, [0, NO_TEMPLATE, DATA_MISSING]);
    if (exitCode === DATA_MISSING) throw dataMissing(spec.name, output);
    return exitCode === 0;
  };
  if (await run(template)) return;
  // Somebody removed the template's volumes: mounting them made empty ones.
  if (template) await templates.discard(template);
  if (await run(await templates.ensure(source, progress))) return;
  const advice = 'Look at the log of the template build; it is built again.';
  throw new RetryableError('template.empty', `${spec.name}: the new template is empty`, advice);
}

/** Makes the volume; one that exists may have been restored by hand without labels, but never be another instance's. */
async function ensureOwnVolume(engine: Engine, volume: string, labels: Record<string, string>): Promise<void> {
  await engine.ensureVolume(volume, labels);
  const found = await engine.volumeLabels(volume);
  if (found?.[LABEL.key] === undefined) return;
  // Not the slot: it may have changed since.
  const { [LABEL.slot]: _slot, ...identity } = labels;
  assertOurs(`volume ${volume}`, found, identity);
}

function dataMissing(name: string, output: string): TerminalError {
  return new TerminalError(
    'instance.data_missing',
    `the data of ${name} is not there, though it was in use: ${output.trim().slice(-200)}`,
    'Restore its volumes from a backup while the daemon is stopped; nothing is started until they are whole.',
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
    { name: 'odoo.conf', content: rendered.conf, mode: 0o400 },
    { name: 'limits.json', content: rendered.limitsJson, mode: 0o444 },
    ...files.limitsModule.map((file) => ({ ...file, mode: 0o444 })),
  ]);
}

/** The one-shot container: root with five capabilities, no network, the template read-only. */
export function seedJob(
  files: Pick<Files, 'seedScript'>,
  settings: Pick<DockerSettings, 'postgresImage'>,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
  { template, mustExist, stdin }: { template: Template | null; mustExist: boolean; stdin: Promise<Buffer> },
): Job {
  return {
    name: `${names.project}_seed`,
    image: settings.postgresImage,
    entrypoint: ['bash', '-c', files.seedScript, 'seed'],
    command: [mustExist ? 'keep' : 'fill'],
    labels,
    user: 'root',
    capabilities: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID'],
    mounts: [
      ...(template
        ? [
            { volume: template.pgdataVolume, target: '/template/pgdata', readOnly: true },
            { volume: template.filestoreVolume, target: '/template/filestore', readOnly: true },
          ]
        : []),
      { volume: names.pgdata, target: '/instance/pgdata' },
      { volume: names.filestore, target: '/instance/filestore' },
      { volume: names.config, target: '/instance/config' },
    ],
    stdin,
    timeoutMs: SEED_TIMEOUT_MS,
  };
}
