import { expect } from 'chai';
import { type Address, findingOf, type Seen, type Wanted } from '../../../src/domains/finding.js';

const EDGE = '198.51.100.7';
const PROOF = 'odoo-saas=0123456789abcdef';
const at = (address: string, kind: Address['kind'] = 'public'): Address => ({ address, kind });
const good: Seen = { texts: [PROOF], addresses: [at(EDGE)], issuers: [], twin: [] };
const wanted: Wanted = { proof: PROOF, edge: [EDGE, '2001:db8::7'], issuer: 'letsencrypt.org', isHeld: false };

describe("what DNS says of a customer's own name", () => {
  const problem = (seen: Partial<Seen>, more: Partial<Wanted> = {}) =>
    findingOf({ ...good, ...seen }, { ...wanted, ...more });

  for (const [what, seen, expected, found] of [
    ['all is right', {}, null, ''],
    ['it leads to both addresses', { addresses: [at(EDGE), at('2001:db8::7')] }, null, ''],
    ['the authority may issue', { issuers: ['sectigo.com', 'letsencrypt.org'] }, null, ''],
    ['no proof', { texts: [] }, 'no_proof', ''],
    ['texts of others alone', { texts: ['v=spf1 -all', 'google-site-verification=x'] }, 'no_proof', ''],
    ['the proof of somebody else', { texts: ['odoo-saas=ffff'] }, 'wrong_proof', 'odoo-saas=ffff'],
    ['a proof in capitals', { texts: [PROOF.toUpperCase()] }, 'no_proof', ''],
    ['a proof with more at its end', { texts: [`${PROOF}0`] }, 'wrong_proof', `${PROOF}0`],
    ['no address', { addresses: [] }, 'no_address', ''],
    ['another target', { addresses: [at('9.9.9.9')] }, 'wrong_target', '9.9.9.9'],
    ['ours and another', { addresses: [at(EDGE), at('9.9.9.9')] }, 'wrong_target', '9.9.9.9'],
    ['an old IPv6 address beside ours', { addresses: [at(EDGE), at('2a00::1')] }, 'wrong_target', '2a00::1'],
    [
      'a proxy',
      { addresses: [at('104.16.1.1', 'proxy'), at('104.16.2.1', 'proxy')] },
      'proxied',
      '104.16.1.1, 104.16.2.1',
    ],
    ['a private network', { addresses: [at('10.0.0.5', 'inside')] }, 'inside', '10.0.0.5'],
    ['ours and the machine itself', { addresses: [at(EDGE), at('127.0.0.1', 'inside')] }, 'inside', '127.0.0.1'],
    ['CAA for another authority', { issuers: ['sectigo.com'] }, 'caa', 'sectigo.com'],
    ['CAA for nobody', { issuers: ['none'] }, 'caa', 'none'],
    ['no answer on the proof', { texts: null }, 'unanswered', ''],
    ['no answer on the address', { addresses: null }, 'unanswered', ''],
    ['no answer on CAA', { issuers: null }, 'unanswered', ''],
    ['no proof, and all else wrong: what comes first', { texts: [], addresses: [], issuers: ['x'] }, 'no_proof', ''],
  ] as [string, Partial<Seen>, string | null, string][]) {
    it(`${what}: ${expected ?? 'nothing is wrong'}`, () => {
      expect(problem(seen)).include({ problem: expected, found });
    });
  }

  it('does not miss the proof of a name that is held', () => {
    expect(problem({ texts: [] }, { isHeld: true })).include({ problem: null, isProven: false });
    expect(problem({ texts: null }, { isHeld: true }).problem).equal(null);
    expect(problem({ addresses: [at('9.9.9.9')] }, { isHeld: true }).problem).equal('wrong_target');
  });

  it('does not know where the edge is, and says nothing against the customer', () => {
    expect(problem({}, { edge: null })).include({ problem: 'unanswered', isProven: true, isPointed: false });
  });

  it('tells what is right beside what is wrong, and of the other name with or without www', () => {
    expect(problem({ texts: [] })).include({ isProven: false, isPointed: true, isTwinPointed: false });
    expect(problem({ addresses: [] })).include({ isProven: true, isPointed: false });
    expect(problem({ twin: [at(EDGE)] }).isTwinPointed).equal(true);
    expect(problem({ twin: [at(EDGE), at('9.9.9.9')] }).isTwinPointed).equal(false);
    expect(problem({ twin: null })).include({ problem: null, isTwinPointed: false });
  });

  it('repeats not all of a hostile answer', () => {
    const texts = Array.from({ length: 50 }, (_, i) => `odoo-saas=${'f'.repeat(200)}${i}`);
    expect(problem({ texts }).found.length).at.most(200);
  });
});
