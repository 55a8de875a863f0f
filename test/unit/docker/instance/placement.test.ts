import { expect } from 'chai';
import { overlaps, placementAt } from '../../../../src/docker/instance/placement.js';

const RANGES = { portBase: 20_000, subnetPool: '10.208.0.0/12' };

describe('placementAt', () => {
  it('has two ports each', () => {
    expect(placementAt(RANGES, 0)).to.deep.include({ slot: 0, httpPort: 20_000, longpollingPort: 20_001 });
    expect(placementAt(RANGES, 22_767)).to.deep.include({ httpPort: 65_534, longpollingPort: 65_535 });
    for (const slot of [22_768, -1, 0.5]) expect(() => placementAt(RANGES, slot), String(slot)).to.throw(RangeError);
  });

  it('has one /28 each', () => {
    const subnet = (subnetPool: string, slot: number) => placementAt({ portBase: 1024, subnetPool }, slot).subnet;
    expect(subnet('10.208.0.0/12', 0)).to.equal('10.208.0.0/28');
    expect(subnet('10.208.0.0/12', 17)).to.equal('10.208.1.16/28');
    expect(subnet('10.208.0.0/12', 32_000)).to.equal('10.215.208.0/28');
    expect(subnet('192.168.7.99/24', 1)).to.equal('192.168.7.16/28');
    expect(() => subnet('10.208.0.0/20', 256)).to.throw(RangeError);
    for (const pool of ['10.0.0.0', '10.0.0.0/29', '300.0.0.0/8', 'x', 'fd00::/8']) {
      expect(() => subnet(pool, 0), pool).to.throw(RangeError);
    }
  });
});

describe('overlaps', () => {
  for (const [one, other, expected] of [
    ['10.208.0.16/28', '10.208.0.16/28', true],
    ['10.208.0.0/28', '10.208.0.16/28', false],
    ['10.208.1.0/28', '10.0.0.0/8', true],
    ['10.208.1.9/12', '10.223.255.240/28', true],
    ['10.208.0.0/12', '10.224.0.0/28', false],
    ['0.0.0.0/0', '10.208.0.0/28', true],
    ['10.208.0.5/32', '10.208.0.0/28', true],
    ['fd00::/64', '10.208.0.0/28', false],
  ] as const) {
    it(`${one} and ${other}: ${expected}`, () => {
      expect(overlaps(one, other)).to.equal(expected);
      expect(overlaps(other, one)).to.equal(expected);
    });
  }
});
