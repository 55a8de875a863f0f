import { expect } from 'chai';
import { faultError } from '../../../src/odoo/faults.js';
import { networkError, statusError } from '../../../src/odoo/network-errors.js';

const call = { db: 'shop', model: 'saas.bridge', method: 'push' };
const traceback = (last: string) =>
  `Traceback (most recent call last):\n  File "/x.py", line 1, in y\n    code()\n${last}\n`;

describe('faultError', () => {
  const cases: [code: number, text: string, error: string, retryable: boolean][] = [
    [1, traceback('psycopg2.OperationalError: FATAL:  database "shop" does not exist'), 'odoo.wrong_database', true],
    [1, traceback('psycopg2.OperationalError: could not connect to server'), 'odoo.database_away', true],
    [1, traceback('psycopg2.pool.PoolError: The Connection Pool Is Full'), 'odoo.database_away', true],
    [1, traceback('psycopg2.errors.DeadlockDetected: deadlock detected'), 'odoo.conflict', true],
    [1, traceback('psycopg2.errors.SerializationFailure: could not serialize access'), 'odoo.conflict', true],
    [1, traceback('TypeError: cannot marshal None unless allow_none is enabled'), 'odoo.returned_nothing', false],
    [1, traceback("KeyError: 'saas.bridge'"), 'odoo.addon_missing', true],
    [2, "Object saas.bridge doesn't exist", 'odoo.addon_missing', true],
    [1, traceback("AttributeError: The method 'saas.bridge.push' does not exist"), 'odoo.addon_missing', true],
    [2, 'The period must be positive', 'odoo.refused', false],
    [4, "You are not allowed to modify 'Bridge'\n\nContact your administrator", 'odoo.access_error', true],
    [1, traceback('ZeroDivisionError: division by zero'), 'odoo.fault', true],
  ];
  for (const [code, text, error, retryable] of cases) {
    it(`${code} ${text.trim().split('\n').at(-1)}: ${error}`, () => {
      const result = faultError({ code, text }, call);
      expect(result).to.include({ code: error, retryable });
      expect(result.message).to.not.match(/\n|Traceback|x\.py/);
      expect(result.advice).to.match(/\.$/);
    });
  }
});

describe('networkError', () => {
  const url = new URL('https://shop.example.com/');
  for (const [code, expected] of [
    ['ECONNREFUSED', 'odoo.unreachable'],
    ['EHOSTUNREACH', 'odoo.unreachable'],
    ['ENOTFOUND', 'odoo.dns'],
    ['EAI_AGAIN', 'odoo.dns'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'odoo.tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'odoo.tls'],
    ['CERT_HAS_EXPIRED', 'odoo.tls'],
    ['HPE_INVALID_CONSTANT', 'odoo.not_http'],
    ['ECONNRESET', 'odoo.cut'],
  ] as const) {
    it(`${code}: ${expected}`, () => {
      const error = networkError(url, Object.assign(new Error('x'), { code }));
      expect(error).to.include({ code: expected, retryable: true });
    });
  }

  it('tells the status and the title of a page', () => {
    const page = `<title>${'t'.repeat(500)}\n</title>`;
    expect(statusError(url, 503, undefined, page).message).to.match(
      /^https:\/\/shop\.example\.com answered HTTP 503: "t{80}"$/,
    );
    expect(statusError(url, 403, undefined, '').advice).to.contain('let it pass');
  });
});
