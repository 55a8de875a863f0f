/** What each step does on the engine. A step without an executor does not compile. */
import { SlotTakenError } from '../docker/engine/errors.js';
import type { ObservedInstance } from '../docker/instance/observe.js';
import type { Instances } from '../docker/instance/runtime.js';
import { resourceNames, slotPorts } from '../instance/naming.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Step, StepArgs, StepName } from '../instance/steps.js';
import type { Observed, Usage } from '../instance/types.js';
import { RetryableError } from '../lib/errors.js';
import type { Log } from '../lib/logger.js';
import type { Store } from '../store/store.js';

const READY_TIMEOUT_MS = 120_000;

export interface Target {
  spec: InstanceSpec;
  /** It was ready once: there is a customer's data. */
  provisioned: boolean;
  /** Where its final copy goes. */
  exportFile: string;
}

type Executors = { [Name in StepName]: (target: Target, args: StepArgs[Name]) => Promise<void> };

/** The engine as the reconciler uses it. */
export interface Runtime {
  observe(spec: InstanceSpec): Promise<Observed>;
  specHashes(spec: InstanceSpec): { db: string; odoo: string };
  addresses(spec: InstanceSpec): {
    httpPort: number;
    longpollingPort: number;
    odooContainer: string;
    dbContainer: string;
  };
  /** The slot that its objects on the engine were made for: the store may have been lost. Null when it has none. */
  findSlot(instanceKey: string): Promise<number | null>;
  /** The slot it has on the engine, or the lowest that is free there and in the store. */
  allocateSlot(instanceKey: string): Promise<number>;
  execute(step: Step, target: Target): Promise<void>;
  /** What a running instance uses now. */
  measure(spec: InstanceSpec): Promise<Usage>;
}

export interface RuntimeParts {
  instances: Instances;
  store: Store;
  scope: string;
  portBase: number;
  maxSlots: number;
  /** Gives the port back that the page of an instance that is down may hold; resolves when it is free. */
  releasePort(port: number): Promise<void>;
  log: Log;
}

export function createRuntime(parts: RuntimeParts): Runtime {
  const { instances, store, scope, portBase, maxSlots, log } = parts;
  /** A port that is taken would cost the instance its slot. */
  const leavePort = ({ slot }: InstanceSpec) => parts.releasePort(slotPorts(portBase, slot).http);
  const executors: Executors = {
    ensureNetwork: ({ spec }) => instances.ensureNetwork(spec),
    seedVolumes: ({ spec, provisioned }) =>
      instances.seedVolumes(spec, {
        mustExist: provisioned,
        progress: (message) => log.info('template.building', message, { instance: spec.name }),
      }),
    startDb: ({ spec }) => instances.startDb(spec),
    async startOdoo({ spec }) {
      await leavePort(spec);
      await instances.startOdoo(spec);
    },
    async startBoth({ spec }) {
      await leavePort(spec);
      await instances.startBoth(spec);
    },
    stopOdoo: ({ spec }) => instances.stopOdoo(spec.name),
    stopDb: ({ spec }) => instances.stopDb(spec.name),
    awaitReady: ({ spec }, { login }) => instances.awaitReady(spec, { login, timeoutMs: READY_TIMEOUT_MS }),
    applyLimits: ({ spec }) => instances.applyLimits(spec),
    exportData: async ({ spec, exportFile }) => {
      const { bytes } = await instances.exportData(spec, exportFile);
      const megabytes = Math.ceil(bytes / 1024 ** 2);
      log.info('instance.exported', `The final copy of ${spec.name} is ${exportFile} (${megabytes} MB).`, {
        instance: spec.name,
        file: exportFile,
      });
    },
    removeContainers: ({ spec }) => instances.removeContainers(spec.name),
    async removeVolumes({ spec }) {
      // The page says that the data is safe.
      await leavePort(spec);
      await instances.removeVolumes(spec.name);
    },
    removeNetwork: ({ spec }) => instances.removeNetwork(spec.name),
  };

  /** Another program has the port or the subnet: what was made for the slot goes, and the next run takes another. */
  async function leaveSlot({ spec }: Target, error: SlotTakenError): Promise<never> {
    await instances.removeContainers(spec.name);
    await instances.removeNetwork(spec.name);
    store.slots.retire(spec.key);
    throw new RetryableError('instance.slot_taken', error.message, 'It is tried again with another slot.', {
      cause: error,
    });
  }

  /** Volumes alone prove nothing: they outlive a slot that was left. */
  function adoptSlot(instanceKey: string, observed: Map<string, ObservedInstance>): number | null {
    const instance = store.instances.get(instanceKey);
    const found = instance ? observed.get(instance.name) : undefined;
    if (!instance || found?.key !== instanceKey || !(found.network || found.db || found.odoo)) return null;
    if (found.slot !== null) store.instances.upsert({ ...instance, slot: found.slot });
    return found.slot;
  }

  return {
    measure: (spec) => instances.measure(spec),
    observe: (spec) => instances.observe(spec.name),
    specHashes: (spec) => instances.hashes(spec),
    addresses(spec) {
      const { http, longpolling } = slotPorts(portBase, spec.slot);
      const { odoo, db } = resourceNames(scope, spec.name);
      return { httpPort: http, longpollingPort: longpolling, odooContainer: odoo, dbContainer: db };
    },
    async findSlot(instanceKey) {
      return adoptSlot(instanceKey, await instances.observeAll());
    },
    async allocateSlot(instanceKey) {
      const observed = await instances.observeAll();
      const taken = new Set([...observed.values()].map(({ slot }) => slot));
      return (
        adoptSlot(instanceKey, observed) ?? store.slots.allocate(instanceKey, maxSlots, (slot) => !taken.has(slot))
      );
    },
    async execute(step, target) {
      const run = executors[step.action] as (target: Target, step: Step) => Promise<void>;
      try {
        await run(target, step);
      } catch (error) {
        if (error instanceof SlotTakenError) await leaveSlot(target, error);
        throw error;
      }
    },
  };
}
