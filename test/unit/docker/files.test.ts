import { expect } from 'chai';
import { parse } from 'yaml';
import { compile, decimal, ini, integer, json, loadTemplates, sqlText } from '../../../src/docker/files.js';

const HOSTILE = [
  `Müller's "Best" \\ GmbH`,
  'two\nlines\r\nthree',
  '🚀 株式会社',
  'x'.repeat(300),
  '$(touch /tmp/x) `id` $HOME',
  '{{constructor}} {{{x}}}',
  "'); DROP TABLE res_users; --",
  '# no comment: [a] {b} *c &d !e %f @g',
  'yes',
  '\u2028\u0085\ufeff\u007f',
];

describe('serializers', () => {
  for (const text of HOSTILE) {
    it(`json carries ${JSON.stringify(text.slice(0, 20))} through YAML`, () => {
      expect(parse(`key: ${json(text)}\n`)).to.deep.equal({ key: text });
    });

    it(`text carries ${JSON.stringify(text.slice(0, 20))} as hexadecimal digits`, () => {
      const hex = /^convert_from\(decode\('([0-9a-f]*)', 'hex'\), 'UTF8'\)$/.exec(sqlText(text))?.[1];
      expect(Buffer.from(hex ?? '', 'hex').toString('utf8')).to.equal(text);
    });
  }

  it('text leaves NUL out, which PostgreSQL cannot hold', () => {
    expect(sqlText('a\0b')).to.equal(sqlText('ab'));
  });

  it('ini takes words only', () => {
    expect(ini('abc-DEF_123')).to.equal('abc-DEF_123');
    for (const value of ['', 'a\nb', 'a\0', 'a%b', 'a;b', 'a#b', ' a', 'a\u2028b', 7, undefined]) {
      expect(() => ini(value), String(value)).to.throw('refused');
    }
  });

  it('integer and decimal take numbers only', () => {
    expect(integer(42)).to.equal('42');
    expect(decimal(0.25)).to.equal('0.25');
    for (const value of ['1', 1.5, Number.NaN, Infinity]) expect(() => integer(value)).to.throw('refused');
    for (const value of ['1', 0, -1, Number.NaN]) expect(() => decimal(value)).to.throw('refused');
  });
});

describe('compile', () => {
  it('refuses a template with a bare value', () => {
    expect(() => compile('a: {{value}}')).to.throw('bare value');
    expect(() => compile('{{#if x}}a: {{{value}}}{{/if}}')).to.throw('bare value');
  });

  it('refuses a missing value', () => {
    expect(() => compile('a: {{json value}}')({})).to.throw();
  });
});

describe('odoo.conf', () => {
  it('is exactly this', async () => {
    const { conf } = await loadTemplates();
    const values = { dbPassword: 'db-secret', adminPasswd: 'manager-secret', dbMaxConnections: 14, logLevel: 'warn' };
    expect(conf(values)).to.equal(`; Written by the bridge. What depends on the plan is in the container's arguments.
[options]
db_host = db
db_port = 5432
db_user = odoo
db_password = db-secret
db_name = odoo
dbfilter = ^odoo$
db_maxconn = 14
list_db = False
admin_passwd = manager-secret
data_dir = /var/lib/odoo
http_interface = 0.0.0.0
http_port = 8069
workers = 0
max_cron_threads = 1
limit_time_cpu = 600
limit_time_real = 1200
log_level = warn
without_demo = True
; saas_limits is loaded from here, not installed in the database.
addons_path = /etc/odoo/addons
server_wide_modules = base,web,saas_limits
`);
  });
});
