/** What is written for an instance: compose file, odoo.conf, statements, limits.json, the archive that carries them. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { extract } from 'tar-stream';
import { tar } from '../../../src/docker/engine/tar.js';
import type { Templates } from '../../../src/docker/files.js';
import { containerOptions } from '../../../src/docker/instance/compose.js';
import { personaliseSql } from '../../../src/docker/instance/personalise.js';
import { DEFAULT_SETTINGS, renderInstance } from '../../../src/docker/instance/rendering.js';
import { REPORT_URL } from '../../../src/docker/instance/settings.js';
import { isValidName } from '../../../src/instance/naming.js';
import { deriveSecrets } from '../../../src/instance/secrets.js';
import { adminLogin, type InstanceSpec } from '../../../src/instance/spec.js';
import { Secret } from '../../../src/lib/secret.js';
import { placementAt } from '../../unit/store/support.js';
import { instanceKey, instanceName, text } from '../hostile.js';
import { readIni } from '../readers/ini.js';
import { readSql, type Token } from '../readers/sql.js';
import { holds, same, sameShape, target, unlessRefused } from '../target.js';

const KEY = Buffer.alloc(32, 7);
/** Words that stand for the values. */
const PLAIN: InstanceSpec = {
  key: 'THE-KEY',
  name: 'the-name',
  placement: placementAt(3),
  release: { odooImage: 'THE-ODOO:19.0', postgresImage: 'THE-POSTGRES:17', addons: [] },
  ...{ cpu: 1, memoryMb: 1024, storageGb: 5, maxUsers: 3, modules: [] },
  ...{ url: 'THE-URL', companyName: 'THE-COMPANY', contactName: 'THE-CONTACT', email: 'THE-EMAIL' },
  ...{ lang: 'THE-LANGUAGE', accountUrl: 'THE-ACCOUNT', egress: 'web' },
};
const spec: fc.Arbitrary<InstanceSpec> = fc
  .record({
    key: fc.oneof(text, instanceKey),
    name: fc.oneof({ weight: 4, arbitrary: instanceName }, { weight: 1, arbitrary: text }),
    release: fc.record({ odooImage: text, postgresImage: text, addons: fc.constant<string[]>([]) }),
    ...{ url: text, companyName: text, contactName: text, email: text, lang: text, accountUrl: text },
  })
  .map((values) => ({ ...PLAIN, ...values }));

export function fileTargets(files: Templates) {
  const settings = { ...DEFAULT_SETTINGS, bindAddress: 'THE-ADDRESS' };
  const render = (given: InstanceSpec, bindAddress = 'THE-ADDRESS') =>
    renderInstance(files, { ...settings, bindAddress }, given, deriveSecrets(KEY, given.key));
  const plain = render(PLAIN);
  const plainYaml = load(plain.compose);
  const plainOptions = [plain.services.db, plain.services.odoo].map(containerOptions);
  const hash = /^[0-9a-f]{16}$/;

  const composeFile = target({
    name: 'compose file and containers',
    share: 0.5,
    values: fc.record({ given: spec, address: text }),
    check({ given, address }) {
      const rendered = unlessRefused(['instance.spec'], () => render(given, address));
      same('whether the name is taken', rendered !== null, isValidName(given.name));
      if (!rendered) return;
      const values = new Map<unknown, unknown>([
        ...[...namesIn(plainYaml)].map((name): [string, string] => [name, name.replaceAll('the-name', given.name)]),
        ['THE-KEY', given.key],
        ['THE-ADDRESS', address],
        ['THE-ODOO:19.0', given.release.odooImage],
        ['THE-POSTGRES:17', given.release.postgresImage],
        ...[...Object.values(plain.services.db.labels), ...Object.values(plain.services.odoo.labels)]
          .filter((label) => hash.test(label))
          .map((label): [string, RegExp] => [label, hash]),
      ]);
      sameShape('the compose file', load(rendered.compose), plainYaml, values);
      const options = [rendered.services.db, rendered.services.odoo].map(containerOptions);
      // Volumes and networks are keys there.
      const renamed = JSON.parse(JSON.stringify(plainOptions).replaceAll('the-name', given.name));
      const addressless = JSON.parse(JSON.stringify(options));
      sameShape('the containers', addressless, renamed, values);
      same('limits.json', JSON.parse(rendered.limitsJson), { max_users: 3, account_url: given.accountUrl });
    },
  });

  const conf = (dbPassword: string, adminPasswd: string, logLevel: string) =>
    files.conf({ dbPassword, adminPasswd, dbMaxConnections: 14, logLevel });
  const plainConf = readIni(conf('THE-DB', 'THE-ADMIN', 'THE-LEVEL'));
  const odooConf = target({
    name: 'odoo.conf',
    share: 10,
    values: fc.tuple(text, text, text),
    check([db, admin, level]) {
      const written = unlessRefused(['template.value'], () => conf(db, admin, level));
      if (written === null) return;
      const expected = structuredClone(plainConf);
      for (const [name, value] of Object.entries({ db_password: db, admin_passwd: admin, log_level: level })) {
        expected.get('options')?.set(name, value);
      }
      same('odoo.conf', readIni(written), expected);
    },
  });

  const model = { ...PLAIN, email: 'THE-EMAIL' };
  const personalise = (it: InstanceSpec, secret: string, passwordHash: string, timeZone: string) =>
    personaliseSql(files, it, secretsOf(secret), { passwordHash, timeZone });
  const plainPersonalise = readSql(personalise(model, 'THE-SECRET', 'THE-HASH', 'THE-ZONE'));
  const others = (['roleSql', 'adminSql', 'settingsSql'] as const).map((name) => {
    const of = (it: string) => files[name]({ dbPassword: it, passwordHash: it, url: it, reportUrl: REPORT_URL });
    return { of, pattern: readSql(of('THE-SECRET')) };
  });
  const statements = target({
    name: 'statements',
    share: 3,
    values: fc.record({ given: spec, hash: text, secret: text, zone: text }),
    check({ given, hash: passwordHash, secret, zone }) {
      const login = adminLogin(given);
      const values = {
        ...{ 'THE-URL': given.url, 'THE-COMPANY': given.companyName, 'THE-CONTACT': given.contactName },
        ...{ 'THE-EMAIL': given.email.trim(), 'THE-LANGUAGE': given.lang, 'THE-HASH': passwordHash, 'THE-ZONE': zone },
        ...{ 'THE-SECRET': secret, 'THE-LOGIN': login },
      };
      // The login is the address where there is one.
      const all = { ...values, 'THE-EMAIL': [given.email.trim(), login] };
      sameSql(personalise(given, secret, passwordHash, zone), plainPersonalise, all);
      for (const { of, pattern } of others) sameSql(of(secret), pattern, { 'THE-SECRET': secret });
    },
  });

  const archive = target({
    name: 'archive for a task',
    share: 2,
    values: fc.array(
      fc.record({ name: fc.constantFrom('odoo.conf', 'personalise.sql', 'addons/a.py'), content: text }),
      {
        maxLength: 4,
      },
    ),
    async check(given) {
      const found: { name: string; content: string }[] = [];
      const reader = extract();
      Readable.from([tar(given.map((file) => ({ ...file, mode: 0o400 })))]).pipe(reader);
      for await (const entry of reader) {
        const chunks: Buffer[] = [];
        for await (const chunk of entry) chunks.push(chunk as Buffer);
        same('the mode', entry.header.mode, 0o400);
        found.push({ name: entry.header.name, content: Buffer.concat(chunks).toString('utf8') });
      }
      same(
        'the archive',
        found,
        given.map(({ name, content }) => ({ name, content: wellFormed(content) })),
      );
    },
  });

  return [composeFile, odooConf, statements, archive];
}

function secretsOf(value: string) {
  const secret = new Secret(value);
  return {
    ...{ dbPassword: secret, adminPasswd: secret, adminPassword: secret, databaseSecret: secret },
    backupPassword: secret,
    databaseUuid: value,
  };
}

/** As UTF-8 carries it: halves of characters are replaced. */
function wellFormed(value: string): string {
  return Buffer.from(value, 'utf8').toString('utf8');
}

/** Where the plain statements have a word, the others have that value, and nothing else differs. */
function sameSql(written: string, expected: Token[], values: Record<string, string | string[]>): void {
  // Single-user mode takes this for the end of a statement string.
  holds('no empty line ends the statements early', !/;[ \t]*\n[ \t]*\n/.test(written.trimEnd()), written.slice(0, 200));
  holds('nothing that psql takes for a command of its own', !written.includes('\\'), written.slice(0, 200));
  const tokens = readSql(written);
  same('the number of words of the statements', tokens.length, expected.length);
  for (const [at, token] of expected.entries()) {
    const found = tokens[at];
    const word = token.kind === 'string' ? hexText(token.text) : null;
    const value = word === null ? undefined : values[word];
    if (value === undefined) {
      same('a word of the statements', found, token);
      continue;
    }
    const allowed = [value].flat().map((one) => wellFormed(one.replaceAll('\0', '')));
    holds('a value in the statements', allowed.includes(hexText(found?.text ?? '') ?? '\0'), found);
  }
}

/** The text of a literal of hexadecimal digits; null for any other. */
function hexText(literal: string): string | null {
  const digits = /^'((?:[0-9a-f]{2})*)'$/.exec(literal)?.[1];
  return digits === undefined ? null : Buffer.from(digits, 'hex').toString('utf8');
}

/** Every text of a tree that has the plain name in it. */
function namesIn(tree: unknown): Set<string> {
  const found = new Set<string>();
  JSON.stringify(tree, (_key, value) => {
    if (typeof value === 'string' && value.includes('the-name')) found.add(value);
    return value;
  });
  return found;
}

/** The same templates, with values written into them as they are: what the targets must find. */
export async function carelessTemplates(files: Templates): Promise<Templates> {
  const { default: Handlebars } = await import('handlebars');
  const engine = Handlebars.create();
  const bare = (value: unknown) => String(value);
  const quoted = (value: unknown) => `'${value}'`;
  engine.registerHelper({
    json: (value: unknown) => (typeof value === 'string' ? `"${value}"` : bare(value)),
    ini: bare,
    text: quoted,
    integer: bare,
    decimal: bare,
  });
  const render = async (file: string) =>
    engine.compile(await readFile(new URL(`../../../templates/instance/${file}`, import.meta.url), 'utf8'), {
      noEscape: true,
    });
  return {
    ...files,
    compose: await render('docker-compose.yml.hbs'),
    conf: await render('odoo.conf.hbs'),
    personalise: await render('personalise.sql.hbs'),
    roleSql: await render('role.sql.hbs'),
    adminSql: await render('admin.sql.hbs'),
    settingsSql: await render('settings.sql.hbs'),
  };
}
