import { expect } from 'chai';
import { createPatience } from '../../../src/lib/patience.js';

describe('patience', () => {
  it('ends once in a row of failures, and begins anew when it works again', () => {
    let now = new Date('2026-01-15T12:00:00Z');
    const told: string[] = [];
    const patience = createPatience(
      60_000,
      () => now,
      (since, error) => {
        told.push(`${since.toISOString()} ${error}`);
      },
    );
    const fail = (error: string, seconds: number) => {
      now = new Date(now.getTime() + seconds * 1000);
      patience.failed(error);
    };
    fail('a', 0);
    fail('b', 59);
    expect(told).empty;
    fail('c', 1);
    fail('d', 1000);
    expect(told).deep.equal(['2026-01-15T12:00:00.000Z c']);
    patience.done();
    fail('e', 1000);
    expect(told).length(1);
    fail('f', 60);
    expect(told[1]).match(/ f$/);
  });
});
