/** The two containers of an instance: made, made again, started, stopped, removed. Found by the instance's key alone. */
import { LABEL } from '../../instance/naming.js';
import type { InstanceRef } from '../../instance/ports.js';
import { PlaceTakenError } from '../../lib/errors.js';
import type { ContainerDetails, ContainerSummary, Engine } from '../engine/engine.js';
import { ConflictError, NotFoundError } from '../engine/errors.js';
import { assertOurs } from '../engine/ours.js';
import { type ComposeService, containerOptions, sizeHashOf, specHashOf } from './compose.js';
import type { Rendered } from './rendering.js';

export type Role = 'db' | 'odoo';

/** PostgreSQL writes a checkpoint when it stops; Odoo finishes the requests it has. */
const STOP_GRACE_SECONDS = 30;

export type Containers = ReturnType<typeof createContainers>;

/** @param scope of this daemon on the engine. */
export function createContainers(engine: Engine, scope: string) {
  /** Labels that everything of an instance carries. A name alone proves nothing. */
  const ours = ({ key }: Pick<InstanceRef, 'key'>): string[] => [`${LABEL.scope}=${scope}`, `${LABEL.key}=${key}`];
  const identity = ({ key, name }: InstanceRef) => ({
    [LABEL.scope]: scope,
    [LABEL.instance]: name,
    [LABEL.key]: key,
  });

  const list = (instance: Pick<InstanceRef, 'key'>, role: Role): Promise<ContainerSummary[]> =>
    engine.listContainers([...ours(instance), `${LABEL.role}=${role}`]);

  async function stop(instance: Pick<InstanceRef, 'key'>, role: Role): Promise<void> {
    const found = await list(instance, role);
    await Promise.all(found.map((container) => engine.stopContainer(container.Id, STOP_GRACE_SECONDS)));
  }

  /**
   * The id of a container of the service, made now or made again if need be.
   * @param beforeMaking is awaited when one is about to be made in the place of another.
   */
  async function ensure(
    service: ComposeService,
    instance: InstanceRef,
    role: Role,
    beforeMaking: () => Promise<void>,
  ): Promise<string> {
    try {
      // On the way to a new customer there is none: creating it is also the cheapest question.
      return await engine.createContainer(containerOptions(service));
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
    const found = (await engine.inspectContainer(service.container_name).catch(nothing)) ?? null;
    if (found) {
      assertOurs(`container ${service.container_name}`, found.Config.Labels, {
        ...identity(instance),
        [LABEL.role]: role,
      });
      if (isUsable(found, service)) return found.Id;
      await engine.removeContainer(found.Id);
    }
    await beforeMaking();
    return engine.createContainer(containerOptions(service));
  }

  async function start(
    { services }: Pick<Rendered, 'services'>,
    instance: InstanceRef,
    role: Role,
    beforeMaking: () => Promise<void>,
  ): Promise<void> {
    const id = await ensure(services[role], instance, role, beforeMaking);
    try {
      await engine.startContainer(id);
    } catch (error) {
      // A container that could not get its port would keep its claim on it.
      if (error instanceof PlaceTakenError) await engine.removeContainer(id);
      throw error;
    }
  }

  /** Those for tasks too. */
  async function remove(instance: Pick<InstanceRef, 'key'>): Promise<void> {
    await stop(instance, 'odoo');
    await stop(instance, 'db');
    const found = await engine.listContainers(ours(instance));
    await Promise.all(found.map((container) => engine.removeContainer(container.Id)));
  }

  return { ours, identity, list, stop, start, remove };
}

/**
 * What runs is left as it is. What is stopped is made again where the revision or the size is another one: it is being
 * started all the same.
 */
function isUsable({ Config, State }: ContainerDetails, { labels }: ComposeService): boolean {
  if (State.Running) return true;
  return specHashOf(Config.Labels) === specHashOf(labels) && sizeHashOf(Config.Labels) === sizeHashOf(labels);
}

function nothing(error: unknown): null {
  if (error instanceof NotFoundError) return null;
  throw error;
}
