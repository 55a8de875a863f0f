/** Tells of the containers of our instances that start and end. */
import { LABEL } from '../../instance/naming.js';
import type { ContainerChange, Watch } from '../../instance/ports.js';
import type { Engine } from '../engine/engine.js';

const ACTIONS = ['start', 'die', 'destroy'];

export async function watch(
  engine: Engine,
  scope: string,
  onChange: (change: ContainerChange) => void,
): Promise<Watch> {
  const labels = [`${LABEL.scope}=${scope}`, LABEL.key];
  return engine.events(labels, ACTIONS, ({ action, labels: { [LABEL.key]: key, [LABEL.role]: role } }) => {
    if (key && (role === 'odoo' || role === 'db')) onChange({ key, died: action === 'die' });
  });
}
