import { expect } from 'chai';
import { createBatchSize } from '../../../src/lib/batch-size.js';

describe('batch size', () => {
  it('shrinks to one where it was too much, and grows back where all is quick', () => {
    const size = createBatchSize(500);
    expect(size.most()).equal(500);
    const found: number[] = [];
    for (let tries = 0; tries < 6; tries++) {
      size.tooMuch();
      found.push(size.most());
    }
    expect(found).deep.equal([125, 31, 7, 1, 1, 1]);
    size.done(5_000);
    expect(size.most(), 'it was slow').equal(1);
    for (let times = 0; times < 20; times++) size.done(100);
    expect(size.most()).equal(500);
  });
});
