/** Settings: refused with their name, or good for what they are used for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { CONFIG_NAMES, loadConfig } from '../../../src/config/config.js';
import { addressesBy } from '../../../src/facts/address.js';
import { isValidScope } from '../../../src/instance/naming.js';
import { TerminalError } from '../../../src/lib/errors.js';
import { text } from '../hostile.js';
import { holds, plainLine, same, target } from '../target.js';

const NAMES = CONFIG_NAMES.filter((name) => !name.endsWith('_FILE'));
/** What is nearly right, or right in a way that nobody thought of. */
const near = fc.oneof(
  text,
  text.map((it) => `https://${it}/{name}`),
  text.map((it) => `https://{name}.${it}`),
  text.map((it) => `https://shop.example.com/${it}`),
  text.map((it) => `odoo:${it}`),
  fc.constantFrom(
    '0',
    '1',
    '30',
    '20000-32767',
    '10.208.0.0/12',
    '127.0.0.1',
    '::1',
    'yes',
    'es_ES',
    'P7D',
    'Europe/Madrid',
    'none',
    '7,3,1',
  ),
);

export function settingsTargets(load: typeof loadConfig = loadConfig) {
  let folder: string | null = null;
  const keyFile = () => {
    if (folder === null) {
      folder = mkdtempSync(path.join(tmpdir(), 'saas-fuzz-'));
      writeFileSync(path.join(folder, 'key'), 'the-key-in-the-file\n');
    }
    return path.join(folder, 'key');
  };
  const settings = target({
    name: 'settings',
    share: 5,
    values: fc.dictionary(
      fc.oneof(
        { weight: 12, arbitrary: fc.constantFrom(...NAMES) },
        { weight: 1, arbitrary: text.map((it) => `SAAS_${it}`) },
      ),
      near,
      { minKeys: 1, maxKeys: 4, noNullPrototype: true },
    ),
    check(given) {
      const env = {
        SAAS_ODOO_URL: 'https://shop.example.com',
        SAAS_ODOO_DB: 'shop',
        SAAS_ODOO_LOGIN: 'bridge',
        SAAS_ODOO_API_KEY_FILE: keyFile(),
      };
      let config: ReturnType<typeof loadConfig>;
      try {
        config = load({ ...env, ...given });
      } catch (error) {
        if (!(error instanceof TerminalError) || error.code !== 'config.invalid') throw error;
        holds('the secret is not told', !error.message.includes('the-key-in-the-file'), error.message);
        return;
      }
      const { instances, http, odoo, docker } = config;
      holds('a scope', isValidScope(instances.scope), instances.scope);
      for (const image of [instances.odooImage, instances.postgresImage]) holds('an image', IMAGE.test(image), image);
      for (const language of instances.languages)
        holds('a language', /^[a-z]{2,3}(_[A-Z]{2})?$/.test(language), language);
      holds('an address of this host', isIP(instances.bindAddress) > 0, instances.bindAddress);
      const url = addressesBy(instances.urlTemplate)('acme', { httpPort: 20_000 });
      plainLine('an address', url);
      holds(
        'an address of an instance',
        /^https?:$/.test(new URL(url).protocol) && new URL(url).pathname === '/' && new URL(url).username === '',
        url,
      );
      holds('the address of the master', /^https?:$/.test(new URL(odoo.url).protocol), odoo.url);
      same(
        'what the daemon asks the engine for',
        new URL(`/images/${instances.odooImage}/json`, 'http://engine').pathname,
        `/images/${instances.odooImage}/json`,
      );
      holds('a port', Number.isInteger(http.port) && http.port >= 0 && http.port < 65_536, http.port);
      holds('a socket', docker.socketPath !== '', docker.socketPath);
    },
    close() {
      if (folder) rmSync(folder, { recursive: true });
      folder = null;
    },
  });
  return [settings];
}

/** The grammar of github.com/distribution/reference. */
const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])(?::\\d+)?';
const IMAGE = new RegExp(
  `^(?:${HOST}/)?${PART}(?:/${PART})*(?::\\w[\\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);
