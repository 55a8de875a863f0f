/** The reported lifecycle, and what each phase means to everybody who asks: one row a phase, so that none is forgotten. */

/** The `state` column in the master. */
export const PHASES = [
  'draft',
  'provisioning',
  'running',
  'suspended',
  'stopped',
  'error',
  'deleting',
  'deleted',
] as const;
export type Phase = (typeof PHASES)[number];

export interface PhaseRule {
  /** What the engine must have of it; `any` while it is being worked on or in trouble. */
  containers: 'up' | 'down' | 'any';
  /** What a page in its place says; null where it has none. */
  page: 'suspended' | 'stopped' | null;
  /** The state that the dry run starts from; null where there is none to start from. */
  settled: 'running' | 'suspended' | 'stopped' | null;
  /** A purchase of its customer may renew it. */
  renewable: boolean;
  /** It is gone: nothing of it is on the engine, and its name is free. */
  gone: boolean;
}

const AT_WORK = { containers: 'any', page: null, settled: null, renewable: true, gone: false } as const;

interface Reported {
  phase: Phase;
  asleepSince: Date | null;
}

/** It counts as running, and is down until somebody visits it. */
export function isAsleep({ phase, asleepSince }: Reported): boolean {
  return phase === 'running' && asleepSince !== null;
}

/** What the engine must have of an instance. */
export function containersWanted(instance: Reported): PhaseRule['containers'] {
  return isAsleep(instance) ? 'down' : PHASE[instance.phase].containers;
}

export const PHASE: { readonly [P in Phase]: PhaseRule } = {
  draft: AT_WORK,
  provisioning: AT_WORK,
  running: { ...AT_WORK, containers: 'up', settled: 'running' },
  suspended: { ...AT_WORK, containers: 'down', page: 'suspended', settled: 'suspended' },
  stopped: { ...AT_WORK, containers: 'down', page: 'stopped', settled: 'stopped' },
  error: AT_WORK,
  deleting: { ...AT_WORK, renewable: false },
  deleted: { ...AT_WORK, renewable: false, gone: true },
};
