/** Tasks that outlived their daemon: they would go on beside those of the next one, on the same volumes. */
import { LABEL } from '../../instance/naming.js';
import type { Engine } from '../engine/engine.js';

/** Ends all tasks on instances of the scope but this process's own; gives how many there were. */
export async function endLeftTasks(engine: Engine, scope: string): Promise<number> {
  const tasks = await engine.listContainers([`${LABEL.scope}=${scope}`, `${LABEL.role}=job`, LABEL.key]);
  const left = tasks.filter(({ Labels }) => Labels[LABEL.run] !== engine.run);
  await Promise.all(left.map(({ Id }) => engine.removeContainer(Id)));
  return left.length;
}
