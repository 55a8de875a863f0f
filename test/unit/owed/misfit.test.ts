import { expect } from 'chai';
import { misfitSentences, misfitText } from '../../../src/owed/misfit.js';

const users = { used: 6, limit: 5 };
const storageGb = { used: 10.46, limit: 10 };

describe('what is too much for a plan', () => {
  it('is told to the staff as data', () => {
    expect(misfitSentences({ plan: 'Small', users, storageGb })).to.deep.equal([
      { code: 'users_over_plan', params: { plan: 'Small', used: 6, limit: 5 } },
      { code: 'storage_over_plan', params: { plan: 'Small', used_gb: 10.5, limit_gb: 10 } },
    ]);
    expect(misfitSentences({ plan: 'Small', users: null, storageGb })).to.have.length(1);
  });

  it('is told to the customer in both languages', () => {
    expect(misfitText({ plan: 'Small', users, storageGb })).to.deep.equal({
      en: 'it has 6 active users and Small includes 5, and it uses 10.5 GB and Small includes 10 GB',
      es: 'tiene 6 usuarios activos y Small incluye 5; además, ocupa 10,5 GB y Small incluye 10 GB',
    });
    expect(misfitText({ plan: 'Small', users, storageGb: null }).en).to.equal(
      'it has 6 active users and Small includes 5',
    );
  });
});
