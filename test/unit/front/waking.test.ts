import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { NO_VISITS } from '../../../src/front/waking.js';

describe('what is no visit', () => {
  it('is the same for the door of one that sleeps and for the module in one that runs', () => {
    const module = path.resolve(import.meta.dirname, '../../../templates/instance/saas_limits/visits.py');
    const listed = /^NO_VISITS = \((.*)\)$/m.exec(readFileSync(module, 'utf8'))?.[1] ?? expect.fail('no list');
    expect(JSON.parse(`[${listed}]`)).deep.equal(NO_VISITS);
  });
});
