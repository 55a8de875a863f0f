import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { odooAddress, sharedOut } from '../../../../src/docker/instance/addresses.js';
import { addressAt } from '../../../../src/docker/instance/placement.js';
import { EGRESS } from '../../../../src/instance/egress.js';

describe('the addresses of an instance', () => {
  it('tell what its Odoo may reach, where the engine gives them to nobody by itself', () => {
    const addresses = EGRESS.map((egress) => odooAddress('10.208.0.16/28', egress));
    expect(addresses).to.deep.equal(['10.208.0.20', '10.208.0.21', '10.208.0.22', '10.208.0.23']);
    expect(sharedOut('10.208.0.16/28')).to.deep.equal({
      range: '10.208.0.16/28',
      gateway: '10.208.0.17',
      dynamic: '10.208.0.24/29',
    });
  });

  it('are read by the firewall as they are given here', () => {
    const script = readFileSync(new URL('../../../../compose/firewall.sh', import.meta.url), 'utf8');
    const [, relay, web, all] = /^RELAY=(\d) WEB=(\d) ALL=(\d)$/m.exec(script) ?? [];
    expect(EGRESS.map((egress) => odooAddress('0.0.0.0/28', egress))).to.deep.equal(
      [4, relay, web, all].map((last) => `0.0.0.${last}`),
    );
  });

  it('are within the network', () => {
    expect(addressAt('10.208.0.16/28', 15)).to.equal('10.208.0.31');
    for (const number of [-1, 16]) expect(() => addressAt('10.208.0.16/28', number)).to.throw(RangeError);
    expect(() => addressAt('x', 1)).to.throw(RangeError);
  });
});
