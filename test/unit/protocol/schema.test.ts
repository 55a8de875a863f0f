import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { protocolSchema } from '../../../src/protocol/schema.js';

const FILE = new URL('../../../odoo-addon-stub/saas_bridge/protocol.schema.json', import.meta.url);

describe('the protocol as a JSON Schema', () => {
  it('is in the addon as the daemon has it: npm run protocol', () => {
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).to.deep.equal(protocolSchema());
  });

  it('has false where a value is empty, for XML-RPC has no null', () => {
    const text = JSON.stringify(protocolSchema());
    expect(text).not.to.match(/"null"|:null/);
    expect(text).to.include('{"anyOf":[{"type":"string"},{"const":false}]}');
  });
});
