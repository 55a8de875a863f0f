import { expect } from 'chai';
import { planNameFor } from '../../../src/instance/plan-name.js';
import type { Plan } from '../../../src/instance/types.js';

const plan = { name: 'Básico', names: { en_US: 'Basic', es_ES: 'Básico', pt_BR: 'Elementar' } } as unknown as Plan;

describe('the name of a plan', () => {
  for (const [lang, name] of [
    ['en_US', 'Basic'],
    ['es_ES', 'Básico'],
    ['es_MX', 'Básico'],
    ['pt_PT', 'Elementar'],
    ['de_DE', 'Básico'],
    ['', 'Básico'],
  ] as const) {
    it(`is ${name} for ${lang || 'no language'}`, () => {
      expect(planNameFor(plan, lang)).to.equal(name);
    });
  }

  it('is what staff call it where the master tells no other', () => {
    expect(planNameFor({ name: 'Básico' } as Plan, 'en_US')).to.equal('Básico');
  });
});
