import { expect } from 'chai';
import { specReader } from '../../../src/facts/spec-of.js';
import type { CommandName } from '../../../src/instance/command.js';
import { OPERATIONS } from '../../../src/instance/operations/operations.js';
import type { Runtime } from '../../../src/instance/ports.js';
import type { Release } from '../../../src/instance/release.js';
import type { Step } from '../../../src/instance/steps.js';
import type { Instance, Observed, Usage } from '../../../src/instance/types.js';
import { createMetrics } from '../../../src/lib/metrics.js';
import { COMMANDS } from '../../../src/owed/commands.js';
import {
  type InstanceValues,
  type NoticeDetails,
  type PushOperation,
  pushOperation,
} from '../../../src/protocol/push.js';
import { createReconciler } from '../../../src/reconcile/reconciler.js';
import { newInstance, placementAt, RELEASE, testStore } from '../store/support.js';
import { bought, CUSTOMER, keptLog, only, PLAN, POLICY } from './support.js';

export const KEY = 'sol:1';

/** What the steps leave behind, so that the next look sees it. Proves nothing about Docker; that is tested on Docker. */
function stubRuntime() {
  const steps: string[] = [];
  let observed: Observed = { network: false, db: null, odoo: null, volumes: false };
  let failAt: { step: number; error: unknown; times: number } | null = null;
  let found: number | null = null;
  let usage: Usage | null = null;
  let visitedAt: Date | null = null;
  const exported: string[] = [];
  let hash = 'h';
  const container = (name: string, running: boolean) => ({
    ...{
      id: name,
      name,
      image: `${name === 'db' ? RELEASE.postgresImage : RELEASE.odooImage}`,
      specHash: hash,
      exitCode: null,
    },
    running,
  });
  const effects: Record<Step['action'], () => Partial<Observed>> = {
    ensureNetwork: () => ({ network: true }),
    seedVolumes: () => ({ volumes: true }),
    startBoth: () => ({ db: container('db', true), odoo: container('odoo', true) }),
    startDb: () => ({ db: container('db', true) }),
    startOdoo: () => ({ odoo: container('odoo', true) }),
    stopOdoo: () => ({ odoo: container('odoo', false) }),
    stopDb: () => ({ db: container('db', false) }),
    awaitReady: () => ({}),
    applySettings: () => {
      if (!observed.db?.running) throw new Error('no database runs');
      return {};
    },
    setSecrets: () => {
      if (observed.db?.running || observed.odoo?.running) throw new Error('something runs on the volumes');
      return {};
    },
    applyLimits: () => ({}),
    backUp: () => ({}),
    useRestored: () => ({}),
    removeFormer: () => ({}),
    exportData: () => {
      if (!observed.volumes) throw new Error('nothing to copy');
      return {};
    },
    copyVolumes: () => ({}),
    removeContainers: () => ({ db: null, odoo: null }),
    removeVolumes: () => ({ volumes: false }),
    removeNetwork: () => ({ network: false }),
  };
  let left = false;
  async function act(action: Step['action'], word: string = action): Promise<void> {
    if (failAt?.step === steps.length) {
      const { error } = failAt;
      if (--failAt.times === 0) failAt = null;
      throw error;
    }
    observed = { ...observed, ...effects[action]() };
    steps.push(word);
  }
  const runtime = only<Runtime>({
    capacity: 10,
    revision: 'this one',
    placementAt,
    freePlaces: async () => async () => true,
    observe: async () => ({ ...observed, slot: found, network: observed.network || found !== null }),
    hashesOf: () => ({ db: hash, odoo: hash }),
    containersOf: ({ name }) => ({ odoo: name, db: `${name}_db` }),
    lastVisit: async () => visitedAt,
    async measure() {
      if (!usage) throw new Error('no measure is expected');
      return usage;
    },
    ensureNetwork: () => act('ensureNetwork'),
    fill: () => act('seedVolumes'),
    startDb: () => act('startDb'),
    startOdoo: () => act('startOdoo'),
    startBoth: () => act('startBoth'),
    stopOdoo: () => act('stopOdoo'),
    stopDb: () => act('stopDb'),
    awaitReady: (_spec, { login }) => act('awaitReady', login ? 'awaitReady+login' : 'awaitReady'),
    applySettings: (spec) => act('applySettings', `applySettings ${spec.url}`),
    setSecrets: (_spec, { admin }) => act('setSecrets', admin ? 'setSecrets+admin' : 'setSecrets'),
    applyLimits: () => act('applyLimits'),
    async exportData(_spec, file) {
      await act('exportData');
      exported.push(file);
      return { bytes: 1 };
    },
    async copyVolumes(_spec, file) {
      await act('copyVolumes');
      exported.push(file);
      return { bytes: 1 };
    },
    async copyLeft(_spec, file) {
      if (!left) return null;
      exported.push(file);
      return { bytes: 1 };
    },
    removeContainers: () => act('removeContainers'),
    removeVolumes: () => act('removeVolumes'),
    removeNetwork: () => act('removeNetwork'),
  });
  return {
    runtime,
    backUp: () => act('backUp'),
    exported,
    /** Steps since the last call. */
    taken: () => steps.splice(0),
    running: () => [observed.db?.running === true, observed.odoo?.running === true],
    observed: () => observed,
    failAfter(step: number, error: unknown, times = 1) {
      failAt = { step, error, times };
    },
    /** One of its volumes is empty, the other one is not. */
    hasLeft() {
      left = true;
    },
    /** The engine has its network, made for this place. */
    has(slot: number) {
      found = slot;
    },
    /** What containers are made from, from now on. */
    madeFrom(word: string) {
      hash = word;
    },
    /** When its Odoo had its last visitor. */
    visited(at: Date) {
      visitedAt = at;
    },
    /** What measuring finds from now on. */
    uses(what: Usage) {
      usage = what;
    },
  };
}

/** A reconciler on a real store. */
export function harness(options: { exportDays?: number; release?: Release; policy?: Partial<typeof POLICY> } = {}) {
  const test = testStore();
  const log = keptLog();
  const engine = stubRuntime();
  const master = {
    /** What a fresh look brings. */
    readAfresh: async (_key: string): Promise<void> => expect.fail('no fresh look is expected'),
  };
  const guard = { mayAct: true };
  const promises = new Map<string, Date>();
  /** What the settings say of public addresses. */
  let domain = 'example.com';
  const specOf = specReader((name, { httpPort }) => `https://${name}.${domain}:${httpPort}`);
  const reconciler = createReconciler({
    store: test.store,
    runtime: engine.runtime,
    front: { release: async () => undefined },
    exportLane: (work) => work(),
    backUp: engine.backUp,
    release: options.release ?? RELEASE,
    specOf: (of) => specOf(of),
    mayAct: () => guard.mayAct,
    isOpen: () => false,
    readAfresh: (key) => master.readAfresh(key),
    copies: {
      keptDays: options.exportDays ?? 90,
      fileOf: ({ key, name }, format) => `/exports/${name}.${key}.${format}`,
      promise: async (file, until) => void promises.set(file, until),
      promisedUntil: async (file) => promises.get(file) ?? null,
    },
    policy: { ...POLICY, ...options.policy },
    clock: () => test.now,
    log,
    metrics: createMetrics(only({})),
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
    guard,
    reconciler,
    specOf,
    /** The public addresses are others from now on. */
    moveTo(other: string) {
      domain = other;
    },
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
      const { operation, isChosen } = COMMANDS[command];
      if (operation) test.store.operations.begin(KEY, operation, 'command');
      const chosen = operation && OPERATIONS[operation].chosen;
      if (isChosen && chosen) test.store.operations.advance({ instanceKey: KEY, kind: operation }, chosen);
      return test.store.commands.add([{ id, instanceKey: KEY, command, requestedBy: 'Ann', planId }]);
    },
    answers: () => owed().filter((operation) => operation.op === 'command'),
    remove: () => test.remove(),
  };
  test.store.plans.save([PLAN]);
  return h;
}
export type Harness = ReturnType<typeof harness>;
