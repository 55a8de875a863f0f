/** Two servers on one cluster would destroy it: what works on the database volume alone makes sure of it first. */
import { LABEL } from '../../instance/naming.js';
import { RetryableError } from '../../lib/errors.js';
import type { Engine } from '../engine/engine.js';
import type { Rendered } from './rendering.js';

/** For the server of a task to stop. */
const STOP_SECONDS = 90;

/** Throws RetryableError `docker.volume_in_use`. What a daemon that died has left at work there is ended. */
export async function assertUnused(engine: Engine, { names, labels }: Pick<Rendered, 'names' | 'labels'>) {
  for (const container of await engine.listContainers([], names.pgdata)) {
    if (container.State !== 'running' && container.State !== 'restarting') continue;
    const name = (container.Names[0] ?? container.Id).replace(/^\//, '');
    const isLeft = container.Labels[LABEL.role] === 'job' && container.Labels[LABEL.scope] === labels[LABEL.scope];
    if (isLeft) await engine.stopContainer(container.Id, STOP_SECONDS);
    else {
      throw new RetryableError(
        'docker.volume_in_use',
        `${name} runs on ${names.pgdata}, on which nothing may run now`,
        `Stop the container ${name}; it is tried again.`,
      );
    }
  }
}
