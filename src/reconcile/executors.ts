/** What each step does. A step without an executor does not compile. */
import type { Front, Runtime } from '../instance/ports.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Step, StepArgs, StepName } from '../instance/steps.js';
import { BridgeError, RetryableError } from '../lib/errors.js';
import { type Intercept, UNTOUCHED_CALL } from '../lib/intercept.js';
import type { Log } from '../lib/logger.js';
import type { Outside } from '../lib/turns.js';

/** Most are ready by then; who is not waits on without keeping the others from working. */
const READY_SOON_MS = 5_000;
const READY_TIMEOUT_MS = 120_000;

/** What Odoo restores, or the volumes as they are. */
export type CopyFormat = 'zip' | 'tgz';

export interface Target {
  spec: InstanceSpec;
  /** It was ready once: there is a customer's data. */
  provisioned: boolean;
  /** Nobody has its first password yet. */
  isPasswordOwed: boolean;
  /** Where its final copy goes. */
  exportFile(format: CopyFormat): string;
  /** Writes down until when it is kept. */
  promise(file: string): Promise<void>;
  outside: Outside;
}

/** Does the work when its turn has come. */
export type Lane = <T>(work: () => Promise<T>) => Promise<T>;

type Executors = { [Name in StepName]: (target: Target, args: StepArgs[Name]) => Promise<void> };

export interface ExecutorParts {
  runtime: Runtime;
  front: Pick<Front, 'release'>;
  /** One copy after the other: it takes its time, and a processor. */
  exportLane: Lane;
  /** Makes a backup of an instance now. */
  backUp(instanceKey: string, before: 'rebuild'): Promise<void>;
  log: Log;
  /** Sees each step. */
  intercept?: Intercept;
}

export type Execute = (step: Step, target: Target) => Promise<void>;

export function createExecutors(parts: ExecutorParts): Execute {
  const { runtime, front, exportLane, log, intercept = UNTOUCHED_CALL } = parts;

  async function copy(target: Target, format: CopyFormat, write: Runtime['exportData']): Promise<void> {
    const { spec, outside } = target;
    const file = target.exportFile(format);
    const { bytes } = await outside(() => exportLane(() => write(spec, file)));
    await target.promise(file);
    const megabytes = Math.ceil(bytes / 1024 ** 2);
    log.info('instance.exported', `The final copy of ${spec.name} is ${file} (${megabytes} MB).`, {
      instance: spec.name,
      file,
    });
  }

  /** What has lost its database or its files is no whole copy; the rest of it is kept before a person's word lets it go. */
  async function keepWhatIsLeft(target: Target, error: unknown): Promise<never> {
    if (error instanceof BridgeError && error.code === 'export.no_data') {
      const { spec, outside } = target;
      const file = target.exportFile('tgz');
      const left = await outside(() => exportLane(() => runtime.copyLeft(spec, file)));
      if (left) {
        await target.promise(file);
        log.info('instance.exported', `What is left of ${spec.name} is in ${file}.`, { instance: spec.name, file });
      }
    }
    throw error;
  }

  const executors: Executors = {
    ensureNetwork: ({ spec }) => runtime.ensureNetwork(spec),
    seedVolumes: ({ spec, provisioned }) =>
      runtime.fill(
        spec,
        { kind: 'template', modules: spec.modules },
        {
          mustExist: provisioned,
          progress: (message) => log.info('template.building', message, { instance: spec.name }),
        },
      ),
    startDb: ({ spec }) => runtime.startDb(spec),
    async startOdoo({ spec }) {
      // A port that is taken would cost the instance its place.
      await front.release(spec.placement);
      await runtime.startOdoo(spec);
    },
    async startBoth({ spec }) {
      await front.release(spec.placement);
      await runtime.startBoth(spec);
    },
    stopOdoo: ({ spec }) => runtime.stopOdoo(spec),
    stopDb: ({ spec }) => runtime.stopDb(spec),
    async awaitReady({ spec, outside }, { login }) {
      try {
        await runtime.awaitReady(spec, { login, timeoutMs: READY_SOON_MS });
      } catch (error) {
        if (!(error instanceof RetryableError) || error.code !== 'instance.not_ready') throw error;
        await outside(() => runtime.awaitReady(spec, { login, timeoutMs: READY_TIMEOUT_MS }));
      }
    },
    applySettings: ({ spec }) => runtime.applySettings(spec),
    setSecrets: ({ spec, provisioned, isPasswordOwed }) =>
      runtime.setSecrets(spec, { admin: !provisioned || isPasswordOwed }),
    applyLimits: ({ spec }) => runtime.applyLimits(spec),
    exportData: (target) =>
      copy(target, 'zip', runtime.exportData).catch((error: unknown) => keepWhatIsLeft(target, error)),
    copyVolumes: (target) => copy(target, 'tgz', runtime.copyVolumes),
    backUp: ({ spec, outside }) => outside(() => parts.backUp(spec.key, 'rebuild')),
    // The store says which volumes it uses (reconciler.ts).
    useRestored: async () => undefined,
    removeFormer: ({ spec }) => runtime.removeOthers(spec),
    removeContainers: ({ spec }) => runtime.removeContainers(spec),
    async removeVolumes({ spec }) {
      // The page says that the data is safe.
      await front.release(spec.placement);
      await runtime.removeVolumes(spec);
    },
    removeNetwork: ({ spec }) => runtime.removeNetwork(spec),
  };
  return (step, target) => {
    const execute = executors[step.action] as (target: Target, step: Step) => Promise<void>;
    return intercept(`${step.action} ${target.spec.name}`, () => execute(target, step));
  };
}
