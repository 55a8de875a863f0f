import { expect } from 'chai';
import fc from 'fast-check';
import { instanceLabels, isValidName, resourceNames, suggestName } from '../../../src/instance/naming.js';

const free = (): boolean => false;

describe('suggestName', () => {
  const cases: [company: string, name: string][] = [
    ['Acme', 'acme'],
    ['Panadería Ñuño, S.L.', 'panaderia-nuno-s-l'],
    ['Straße & Søn Łódź', 'strasse-son-lodz'],
    ["O'Brien's", 'obriens'],
    ['3M España', 'c3m-espana'],
    ['  --a--b--  ', 'a-b'],
    ['../../etc/passwd', 'etc-passwd'],
    ['$(rm -rf /)', 'rm-rf'],
    ['`id`; {{x}}\n"y"', 'id-x-y'],
    ['株式会社', 'cliente'],
    ['🚀', 'cliente'],
    ['', 'cliente'],
    ['www', 'www-2'],
    ['Admin', 'admin-2'],
    ['MAIL', 'mail-2'],
    ['x'.repeat(300), 'x'.repeat(40)],
    [`${'x'.repeat(39)} y`, 'x'.repeat(39)],
    ['ＦＵＬＬ ｗｉｄｔｈ', 'full-width'],
  ];
  for (const [company, name] of cases) {
    it(`${JSON.stringify(company.slice(0, 30))} → ${name.slice(0, 20)}`, () => {
      expect(suggestName(company, free)).to.equal(name);
    });
  }

  it('counts on while names are taken', () => {
    const taken = new Set(['acme', 'acme-2']);
    expect(suggestName('Acme', (name) => taken.has(name))).to.equal('acme-3');
    const long = 'x'.repeat(40);
    expect(suggestName(long, (name) => name === long)).to.equal(`${'x'.repeat(38)}-2`);
  });

  it('gives a valid name for any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => isValidName(suggestName(text, free))));
  });
});

describe('resourceNames', () => {
  it('names everything after the instance', () => {
    expect(resourceNames('default', 'acme')).to.deep.equal({
      odoo: 'odoo_cliente_acme',
      db: 'odoo_cliente_acme_db',
      network: 'odoo_cliente_acme_net',
      pgdata: 'odoo_cliente_acme_pgdata',
      filestore: 'odoo_cliente_acme_filestore',
      config: 'odoo_cliente_acme_config',
      project: 'odoo_cliente_acme',
    });
  });

  it('puts another scope in front', () => {
    expect(resourceNames('t1', 'acme').db).to.equal('t1_odoo_cliente_acme_db');
  });

  for (const name of ['', 'A', '1a', 'a-', '-a', 'a--b', 'a_b', 'a.b', '../a', 'a\n', 'x'.repeat(41)]) {
    it(`refuses ${JSON.stringify(name)}`, () => {
      expect(() => resourceNames('default', name)).to.throw(RangeError);
    });
  }

  it('refuses a scope that is not one', () => {
    expect(() => resourceNames('T_1', 'acme')).to.throw(RangeError);
  });
});

describe('instanceLabels', () => {
  it('tells all that the store needs', () => {
    expect(instanceLabels('default', { name: 'acme', key: 'sol:7', slot: 3 })).to.deep.equal({
      'saas.scope': 'default',
      'saas.instance': 'acme',
      'saas.key': 'sol:7',
      'saas.slot': '3',
    });
  });
});
