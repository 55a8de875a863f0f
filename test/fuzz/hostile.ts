/** Texts as nobody friendly writes them. */
import fc from 'fast-check';

/** One for each way in which a text has got out of its place somewhere. */
const FRAGMENTS = [
  // Shells.
  ...['; rm -rf /', '$(id)', '`id`', '| cat', '&& id', '\\\n', '\u0024{IFS}', '-rf', '--', "'", '"', '\\', '~', '*'],
  // Paths.
  ...['../', '..', '/etc/passwd', '..\\', '/', '.', '%2e%2e%2f', '/proc/self/environ', 'a/../b', '\0.zip', '....//'],
  // YAML.
  ...[
    ': ',
    '- ',
    '# ',
    '\n  privileged: true\n',
    '&a',
    '*a',
    '!!python/object:x',
    '{a: b}',
    '[x]',
    '|',
    '>',
    '---',
    'yes',
    '~',
    '<<: *a',
    '\u0085',
    '\u2028',
    '\ufeff',
    '012',
    '1e3',
    'null',
  ],
  // INI.
  ...['\n[options]\n', '\nadmin_passwd = x', ';', '%(x)s', '%', ' = ', '\r', '\r\n'],
  // SQL.
  ...[
    "'); DROP TABLE res_users; --",
    "''",
    "\\'",
    '$do$',
    '$$',
    '/*',
    '*/',
    '--',
    ';\n\n',
    '\\! id',
    ':name',
    ":'v'",
    "E'\\x'",
    '"',
    '\\copy',
    'U&"',
  ],
  // Templates.
  ...[
    '{{constructor}}',
    '{{{x}}}',
    '{{#each this}}',
    '{{lookup this "__proto__"}}',
    '\u0024{7*7}',
    '<%= 7*7 %>',
    '{% x %}',
    '{name}',
    '{port}',
    '%s',
    '%(name)s',
  ],
  // Pages and mails.
  ...[
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '</title>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '&lt;',
    '&',
    '&#0;',
    '<',
    '>',
    'javascript:alert(1)',
    'data:text/html,x',
    "' onmouseover='x",
    '<base href=//x>',
    'https://evil.example',
    '//evil.example',
    'www.evil.example',
    '\r\nBcc: all@example.com',
    '\n.\n',
    '=?utf-8?q?x?=',
    'a@b.example,c@d.example',
    '<a@b.example>',
  ],
  // XML-RPC.
  ...[
    '</string>',
    '<value>',
    '<?xml version="1.0"?>',
    '<!DOCTYPE x [<!ENTITY a "b">]>',
    '&a;',
    '</methodCall>',
    ']]>]]>',
  ],
  // HTTP.
  ...[
    '\r\nSet-Cookie: a=b',
    '\r\n\r\n<html>',
    'HTTP/1.1 200 OK',
    '?a=b',
    '#x',
    '@',
    'user:password@',
    '%0d%0a',
    '%00',
    '[::1]',
    '169.254.169.254',
    'unix:/var/run/docker.sock:',
  ],
  // Objects.
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length'],
  // Labels and names of others.
  ...['saas.key=sol:1', ',', '=', 'sol:7', 'sol:7.1', 'acme', 'acme_db', '_db', 'odoo_cliente_', 'default'],
  // Terminals and what is not seen.
  ...[
    '\u001b[2J',
    '\u001b]0;x\u0007',
    '\u009b31m',
    '\u007f',
    '\b',
    '\t',
    '\v',
    '\f',
    '\0',
    '\u202e',
    '\u200b',
    '\u2066',
    '\u00ad',
    '\u00a0',
    '\u3000',
  ],
  // Characters that are not.
  ...[
    '\ud800',
    '\udfff',
    '\uffff',
    '\ufffe',
    '\u{10ffff}',
    '🚀',
    'é',
    'ﬀ',
    'İ',
    'ß',
    '株式会社',
    'Ω',
    '\u0301\u0301\u0301',
  ],
  // Dates and numbers.
  ...[
    '2026-02-31 00:00:00',
    '0000-00-00 00:00:00',
    '9999-12-31 23:59:59',
    '-1',
    '1e999',
    '0x10',
    'NaN',
    'Infinity',
    '99999999999999999999',
  ],
];

const fragment = fc.constantFrom(...FRAGMENTS);
const binary = fc.string({ unit: 'binary', maxLength: 12 });
/** Of any code units: halves of characters, too. */
const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map((all) => String.fromCharCode(...all));
const words = fc.constantFrom(
  '',
  ' ',
  'a',
  'acme',
  'Panadería La Espiga',
  'S00042',
  'ana@acme.example',
  'https://shop.example.com',
);

/** A text from outside. */
export const text: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(fc.oneof(fragment, words, binary), { minLength: 1, maxLength: 5 }).map((all) => all.join('')),
  },
  { weight: 2, arbitrary: fragment },
  { weight: 1, arbitrary: units },
  { weight: 1, arbitrary: words },
  {
    weight: 1,
    arbitrary: fc.tuple(fragment, fc.integer({ min: 2, max: 200 })).map(([part, times]) => part.repeat(times)),
  },
);

/** Whatever a program may send in place of a value. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: text },
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, undefined, false, 0, -1, 2 ** 31, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, [], {}),
  fc.array(text, { maxLength: 3 }),
  fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
  fc.constantFrom(JSON.parse('{"__proto__": {"polluted": true}}'), JSON.parse('{"constructor": 1}')),
);

/** Names that an instance may have, near to each other. */
export const instanceName: fc.Arbitrary<string> = fc.constantFrom(
  'a',
  'acme',
  'acme-2',
  'acme-db',
  'db',
  'net',
  'odoo',
  'x9',
  'cliente',
  'a-b',
);

/** Keys that an instance may have. */
export const instanceKey: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('sol', 'aml', 'grant', 'rec'),
    fc.integer({ min: 1, max: 99 }),
    fc.constantFrom('', '.1', '.1768478400'),
  )
  .map(([kind, id, moment]) => `${kind}:${id}${moment}`);

/** The object with some of its fields replaced by whatever. */
export function disturbed<T extends object>(object: T, by: fc.Arbitrary<unknown> = anything): fc.Arbitrary<T> {
  const fields = Object.keys(object);
  return fc
    .dictionary(fc.constantFrom(...fields), by, { minKeys: 1, maxKeys: 4, noNullPrototype: true })
    .map((changes) => ({ ...object, ...changes }) as T);
}
