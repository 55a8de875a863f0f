import { expect } from 'chai';
import { coreCycles } from '../../faults/core.js';

describe('random cycles of the core', function () {
  this.timeout(120_000);

  it('nothing is lost or done twice, wherever it is killed, fails or loses a reply', async () => {
    const seed = Date.now() % 1_000_000;
    const { cycles, met, killed, findings } = await coreCycles(150, seed);
    expect(findings, `seed ${seed}`).to.deep.equal([]);
    expect(cycles).to.equal(150);
    expect(met, 'faults that were met').to.be.greaterThan(20);
    expect(killed).to.be.greaterThan(5);
  });
});
