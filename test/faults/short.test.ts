/** The fault run in short: one case of each kind of fault, at a step, an operation, a command and a write. */
import { expect } from 'chai';
import { world } from '../support/world.js';
import { allCases, type Case, KINDS } from './cases.js';
import { type Customer, customers, each, makePlans, register } from './customers.js';
import { enterRoom, type Room } from './room.js';
import { liveThrough } from './stages.js';

const CHOSEN = [
  'step startBoth: killed before',
  'write notice: reply lost',
  'step stopOdoo: hangs',
  'command stop: errors once',
  'step startDb: errors always',
  'operation restart, start: killed after',
];

describe('the fault run', function () {
  this.timeout(600_000);
  let room: Room;
  let all: Customer[];
  const chosen = (stage: string): Case[] => allCases().filter((one) => one.stage === stage && CHOSEN.includes(one.id));

  before(async () => {
    const w = await world();
    room = await enterRoom(w);
    await makePlans(w);
    all = customers('falla', 2, () => true);
    await each(all, (customer) => register(w, customer));
  });

  after(async () => {
    await room.leave();
  });

  it('has one case of each kind of fault', () => {
    const cases = allCases().filter(({ id }) => CHOSEN.includes(id));
    expect(cases).to.have.length(CHOSEN.length);
    expect(new Set(cases.map(({ kind }) => kind)).size).to.equal(KINDS.length);
  });

  for (const stage of ['buy', 'stop', 'start', 'restart'] as const) {
    it(`nothing is lost or done twice: ${stage}`, async () => {
      const { results, findings } = await liveThrough(room, stage, chosen(stage), all);
      expect(results.length).to.be.at.least(1);
      expect(results.filter(({ passed }) => !passed)).to.deep.equal([]);
      expect(findings).to.deep.equal([]);
    });
  }
});
