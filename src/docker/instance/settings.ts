/** What a running instance's Odoo is told of itself: its public address, and where it reaches itself for reports. */
import type { Release } from '../../instance/release.js';
import type { InstanceSecrets } from '../../instance/secrets.js';
import type { InstanceSpec } from '../../instance/spec.js';
import { BOUNDS } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { type Job, runJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { hasOwnVolume } from './own-volume.js';
import type { Rendered } from './rendering.js';

/** Its own port, as Odoo sees it: the public address may not be reached from inside, and reports fetch their style. */
export const REPORT_URL = 'http://127.0.0.1:8069';

export interface SettingsContext {
  engine: Engine;
  files: Pick<Files, 'settingsScript' | 'settingsSql'>;
  release: Pick<Release, 'postgresImage'>;
}

/** Writes them into the database, which must run, and has a running Odoo read them anew. */
export async function writeSettings(
  { engine, files, release }: SettingsContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
  { url }: Pick<InstanceSpec, 'url'>,
  secrets: Pick<InstanceSecrets, 'dbPassword'>,
): Promise<void> {
  // The network has the instance's name alone: the volume behind it tells whose it is.
  await hasOwnVolume(engine, rendered.names.pgdata, rendered.labels);
  const statements = files.settingsSql({ url, reportUrl: REPORT_URL });
  await runJob(engine, settingsJob(files, release, rendered, secrets, statements));
}

/** The one-shot container: PostgreSQL's user without any capability, the instance's network, no volume. */
export function settingsJob(
  files: Pick<Files, 'settingsScript'>,
  release: Pick<Release, 'postgresImage'>,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
  { dbPassword }: Pick<InstanceSecrets, 'dbPassword'>,
  statements: string,
): Job {
  return {
    name: `${names.project}_settings`,
    image: release.postgresImage,
    entrypoint: ['bash', '-c', files.settingsScript, 'settings'],
    labels,
    bounds: BOUNDS.settings,
    network: names.network,
    stdin: Buffer.from(`*:*:*:*:${dbPassword.reveal()}\n${statements}`),
  };
}
