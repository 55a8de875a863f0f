import { expect } from 'chai';
import { type PlacesQuestion, placesFinding } from '../../../src/cli/places.js';

describe('check, of the places for instances', () => {
  const question = (over: Partial<PlacesQuestion>): PlacesQuestion => ({
    bindAddress: '127.0.0.1',
    capacity: 2,
    placementAt: (slot) => ({ slot, httpPort: 20_000 + 2 * slot, longpollingPort: 20_001 + 2 * slot, subnet: '' }),
    used: new Set(),
    isFree: async () => true,
    ...over,
  });

  it('says how many there are, and how many have an instance', async () => {
    expect(await placesFinding(question({ used: new Set([0]) }))).to.deep.equal({
      ok: true,
      detail: '20000 to 20003 on 127.0.0.1: 1 of 2 places have an instance',
    });
  });

  it('takes an instance at the last place for no other program', async () => {
    const { ok } = await placesFinding(question({ used: new Set([1]), isFree: async () => false }));
    expect(ok).to.equal(true);
  });

  it('finds another program at the end of the range', async () => {
    const finding = await placesFinding(question({ isFree: async ({ slot }) => slot !== 1 }));
    expect(finding).to.include({ ok: false, detail: 'port 20003 on 127.0.0.1 is taken' });
    expect(finding.advice).to.include('Another program');
  });

  it('says that nobody new is served when all have an instance', async () => {
    const finding = await placesFinding(question({ used: new Set([0, 1]) }));
    expect(finding).to.include({ ok: false, detail: '20000 to 20003 on 127.0.0.1: all 2 places have an instance' });
    expect(finding.advice).to.include('widen SAAS_PORT_RANGE');
  });
});
