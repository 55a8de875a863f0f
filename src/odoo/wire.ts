import { TerminalError } from '../lib/errors.js';
import { toOdooTime } from '../protocol/time.js';
import { stripXmlForbidden } from './text.js';

/** An own XML-RPC type of the `xmlrpc` package: written as an element `tagName` that holds `raw`, escaped. */
export type CustomTypeClass = new (raw: string) => { raw: string; tagName: string };

const MAX_INT = 2 ** 31 - 1;

function unsendable(path: string, what: string): TerminalError {
  return new TerminalError(
    'odoo.unsendable',
    `${path} holds ${what}, which XML-RPC cannot carry`,
    'This is a fault of the daemon: please report it with this line of the log.',
  );
}

/**
 * A value as the `xmlrpc` package can send it without harm: empty values become Odoo's `false`, Dates its naive UTC
 * text, and strings lose the characters that XML forbids. Keys of objects that are undefined are left out.
 *
 * Strings are wrapped in a custom type because the package writes a string with markup as a CDATA section and splits
 * only the first `]]>` in it: whatever follows the second one would be read by Odoo as part of the call.
 *
 * @throws TerminalError `odoo.unsendable`: an integer beyond 32 bits, NaN, a function and the like.
 */
export function toWire(value: unknown, CustomType: CustomTypeClass, path = 'argument'): unknown {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string': {
      const clean = stripXmlForbidden(value);
      return clean === '' ? clean : Object.assign(new CustomType(clean), { tagName: 'string' });
    }
    case 'number':
      if (!Number.isFinite(value)) throw unsendable(path, String(value));
      if (Number.isInteger(value) && (value > MAX_INT || value < -MAX_INT - 1)) {
        throw unsendable(path, `the integer ${value} (more than 32 bits)`);
      }
      return value;
    case 'object':
      if (value === null) return false;
      if (value instanceof Date) return toWire(toOdooTime(value), CustomType, path);
      if (Array.isArray(value)) return value.map((item, index) => toWire(item, CustomType, `${path}[${index}]`));
      if (Object.getPrototypeOf(value) !== Object.prototype) throw unsendable(path, `a ${value.constructor?.name}`);
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => [stripXmlForbidden(key), toWire(item, CustomType, `${path}.${key}`)]),
      );
    default:
      throw unsendable(path, `a value of type ${typeof value}`);
  }
}
