import { expect } from 'chai';
import type { Situation } from '../../../../src/instance/operations/machine.js';
import { OPERATION_KINDS, OPERATIONS, progressesOf } from '../../../../src/instance/operations/operations.js';
import type { Step } from '../../../../src/instance/steps.js';
import type { ObservedContainer } from '../../../../src/instance/types.js';

/** What must not be done twice. */
const DESTRUCTIVE: Step['action'][] = ['stopOdoo', 'removeContainers', 'exportData', 'removeVolumes'];

const container = (running: boolean): ObservedContainer => ({
  ...{ id: 'x', name: 'x', image: 'x:1', specHash: 'h', exitCode: null },
  running,
});
const UP: Situation = { observed: { network: true, db: container(true), odoo: container(true) }, missing: [] };
const DOWN: Situation = { observed: { network: true, db: container(false), odoo: container(false) }, missing: [] };

function stepsOf(kind: (typeof OPERATION_KINDS)[number], progress: string, situation: Situation) {
  const next = OPERATIONS[kind].next(progress, situation);
  return next === 'done' ? next : next.steps.map(({ action }) => action);
}

describe('operations', () => {
  for (const kind of OPERATION_KINDS) {
    it(`${kind} comes to an end, and does nothing destructive twice`, () => {
      const machine = OPERATIONS[kind];
      const destructive = progressesOf(machine).filter((progress) => {
        const steps = stepsOf(kind, progress, UP);
        return steps !== 'done' && steps.some((step) => DESTRUCTIVE.includes(step));
      });
      // Another way is gone from there on where the first one has failed.
      const others = kind === 'export' ? ['raw'] : [];
      expect(destructive).deep.equal([kind === 'rebuild' ? 'remove' : machine.begin, ...others]);
    });

    it(`${kind} does not guess what an unknown progress is`, () => {
      expect(() => OPERATIONS[kind].next('of another version', UP)).throw(RangeError, 'of another version');
    });
  }

  it('a restart stops Odoo alone, and waits for its login page however often it is tried', () => {
    expect(stepsOf('restart', 'stop', UP)).deep.equal(['stopOdoo']);
    const missing: Step[] = [{ action: 'startOdoo' }, { action: 'awaitReady', login: false }];
    expect(stepsOf('restart', 'start', { ...DOWN, missing })).deep.equal(['startOdoo', 'awaitReady']);
    // It runs and its page is slow.
    expect(stepsOf('restart', 'start', UP)).deep.equal(['awaitReady']);
    expect(stepsOf('restart', 'ready', UP)).equal('done');
  });

  it('a rebuild makes a backup where it can, removes the containers, and makes what is missing', () => {
    expect(stepsOf('rebuild', 'keep', UP)).deep.equal(['backUp']);
    expect(stepsOf('rebuild', 'keep', DOWN)).deep.equal([]);
    expect(OPERATIONS.rebuild.tolerates?.('backup.unreachable', 'none')).equal(true);
    expect(OPERATIONS.rebuild.tolerates?.('docker.away', 'none')).equal(false);
    expect(stepsOf('rebuild', 'remove', UP)).deep.equal(['removeContainers']);
    const missing: Step[] = [{ action: 'seedVolumes' }, { action: 'startBoth' }, { action: 'awaitReady', login: true }];
    expect(stepsOf('rebuild', 'make', { ...DOWN, missing })).deep.equal(['seedVolumes', 'startBoth', 'awaitReady']);
  });

  it('a final copy is written with nothing running, and remembered', () => {
    expect(stepsOf('export', 'write', UP)).deep.equal(['stopOdoo', 'stopDb', 'exportData']);
    expect(stepsOf('export', 'write', DOWN)).deep.equal(['exportData']);
    expect(stepsOf('export', 'raw', UP)).deep.equal(['stopOdoo', 'stopDb', 'copyVolumes']);
    for (const end of ['written', 'skipped']) expect(stepsOf('export', end, UP)).equal('done');
    expect(OPERATION_KINDS.filter((kind) => OPERATIONS[kind].remembered)).deep.equal(['export']);
  });

  it('only a person who deletes by name may do without a copy, and only of nothing', () => {
    const { tolerates } = OPERATIONS.export;
    expect(tolerates?.('export.no_data', 'deleted')).equal(true);
    expect(tolerates?.('export.no_data', 'none')).equal(false);
    expect(tolerates?.('export.failed', 'deleted')).equal(false);
  });
});
