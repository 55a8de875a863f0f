/** The real resolver against a real DNS server. */
import { expect } from 'chai';
import { createDns } from '../../../src/dns/look.js';
import { kindOf } from '../../../src/dns/ranges.js';
import { type DnsServer, startDns } from '../../support/dns.js';

describe('DNS', () => {
  let server: DnsServer;
  before(async () => {
    server = await startDns();
  });
  beforeEach(() => {
    server.records.clear();
    server.asked.length = 0;
  });
  after(() => server.close());

  const look = (host: string) => createDns([server.address]).look(host);

  it('is asked for the proof, the addresses of both names, and who may issue', async () => {
    server.records.set('_odoo-saas.acme.test', { TXT: ['odoo-saas=01', 'another'] });
    server.records.set('www.acme.test', { CNAME: 'acme.clientes.test' });
    server.records.set('acme.clientes.test', { A: ['198.51.100.7'], AAAA: ['2001:db8::7'] });
    server.records.set('acme.test', { A: ['9.9.9.9', '10.0.0.1'], CAA: ['letsencrypt.org; accounturi=x', 'pki.goog'] });
    expect(await look('www.acme.test')).deep.equal({
      texts: ['odoo-saas=01', 'another'],
      addresses: [
        { address: '198.51.100.7', kind: 'inside' },
        { address: '2001:db8::7', kind: 'inside' },
      ],
      issuers: ['letsencrypt.org', 'pki.goog'],
      twin: [
        { address: '9.9.9.9', kind: 'public' },
        { address: '10.0.0.1', kind: 'inside' },
      ],
    });
  });

  it('may say that there is nothing, and that nobody may issue', async () => {
    expect(await look('nada.test')).deep.equal({ texts: [], addresses: [], issuers: [], twin: [] });
    server.records.set('nadie.test', { CAA: [';'] });
    expect((await look('nadie.test')).issuers).deep.equal(['none']);
  });

  it('may not answer, which is no answer: neither that there is nothing nor that there is', async () => {
    server.records.set('mal.test', { fails: 'refused' });
    server.records.set('_odoo-saas.mal.test', { TXT: ['odoo-saas=01'] });
    expect(await look('mal.test')).deep.equal({ texts: ['odoo-saas=01'], addresses: null, issuers: null, twin: [] });
  });

  it('is not waited for when it is silent', async function () {
    this.timeout(20_000);
    server.records.set('callado.test', { fails: 'silent' });
    const startedAt = performance.now();
    expect(await createDns([server.address]).addressesOf('callado.test')).equal(null);
    expect(performance.now() - startedAt).lessThan(12_000);
  });

  it('is followed round a circle of aliases to its end', async () => {
    server.records.set('a.test', { CNAME: 'b.test' });
    server.records.set('b.test', { CNAME: 'a.test' });
    expect((await look('a.test')).addresses).satisfy((found: unknown[] | null) => found === null || found.length === 0);
  });

  it('is not asked about names without end', async () => {
    await look(`${'a.'.repeat(100)}test`);
    expect(server.asked.filter((one) => one.startsWith('CAA')).length).at.most(20);
  });
});

describe('an address', () => {
  for (const [address, kind] of [
    ['8.8.8.8', 'public'],
    ['2a00:1450::1', 'public'],
    ['10.1.2.3', 'inside'],
    ['172.31.255.255', 'inside'],
    ['172.32.0.0', 'public'],
    ['192.168.0.1', 'inside'],
    ['127.0.0.1', 'inside'],
    ['0.0.0.0', 'inside'],
    ['169.254.169.254', 'inside'],
    ['100.64.0.1', 'inside'],
    ['224.0.0.1', 'inside'],
    ['255.255.255.255', 'inside'],
    ['::1', 'inside'],
    ['::ffff:10.0.0.1', 'inside'],
    ['fe80::1', 'inside'],
    ['fd00::1', 'inside'],
    ['64:ff9b::a00:1', 'inside'],
    ['104.16.132.229', 'proxy'],
    ['172.67.1.1', 'proxy'],
    ['2606:4700::6810:84e5', 'proxy'],
  ] as const) {
    it(`${address} is ${kind}`, () => expect(kindOf(address)).equal(kind));
  }
});
