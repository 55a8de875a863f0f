/** The settings are listed for people in two more places, which `npm run docs` makes from the schema. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { withEnvironment, withTable } from '../../../compose/docs/settings.js';
import { CONFIG_NAMES, loadConfig, SECTIONS } from '../../../src/config/config.js';
import { settingsHelp } from '../../../src/config/help.js';

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const COMPOSE = 'compose/daemon/docker-compose.yml';

function composeEnvironment(): Record<string, string> {
  const { services } = parse(read(COMPOSE)) as { services: { daemon: { environment: Record<string, string> } } };
  return services.daemon.environment;
}

describe('the list of settings', () => {
  it('of README.md is the one that the program knows (npm run docs)', () => {
    const readme = read('README.md');
    const listed = [...readme.matchAll(/^\| `(SAAS_\w+)` \|/gm)].map(([, name]) => name);
    expect(listed).members(CONFIG_NAMES).and.length(CONFIG_NAMES.length);
    expect(readme).equal(withTable(readme));
  });

  it('of the production compose file passes every setting on (npm run docs)', () => {
    const compose = read(COMPOSE);
    const passed = composeEnvironment();
    expect(Object.keys(passed)).members(CONFIG_NAMES).and.length(CONFIG_NAMES.length);
    for (const [name, value] of Object.entries(passed)) {
      if (!value.startsWith('/')) expect(value).match(new RegExp(`^\\$\\{${name}:[-?]`));
    }
    expect(compose).equal(withEnvironment(compose));
  });

  it('of the production compose file leaves the default where nothing is set', () => {
    const required = {
      SAAS_ODOO_URL: 'https://shop.example.com',
      SAAS_ODOO_DB: 'master',
      SAAS_ODOO_LOGIN: 'bridge',
      SAAS_ODOO_API_KEY_FILE: fileURLToPath(import.meta.url),
    };
    const nothingSet = Object.entries(composeEnvironment()).map(([name, value]) => [name, value.replace(/^\$.*/, '')]);
    const config = loadConfig({ ...Object.fromEntries(nothingSet), ...required });
    expect(JSON.stringify(config)).equal(JSON.stringify(loadConfig(required)));
  });

  it('of --help is the one that the program knows, each with a sentence', () => {
    const lines = settingsHelp().split('\n');
    const listed = lines.map((line) => /^ {4}(SAAS_\w+) +\w.+ \(.+\)$/.exec(line)?.[1]).filter(Boolean);
    expect(listed).deep.equal(CONFIG_NAMES);
  });

  it('has every section in the schema, and each name once', () => {
    expect(SECTIONS.flatMap(({ settings }) => Object.keys(settings))).deep.equal(CONFIG_NAMES);
  });
});
