import { expect } from 'chai';
import { type Sentence, sentence } from '../../../src/protocol/sentences.js';

describe('a message to the staff', () => {
  const accepted = (value: unknown) => sentence.safeParse(value).success;

  it('is a code with all of its parameters, and no others', () => {
    const rebuilt: Sentence = { code: 'instance_rebuilt', params: { instance: 'acme' } };
    expect(accepted(rebuilt)).to.equal(true);
    expect(accepted({ code: 'instance_rebuilt', params: {} })).to.equal(false);
    expect(accepted({ code: 'instance_rebuilt', params: { instance: 'acme', plan: 'Basic' } })).to.equal(false);
    expect(accepted({ code: 'instance_forgotten', params: {} })).to.equal(false);
    expect(accepted({ code: 'users_over_plan', params: { used: 4, limit: 2, plan: 'Basic' } }), 'a part').to.equal(
      false,
    );
  });

  it('does not compile without its parameters', () => {
    // @ts-expect-error the instance is missing
    const without: Sentence = { code: 'instance_rebuilt', params: {} };
    // @ts-expect-error a number is no name
    const wrong: Sentence = { code: 'instance_rebuilt', params: { instance: 7 } };
    // @ts-expect-error there is no such code
    const unknown: Sentence = { code: 'instance_forgotten', params: {} };
    for (const one of [without, wrong, unknown]) expect(accepted(one)).to.equal(false);
  });

  it('takes days and moments in the form that the addon reads', () => {
    const told = (day: string) => ({ code: 'deletion_unannounced', params: { instance: 'acme', day } });
    expect(['2026-01-16', '2026-02-30', '16.1.2026', ''].map((day) => accepted(told(day)))).to.deep.equal([
      true,
      false,
      false,
      false,
    ]);
    const ended = (paid_until: string) => ({ code: 'down_unpaid', params: { paid_until } });
    expect(accepted(ended('2026-01-16 23:30:00'))).to.equal(true);
    expect(accepted(ended('2026-01-16T23:30:00Z'))).to.equal(false);
  });
});
