import { expect } from 'chai';
import type { CommandName } from '../../../src/instance/command.js';
import type { Step } from '../../../src/instance/steps.js';
import type { Instance, Observed, Usage } from '../../../src/instance/types.js';
import { createMetrics } from '../../../src/lib/metrics.js';
import {
  type InstanceValues,
  type NoticeDetails,
  type PushOperation,
  pushOperation,
} from '../../../src/protocol/push.js';
import type { Runtime } from '../../../src/reconcile/executors.js';
import { createReconciler } from '../../../src/reconcile/reconciler.js';
import { newInstance, type TestStore, testStore } from '../store/support.js';
import { bought, CUSTOMER, keptLog, only, PLAN, POLICY } from './support.js';

export const KEY = 'sol:1';

/** What the steps leave behind, so that the next look sees it. Proves nothing about Docker; that is tested on Docker. */
function stubRuntime(store: () => TestStore['store']) {
  const steps: string[] = [];
  let observed: Observed = { network: false, db: null, odoo: null, volumes: false };
  let failAt: { step: number; error: unknown } | null = null;
  let found: number | null = null;
  let usage: Usage | null = null;
  const exported: string[] = [];
  const container = (name: string, running: boolean) => ({ id: name, name, running, specHash: 'h', exitCode: null });
  const effects: Record<Step['action'], () => Partial<Observed>> = {
    ensureNetwork: () => ({ network: true }),
    seedVolumes: () => ({ volumes: true }),
    startBoth: () => ({ db: container('db', true), odoo: container('odoo', true) }),
    startDb: () => ({ db: container('db', true) }),
    startOdoo: () => ({ odoo: container('odoo', true) }),
    stopOdoo: () => ({ odoo: container('odoo', false) }),
    stopDb: () => ({ db: container('db', false) }),
    awaitReady: () => ({}),
    applyLimits: () => ({}),
    exportData: () => {
      if (!observed.volumes) throw new Error('nothing to copy');
      return {};
    },
    removeContainers: () => ({ db: null, odoo: null }),
    removeVolumes: () => ({ volumes: false }),
    removeNetwork: () => ({ network: false }),
  };
  const runtime = only<Runtime>({
    observe: async () => observed,
    specHashes: () => ({ db: 'h', odoo: 'h' }),
    addresses: ({ slot, name }) => ({
      httpPort: 20_000 + 2 * slot,
      longpollingPort: 20_001 + 2 * slot,
      odooContainer: name,
      dbContainer: `${name}_db`,
    }),
    findSlot: async (key) => {
      const instance = store().instances.get(key);
      if (instance && found !== null) store().instances.upsert({ ...instance, slot: found });
      return found;
    },
    allocateSlot: async (key) => store().slots.allocate(key, 10),
    async measure() {
      if (!usage) throw new Error('no measure is expected');
      return usage;
    },
    async execute(step, target) {
      if (failAt?.step === steps.length) {
        const { error } = failAt;
        failAt = null;
        throw error;
      }
      observed = { ...observed, ...effects[step.action]() };
      if (step.action === 'exportData') exported.push(target.exportFile);
      steps.push(step.action === 'awaitReady' && step.login ? 'awaitReady+login' : step.action);
    },
  });
  return {
    runtime,
    exported,
    /** Steps since the last call. */
    taken: () => steps.splice(0),
    running: () => [observed.db?.running === true, observed.odoo?.running === true],
    observed: () => observed,
    failAfter(step: number, error: unknown) {
      failAt = { step, error };
    },
    findSlot(slot: number) {
      found = slot;
    },
    /** What measuring finds from now on. */
    uses(what: Usage) {
      usage = what;
    },
  };
}

/** A reconciler on a real store. */
export function harness(options: { exportDays?: number; policy?: Partial<typeof POLICY> } = {}) {
  const test = testStore();
  const log = keptLog();
  const engine = stubRuntime(() => test.store);
  const master = {
    /** What a fresh look brings. */
    readAfresh: async (): Promise<void> => expect.fail('no fresh look is expected'),
  };
  const reconciler = createReconciler({
    store: test.store,
    runtime: engine.runtime,
    readAfresh: () => master.readAfresh(),
    exportFile: ({ key, name }) => `/exports/${name}.${key}.zip`,
    exportDays: options.exportDays ?? 90,
    policy: { ...POLICY, ...options.policy },
    urlOf: (name, slot) => `https://${name}.example.com:${slot}`,
    clock: () => test.now,
    log,
    metrics: createMetrics(only({})),
    onOutbox: () => undefined,
  });

  /** Takes all that is owed to the master, as a delivery does. */
  function owed(): PushOperation[] {
    return test.store.outbox.due(test.now, 1000).map(({ id, version, operation }) => {
      test.store.outbox.delivered(id, version);
      const { details: _, ...sent } = { details: null, ...operation };
      pushOperation.parse(sent);
      return operation;
    });
  }

  const h = {
    test,
    log,
    engine,
    master,
    reconciler,
    owed,
    add(changes: Partial<Instance> = {}, purchases = [bought({ instanceKey: KEY })]): void {
      test.store.instances.create({ ...newInstance(KEY), customer: CUSTOMER, ...changes }, () => 'acme');
      test.store.purchases.save(purchases);
    },
    /** One that runs, with its welcome behind it. */
    async running(purchases = [bought({ instanceKey: KEY })]): Promise<void> {
      h.add({}, purchases);
      await h.run();
      engine.taken();
      owed();
    },
    instance: () => test.store.instances.get(KEY) ?? expect.fail('no instance'),
    run: () => reconciler.reconcile(KEY),
    runAt(moment: Date) {
      test.now = moment;
      return h.run();
    },
    /** Takes what is owed; the keys of the mails in it, without the instance's. */
    mails: () => h.mailsWithDetails().map(([key]) => key),
    mailsWithDetails(): [string, NoticeDetails][] {
      return owed().flatMap((operation): [string, NoticeDetails][] => {
        if (operation.op !== 'notice') return [];
        const key = operation.key.replace(/^notice:/, '').replace(`:${KEY}`, '');
        return [[key, operation.details ?? expect.fail('no details')]];
      });
    },
    /** Takes what is owed; the one report of the instance in it. */
    values(): InstanceValues {
      const reports = owed().flatMap((operation) => (operation.op === 'instance' ? [operation.values] : []));
      return reports.length === 1 && reports[0] ? reports[0] : expect.fail(`${reports.length} reports`);
    },
    ask(command: CommandName, id = 5, planId: number | null = null) {
      return test.store.commands.add([{ id, instanceKey: KEY, command, requestedBy: 'Ann', planId }]);
    },
    answers: () => owed().filter((operation) => operation.op === 'command'),
    remove: () => test.remove(),
  };
  test.store.plans.save([PLAN]);
  return h;
}
export type Harness = ReturnType<typeof harness>;
