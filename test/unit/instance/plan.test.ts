import { expect } from 'chai';
import { type PlanContext, planSteps } from '../../../src/instance/plan.js';
import type { Step } from '../../../src/instance/steps.js';
import type { Desired, Observed, ObservedContainer } from '../../../src/instance/types.js';

const specHashes = { db: 'db-1', odoo: 'odoo-1' };

function container(name: 'db' | 'odoo', changes: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: `id-${name}`,
    name: `acme-${name}`,
    running: true,
    image: 'x:1',
    specHash: specHashes[name],
    exitCode: null,
    ...changes,
  };
}

const db = container('db');
const odoo = container('odoo');
const stopped = { running: false, exitCode: 0 };
const nothing: Observed = { network: false, db: null, odoo: null };
const all: Observed = { network: true, db, odoo };

function names(steps: Step[]): string[] {
  return steps.map((step) => (step.action === 'awaitReady' ? `awaitReady login=${step.login}` : step.action));
}

const DONE: PlanContext = { provisioned: true, limitsApplied: true, settingsApplied: true, secretsSet: true };
const OLD_KEY: PlanContext = { ...DONE, secretsSet: false };
const START = ['startDb', 'startOdoo', 'awaitReady login=false'];

describe('planSteps', () => {
  const cases: [string, Desired['state'], Observed, boolean, string[]][] = [
    ['a new one', 'running', nothing, false, ['ensureNetwork', 'seedVolumes', 'startBoth', 'awaitReady login=true']],
    ['a lost one', 'running', nothing, true, ['ensureNetwork', 'seedVolumes', 'startBoth', 'awaitReady login=false']],
    [
      'died after the network',
      'running',
      { ...nothing, network: true },
      false,
      ['seedVolumes', 'startBoth', 'awaitReady login=true'],
    ],
    [
      'died after the database',
      'running',
      { ...all, odoo: null },
      false,
      ['seedVolumes', 'startOdoo', 'awaitReady login=true'],
    ],
    ['died before it was ready', 'running', all, false, ['awaitReady login=true']],
    ['all fine', 'running', all, true, []],
    ['all fine, volumes seen', 'running', { ...all, volumes: true }, true, []],
    [
      'both stopped',
      'running',
      { ...all, db: container('db', stopped), odoo: container('odoo', stopped) },
      true,
      START,
    ],
    [
      'database stopped',
      'running',
      { ...all, db: container('db', stopped) },
      true,
      ['startDb', 'awaitReady login=false'],
    ],
    [
      'Odoo crashed',
      'running',
      { ...all, odoo: container('odoo', { running: false, exitCode: 137 }) },
      true,
      ['startOdoo', 'awaitReady login=false'],
    ],
    [
      'Odoo container removed by hand',
      'running',
      { ...all, odoo: null },
      true,
      ['seedVolumes', 'startOdoo', 'awaitReady login=false'],
    ],
    [
      'database container removed by hand',
      'running',
      { ...all, db: null },
      true,
      ['seedVolumes', 'startDb', 'awaitReady login=false'],
    ],
    [
      'another Odoo spec waits for a start',
      'running',
      { ...all, odoo: container('odoo', { specHash: 'old' }) },
      true,
      [],
    ],
    [
      'other specs wait for a start',
      'running',
      { ...all, db: container('db', { specHash: 'old' }), odoo: container('odoo', { specHash: 'old' }) },
      true,
      [],
    ],
    [
      'network removed by hand',
      'running',
      { ...all, network: false, db: container('db', stopped) },
      true,
      ['removeContainers', 'ensureNetwork', 'seedVolumes', 'startBoth', 'awaitReady login=false'],
    ],
    [
      'volumes gone',
      'running',
      { ...nothing, network: true, volumes: false },
      true,
      ['seedVolumes', 'startBoth', 'awaitReady login=false'],
    ],
    ['to suspend', 'suspended', all, true, ['stopOdoo', 'stopDb']],
    ['to suspend before it was ready', 'suspended', all, false, ['stopOdoo', 'stopDb']],
    ['to stop', 'stopped', all, true, ['stopOdoo', 'stopDb']],
    ['half stopped', 'stopped', { ...all, odoo: container('odoo', stopped) }, true, ['stopDb']],
    [
      'stopped, with an old spec',
      'stopped',
      { ...all, db: container('db', { ...stopped, specHash: 'old' }), odoo: null },
      true,
      [],
    ],
    ['to suspend what never was', 'suspended', nothing, false, []],
    ['to delete', 'deleted', all, true, ['removeContainers', 'removeVolumes', 'removeNetwork']],
    ['to delete, containers gone', 'deleted', { ...nothing, network: true }, true, ['removeVolumes', 'removeNetwork']],
    ['to delete, volumes gone', 'deleted', { ...nothing, network: true, volumes: false }, true, ['removeNetwork']],
    ['to delete, only volumes left', 'deleted', { ...nothing, volumes: true }, true, ['removeVolumes']],
    ['to delete, one container left', 'deleted', { ...nothing, db }, true, ['removeContainers', 'removeVolumes']],
    ['deleted', 'deleted', nothing, true, []],
    ['deleted, volumes asked for', 'deleted', { ...nothing, volumes: false }, true, []],
  ];
  for (const [name, state, observed, provisioned, expected] of cases) {
    it(name, () => {
      const steps = planSteps({ state, cause: null, reason: '' }, observed, { ...DONE, provisioned });
      expect(names(steps)).to.deep.equal(expected);
    });
  }

  const off = { db: container('db', stopped), odoo: container('odoo', stopped) };
  const KEEP = { ...nothing, network: true, volumes: true };
  const special: [string, Desired['state'], Observed, Partial<PlanContext>, string[]][] = [
    ['other limits alone stop nothing', 'running', all, { limitsApplied: false }, ['applyLimits']],
    [
      'other limits where Odoo is down',
      'running',
      { ...all, odoo: off.odoo },
      { limitsApplied: false },
      ['applyLimits', 'startOdoo', 'awaitReady login=false'],
    ],
    [
      'other limits of a suspended one wait until it runs',
      'suspended',
      { ...all, ...off },
      { limitsApplied: false },
      [],
    ],
    ['asleep', 'running', all, { isAsleep: true, limitsApplied: false }, ['stopOdoo', 'stopDb']],
    ['asleep, and read', 'running', all, { isAsleep: true, databaseWanted: true }, ['stopOdoo']],
    ['asleep, down already', 'running', { ...all, ...off }, { isAsleep: true, settingsApplied: false }, []],
    [
      'containers to come are made with their limits',
      'running',
      KEEP,
      { limitsApplied: false },
      ['seedVolumes', 'startBoth', 'awaitReady login=false'],
    ],
  ];
  for (const [name, state, observed, context, expected] of special) {
    it(name, () => {
      const steps = planSteps({ state, cause: null, reason: '' }, observed, { ...DONE, ...context });
      expect(names(steps)).to.deep.equal(expected);
    });
  }

  describe('with passwords of another key', () => {
    const cases: [string, Desired['state'], Observed, boolean, string[]][] = [
      ['runs', 'running', { ...all, volumes: true }, true, ['stopOdoo', 'stopDb', 'setSecrets', ...START]],
      [
        'is new',
        'running',
        { ...nothing, volumes: false },
        false,
        ['ensureNetwork', 'seedVolumes', 'startBoth', 'awaitReady login=true'],
      ],
      [
        'has volumes alone',
        'running',
        { ...nothing, network: true, volumes: true },
        true,
        ['setSecrets', 'seedVolumes', 'startBoth', 'awaitReady login=false'],
      ],
      [
        'is stopped',
        'running',
        { ...all, volumes: true, db: container('db', stopped), odoo: container('odoo', stopped) },
        true,
        ['setSecrets', ...START],
      ],
      ['is to be stopped', 'suspended', { ...all, volumes: true }, true, ['stopOdoo', 'stopDb']],
      ['is to be deleted', 'deleted', { ...nothing, volumes: true }, true, ['removeVolumes']],
    ];
    for (const [what, state, observed, provisioned, expected] of cases) {
      it(what, () => {
        const desired: Desired = { state, cause: state === 'running' ? null : 'unpaid', reason: '' };
        expect(names(planSteps(desired, observed, { ...OLD_KEY, provisioned }))).to.deep.equal(expected);
      });
    }
  });

  describe('with an address that its Odoo was not told', () => {
    const cases: [string, Desired['state'], Observed, boolean, string[]][] = [
      ['runs', 'running', { ...all, volumes: true }, true, ['applySettings']],
      [
        'is new: its volumes are filled with it',
        'running',
        { ...nothing, volumes: false },
        false,
        ['ensureNetwork', 'seedVolumes', 'startBoth', 'awaitReady login=true'],
      ],
      [
        'died half-made at another place',
        'running',
        { ...nothing, volumes: true },
        false,
        ['ensureNetwork', 'seedVolumes', 'startBoth', 'applySettings', 'awaitReady login=true'],
      ],
      [
        'is stopped',
        'running',
        { ...all, volumes: true, db: container('db', stopped), odoo: container('odoo', stopped) },
        true,
        ['startDb', 'startOdoo', 'applySettings', 'awaitReady login=false'],
      ],
      ['is to be stopped', 'suspended', { ...all, volumes: true }, true, ['stopOdoo', 'stopDb']],
    ];
    for (const [what, state, observed, provisioned, expected] of cases) {
      it(what, () => {
        const desired: Desired = { state, cause: state === 'running' ? null : 'unpaid', reason: '' };
        const context = { ...DONE, settingsApplied: false, provisioned };
        expect(names(planSteps(desired, observed, context))).to.deep.equal(expected);
      });
    }
  });
});
