/**
 * What can go wrong, times where: the list of cases, from the code's own tables. A step, an operation, a command or a
 * write to the master that is new does not compile before it has a stage here, and then has all its faults.
 */
import type { CommandName } from '../../src/instance/command.js';
import {
  OPERATION_KINDS,
  OPERATIONS,
  type OperationKind,
  progressesOf,
} from '../../src/instance/operations/operations.js';
import type { StepName } from '../../src/instance/steps.js';
import type { PushOperation } from '../../src/protocol/push.js';

export const KINDS = ['killed before', 'killed after', 'hangs', 'errors once', 'errors always', 'reply lost'] as const;
export type Kind = (typeof KINDS)[number];

/** What an instance lives through in the run, in this order. */
export const STAGES = [
  'buy',
  'stop',
  'start',
  'restart',
  'rebuild',
  'back up',
  'restore',
  'suspend',
  'resume',
  'extend',
  'change plan',
  'retry',
  'address',
  'night',
  'key',
  'delete',
  'delete as it is',
  'delete without copy',
] as const;
export type Stage = (typeof STAGES)[number];

type PushName = PushOperation['op'];

/** Where a fault is: in a step, as an operation comes to a progress, as a command is taken in, as a write is sent. */
export type Point =
  | { at: 'step'; step: StepName }
  | { at: 'progress'; operation: OperationKind; progress: string; step: StepName }
  | { at: 'command'; command: CommandName }
  | { at: 'push'; op: PushName };

export interface Case {
  /** `step startDb: killed before`. */
  id: string;
  stage: Stage;
  point: Point;
  kind: Kind;
}

const STEPS: { readonly [Name in StepName]: Stage } = {
  ensureNetwork: 'buy',
  seedVolumes: 'buy',
  startBoth: 'buy',
  awaitReady: 'buy',
  stopOdoo: 'stop',
  stopDb: 'stop',
  startDb: 'start',
  startOdoo: 'start',
  applyLimits: 'change plan',
  applySettings: 'address',
  setSecrets: 'key',
  exportData: 'delete',
  copyVolumes: 'delete as it is',
  backUp: 'rebuild',
  useRestored: 'restore',
  removeFormer: 'restore',
  removeContainers: 'delete',
  removeVolumes: 'delete',
  removeNetwork: 'delete',
};

const COMMANDS: { readonly [Name in CommandName]: Stage } = {
  start: 'start',
  stop: 'stop',
  restart: 'restart',
  rebuild: 'rebuild',
  back_up: 'back up',
  restore: 'restore',
  suspend: 'suspend',
  resume: 'resume',
  extend: 'extend',
  change_plan: 'change plan',
  retry: 'retry',
  delete: 'delete',
  delete_without_copy: 'delete without copy',
};

const WRITES: { readonly [Name in PushName]: Stage } = {
  instance: 'start',
  log: 'stop',
  notice: 'buy',
  todo: 'buy',
  summary: 'night',
  command: 'extend',
};

/** Each progress that is come to, and the step in which that is under way. */
const PROGRESSES: { readonly [Name in OperationKind]: { readonly [progress: string]: [Stage, StepName] } } = {
  restart: { start: ['restart', 'stopOdoo'], ready: ['restart', 'startOdoo'] },
  restore: {
    use: ['restore', 'removeContainers'],
    make: ['restore', 'useRestored'],
    tidy: ['restore', 'startBoth'],
    done: ['restore', 'removeFormer'],
  },
  rebuild: {
    remove: ['rebuild', 'backUp'],
    make: ['rebuild', 'removeContainers'],
    ready: ['rebuild', 'startBoth'],
  },
  export: { written: ['delete', 'exportData'], raw: ['delete as it is', 'exportData'] },
};

/** All cases, in the order of the stages. Throws RangeError on a progress of an operation that has no stage. */
export function allCases(): Case[] {
  const points: [Point, Stage, string][] = [];
  for (const [step, stage] of Object.entries(STEPS)) {
    points.push([{ at: 'step', step: step as StepName }, stage, `step ${step}`]);
  }
  for (const operation of OPERATION_KINDS) {
    for (const progress of reached(operation)) {
      const known = PROGRESSES[operation][progress];
      if (!known)
        throw new RangeError(`the operation ${operation} comes to ${progress}, which has no stage in the fault run`);
      const [stage, step] = known;
      points.push([{ at: 'progress', operation, progress, step }, stage, `operation ${operation}, ${progress}`]);
    }
  }
  for (const [command, stage] of Object.entries(COMMANDS)) {
    points.push([{ at: 'command', command: command as CommandName }, stage, `command ${command}`]);
  }
  for (const [op, stage] of Object.entries(WRITES)) {
    points.push([{ at: 'push', op: op as PushName }, stage, `write ${op}`]);
  }
  return points
    .flatMap(([point, stage, name]) => KINDS.map((kind): Case => ({ id: `${name}: ${kind}`, stage, point, kind })))
    .sort((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
}

/** Every progress of an operation that something leads to: not the one it begins with, nor the one that is chosen. */
function reached(kind: OperationKind): string[] {
  const machine = OPERATIONS[kind];
  return progressesOf(machine).filter((progress) => progress !== machine.begin && progress !== machine.chosen);
}
