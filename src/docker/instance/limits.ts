/** The limits that an instance's Odoo reads by itself (templates/instance/saas_limits), while it runs or not. */
import type { Release } from '../../instance/release.js';
import { BOUNDS } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { type Job, runJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { hasOwnVolume } from './own-volume.js';
import type { Rendered } from './rendering.js';

export interface LimitsContext {
  engine: Engine;
  files: Pick<Files, 'limitsScript'>;
  release: Pick<Release, 'postgresImage'>;
}

/** Writes limits.json into the config volume. Without a volume there is nothing to do: seeding writes it too. */
export async function writeLimits({ engine, files, release }: LimitsContext, rendered: Rendered): Promise<void> {
  // Mounting a volume that is missing would make one without our labels.
  if (!(await hasOwnVolume(engine, rendered.names.config, rendered.labels))) return;
  await runJob(engine, limitsJob(files, release, rendered));
}

/** The one-shot container: root without any capability, no network, the config volume alone. */
export function limitsJob(
  files: Pick<Files, 'limitsScript'>,
  release: Pick<Release, 'postgresImage'>,
  { names, labels, limitsJson }: Pick<Rendered, 'names' | 'labels' | 'limitsJson'>,
): Job {
  return {
    name: `${names.project}_limits`,
    image: release.postgresImage,
    entrypoint: ['bash', '-c', files.limitsScript, 'limits'],
    labels,
    bounds: BOUNDS.limits,
    mounts: [{ volume: names.config, target: '/config' }],
    stdin: Buffer.from(limitsJson),
  };
}
