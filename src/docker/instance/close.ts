/** What every role of a cluster may use beside its own database is closed, before its server starts. */
import type { Release } from '../../instance/release.js';
import { BOUNDS } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { type Job, runJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { hasOwnVolume } from './own-volume.js';
import type { Rendered } from './rendering.js';

export interface CloseContext {
  engine: Engine;
  files: Pick<Files, 'closeScript'>;
  release: Pick<Release, 'postgresImage'>;
}

/** Does it once for a cluster. No server may run on the volume; without a volume there is nothing to do. */
export async function closeDatabases(
  context: CloseContext,
  rendered: Pick<Rendered, 'names' | 'labels'>,
): Promise<void> {
  if (!(await hasOwnVolume(context.engine, rendered.names.pgdata, rendered.labels))) return;
  await runJob(context.engine, closeJob(context, rendered));
}

/** The one-shot container: the server's own user, no network, the database volume alone. */
export function closeJob(
  { files, release }: Pick<CloseContext, 'files' | 'release'>,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
): Job {
  return {
    name: `${names.project}_close`,
    image: release.postgresImage,
    entrypoint: ['bash', '-c', files.closeScript, 'close'],
    labels,
    bounds: BOUNDS.close,
    mounts: [{ volume: names.pgdata, target: '/var/lib/postgresql/data' }],
  };
}
