import { expect } from 'chai';
import { OPERATION_KINDS, OPERATIONS, progressesOf } from '../../../src/instance/operations/operations.js';
import { COMMANDS } from '../../../src/owed/commands.js';
import { pushOperation } from '../../../src/protocol/push.js';
import { allCases, KINDS } from '../../faults/cases.js';

describe('the list of faults', () => {
  const cases = allCases();
  const kindsAt = (name: string) => cases.filter(({ id }) => id.startsWith(`${name}: `)).map(({ kind }) => kind);

  it('has every fault of every command and every write to the master', () => {
    const writes = pushOperation.options.map(({ shape }) => shape.op.value);
    const names = [...Object.keys(COMMANDS).map((name) => `command ${name}`), ...writes.map((op) => `write ${op}`)];
    for (const name of names) expect(kindsAt(name), name).to.deep.equal(KINDS);
  });

  it('has every fault of every progress that an operation comes to', () => {
    for (const kind of OPERATION_KINDS) {
      const { begin, chosen } = OPERATIONS[kind];
      const reached = progressesOf(OPERATIONS[kind]).filter((progress) => progress !== begin && progress !== chosen);
      expect(reached, kind).not.to.deep.equal([]);
      for (const progress of reached) expect(kindsAt(`operation ${kind}, ${progress}`)).to.deep.equal(KINDS);
    }
  });

  it('has every fault of every step that the planner and the operations know', () => {
    const steps = new Set(cases.flatMap(({ point }) => (point.at === 'step' ? [point.step] : [])));
    expect(steps.size * KINDS.length).to.equal(cases.filter(({ point }) => point.at === 'step').length);
    expect([...steps]).to.include.members(['seedVolumes', 'exportData', 'copyVolumes', 'setSecrets', 'removeVolumes']);
  });

  it('has no case twice, and at least 150', () => {
    expect(new Set(cases.map(({ id }) => id)).size).to.equal(cases.length);
    expect(cases.length).to.be.at.least(150);
  });
});
