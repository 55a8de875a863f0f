/** The planner: desired × observed → steps. Pure; asks nothing and does nothing. */
import type { Step } from './steps.js';
import type { Desired, Observed, ObservedContainer } from './types.js';

export interface PlanContext {
  /** Hashes that the containers must carry. */
  specHashes: { db: string; odoo: string };
  /** It was ready once: its password is known to work. */
  provisioned: boolean;
}

/** The steps that are missing, in order; none when all is as it must be. */
export function planSteps(desired: Desired, observed: Observed, context: PlanContext): Step[] {
  switch (desired.state) {
    case 'running':
      return stepsToRun(observed, context);
    case 'suspended':
    case 'stopped':
      return stepsToStop(observed);
    case 'deleted':
      return stepsToDelete(observed);
  }
}

function stepsToRun(observed: Observed, { specHashes, provisioned }: PlanContext): Step[] {
  const steps: Step[] = [];
  let { db, odoo } = observed;
  if (!observed.network) {
    // A container is bound to the id of its network: one that outlived it never starts again.
    if (db !== null || odoo !== null) steps.push({ action: 'removeContainers' });
    db = null;
    odoo = null;
    steps.push({ action: 'ensureNetwork' });
  }
  if (db === null || odoo === null || observed.volumes === false) steps.push({ action: 'seedVolumes' });
  if (db === null && odoo === null) steps.push({ action: 'startBoth' });
  else {
    if (!runs(db, specHashes.db)) steps.push({ action: 'startDb' });
    if (!runs(odoo, specHashes.odoo)) steps.push({ action: 'startOdoo' });
  }
  if (steps.length > 0 || !provisioned) steps.push({ action: 'awaitReady', login: !provisioned });
  return steps;
}

function stepsToStop({ db, odoo }: Observed): Step[] {
  const steps: Step[] = [];
  if (odoo?.running) steps.push({ action: 'stopOdoo' });
  if (db?.running) steps.push({ action: 'stopDb' });
  return steps;
}

/** The network goes last: where the engine was not asked for volumes, it tells that there may be some. */
function stepsToDelete({ db, odoo, network, volumes }: Observed): Step[] {
  const containers = db !== null || odoo !== null;
  const steps: Step[] = [];
  if (containers) steps.push({ action: 'removeContainers' });
  if (volumes ?? (containers || network)) steps.push({ action: 'removeVolumes' });
  if (network) steps.push({ action: 'removeNetwork' });
  return steps;
}

function runs(container: ObservedContainer | null, specHash: string): boolean {
  return container?.running === true && container.specHash === specHash;
}
