/**
 * The planner: desired × observed → steps. Pure; asks nothing and does nothing. What runs is left as it is, whatever it was
 * made from: another revision is taken at the next start.
 */
import type { Step } from './steps.js';
import type { Desired, Observed } from './types.js';

export interface PlanContext {
  /** It was ready once: its password is known to work. */
  provisioned: boolean;
  /** The containers that exist have the plan's limits. */
  limitsApplied: boolean;
  /** Its Odoo was told the address, and the like, that it has now. */
  settingsApplied: boolean;
  /** Its passwords derive from the key that the daemon has. */
  secretsSet: boolean;
  /** Its database is to run though the instance is down: somebody reads it. */
  databaseWanted?: boolean;
  /** It is to be down until somebody visits it. */
  isAsleep?: boolean;
}

/** The steps that are missing, in order; none when all is as it must be. */
export function planSteps(desired: Desired, observed: Observed, context: PlanContext): Step[] {
  switch (desired.state) {
    case 'running':
      return context.isAsleep ? stepsToBeDown(observed, context) : stepsToRun(observed, context);
    case 'suspended':
    case 'stopped':
      return stepsToBeDown(observed, context);
    case 'deleted':
      return stepsToDelete(observed);
  }
}

function stepsToRun(
  observed: Observed,
  { provisioned, limitsApplied, settingsApplied, secretsSet }: PlanContext,
): Step[] {
  const steps: Step[] = [];
  let { db, odoo } = observed;
  // A container is bound to the id of its network: one that outlived it never starts again.
  if (!observed.network) {
    if (db !== null || odoo !== null) steps.push({ action: 'removeContainers' });
    db = null;
    odoo = null;
  }
  if (!observed.network) steps.push({ action: 'ensureNetwork' });
  if (!limitsApplied && (db !== null || odoo !== null)) steps.push({ action: 'applyLimits' });
  if (!secretsSet && observed.volumes !== false) {
    steps.push(...stepsToStop({ db, odoo }), { action: 'setSecrets' });
    db &&= { ...db, running: false };
    odoo &&= { ...odoo, running: false };
  }
  if (db === null || odoo === null || observed.volumes === false) steps.push({ action: 'seedVolumes' });
  if (db === null && odoo === null) steps.push({ action: 'startBoth' });
  else {
    if (!db?.running) steps.push({ action: 'startDb' });
    if (!odoo?.running) steps.push({ action: 'startOdoo' });
  }
  // Volumes that are made now are filled with the settings of now.
  if (!settingsApplied && observed.volumes) steps.push({ action: 'applySettings' });
  const isInPlace = steps.every(({ action }) => action === 'applyLimits' || action === 'applySettings');
  if (!isInPlace || !provisioned) steps.push({ action: 'awaitReady', login: !provisioned });
  return steps;
}

function stepsToBeDown(observed: Observed, { databaseWanted }: PlanContext): Step[] {
  return databaseWanted ? stepsToOpen(observed) : stepsToStop(observed);
}

function stepsToStop({ db, odoo }: Pick<Observed, 'db' | 'odoo'>): Step[] {
  const steps: Step[] = [];
  if (odoo?.running) steps.push({ action: 'stopOdoo' });
  if (db?.running) steps.push({ action: 'stopDb' });
  return steps;
}

/** Its database alone. */
function stepsToOpen({ db, odoo, network }: Observed): Step[] {
  if (db?.running && !odoo?.running) return [];
  return [
    ...(odoo?.running ? [{ action: 'stopOdoo' } as const] : []),
    // A container that outlived its network never starts again.
    ...(network ? [] : [{ action: 'removeContainers' } as const, { action: 'ensureNetwork' } as const]),
    ...(db?.running ? [] : [{ action: 'startDb' } as const]),
  ];
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
