import { expect } from 'chai';
import { baseOf, isHost, nameProblem, proofHost, sellersHosts, twinOf } from '../../../src/domains/name.js';

const SELLERS = ['clientes.nube.example', 'tienda.nube-facil.es', 'nube-facil.es', 'localhost'];

describe('the name of a customer', () => {
  for (const host of [
    'acme.es',
    'www.acme.es',
    'erp.acme.co.uk',
    'a-b.acme.test',
    'xn--mnchen-3ya.de',
    'xn--e1afmkfd.xn--p1ai',
    '123.es',
    `${'a'.repeat(63)}.es`,
    'nube-facil.es.acme.com',
    'mynube-facil.es',
    'nube-facil.com',
  ]) {
    it(`may be ${host.slice(0, 40)}`, () => expect(nameProblem(host, SELLERS)).equal(null));
  }

  for (const host of [
    '',
    'acme',
    'ACME.es',
    'acme.es.',
    '.acme.es',
    'acme..es',
    '*.acme.es',
    'acme.e?',
    '[a]*.es',
    'acme%2ees',
    '%2e%2e.es',
    '../acme.es',
    'acme.es/x',
    'acme.es:443',
    'user@acme.es',
    'a cme.es',
    'acme.es\n',
    'acme.es\u0000',
    '-acme.es',
    'acme-.es',
    '_dmarc.acme.es',
    `${'a'.repeat(64)}.es`,
    `${'a.'.repeat(130)}es`,
    'ácme.es',
    'аcme.es',
    '127.0.0.1',
    '10.0.0.300',
    '0x7f.1',
    '[::1]',
    'acme.localhost',
    'printer.local',
    'metadata.google.internal',
    '1.0.168.192.in-addr.arpa',
    'abc.onion',
    'com',
    'co.uk',
    'xn--a.es',
    'xn--.es',
  ]) {
    it(`is none in ${JSON.stringify(host).slice(0, 40)}`, () => {
      expect(nameProblem(host, SELLERS)).equal('bad_name');
    });
  }

  const puny = (text: string) => new URL(`http://${text}`).hostname;
  for (const [shown, host] of [
    ['the seller’s own', 'nube-facil.es'],
    ['below it', 'otro.nube-facil.es'],
    ['of another customer', 'beta.clientes.nube.example'],
    ['with www', 'www.nube-facil.es'],
    ['with a Cyrillic е', puny('nubе-facil.es')],
    ['all in Cyrillic letters that look Latin', puny('пube-fасіl.es')],
    ['with a dotless ı', puny('nube-facıl.es')],
    ['with an accent', puny('nubé-facil.es')],
    ['with a 1 for an l', 'nube-faci1.es'],
    ['with an I for an l', 'nube-facll.es'],
    ['below a lookalike', puny('login.nubе-facil.es')],
    ['with a Greek omicron in the customers’ domain', puny('beta.clientes.nube.ехample')],
  ] as const) {
    it(`is not taken where it is the seller's: ${shown} (${host})`, () => {
      expect(nameProblem(host, SELLERS)).equal('sellers_name');
    });
  }

  for (const shown of ['раypal.com', 'аpple.com', 'αcme.gr', 'microsоft.net']) {
    it(`is not taken with letters of two scripts in one label: ${shown}`, () => {
      expect(nameProblem(puny(shown), SELLERS)).equal('mixed_scripts');
    });
  }

  it('is one with and without www', () => {
    expect([baseOf('www.acme.es'), baseOf('acme.es'), baseOf('www2.acme.es')]).deep.equal([
      'acme.es',
      'acme.es',
      'www2.acme.es',
    ]);
    expect([twinOf('www.acme.es'), twinOf('acme.es')]).deep.equal(['acme.es', 'www.acme.es']);
    expect([proofHost('www.acme.es'), proofHost('acme.es')]).deep.equal(['_odoo-saas.acme.es', '_odoo-saas.acme.es']);
  });

  it('may hold nothing that means something in a path, a pattern or a placeholder', () => {
    for (const sign of ['/', '\\', '*', '?', '[', ']', '{', '}', '%', '@', ' ', '"', '\n', '_', '~', '$', ':']) {
      expect(isHost(`a${sign}b.es`), sign).equal(false);
    }
  });
});

describe("the seller's hosts", () => {
  it('are what is below the address of instances, the shops, and the domains that these are in', () => {
    expect(
      sellersHosts('https://{name}.clientes.nube.es', ['https://tienda.facil.com:8069/x', 'shop.facil.com', null]),
    ).deep.equal(['clientes.nube.es', 'tienda.facil.com', 'shop.facil.com', 'nube.es', 'facil.com']);
    expect(sellersHosts('http://{name}.localhost:{port}', ['http://127.0.0.1:8069'])).deep.equal(['localhost']);
  });
});
