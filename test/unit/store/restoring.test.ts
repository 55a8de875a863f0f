import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { assertNothingHalfRestored, readRestoring, writeRestoring } from '../../../src/store/restoring.js';

describe('how far restore --all has come', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-restoring-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const codeOf = (work: () => unknown) => {
    try {
      return work();
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
  };

  it('is kept for nobody else to read, until all is done', () => {
    expect(readRestoring(dir)).equal(null);
    writeRestoring(dir, { 'sol:1': 'restored', 'sol:2': 'empty' });
    expect(statSync(path.join(dir, 'restore-all.json')).mode & 0o777).equal(0o600);
    expect(readRestoring(dir)).deep.equal({ 'sol:1': 'restored', 'sol:2': 'empty' });
    assertNothingHalfRestored(dir);
    writeRestoring(dir, null);
    writeRestoring(dir, null);
    expect(readRestoring(dir)).equal(null);
  });

  it('keeps the daemon from starting what is half there', () => {
    writeRestoring(dir, { 'sol:1': 'restored', 'sol:2': 'begun' });
    expect(codeOf(() => assertNothingHalfRestored(dir))).equal('restore.cut_off');
    expect(() => assertNothingHalfRestored(dir)).throw('sol:2');
    writeFileSync(path.join(dir, 'restore-all.json'), '{');
    expect(codeOf(() => assertNothingHalfRestored(dir))).equal('data.damaged');
  });
});
