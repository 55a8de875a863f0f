import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const ROOT = new URL('../../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');
const ADDONS = ['saas_bridge', 'saas_bridge_website'];
/** Addons began with 19.0.2 when the package was 0.1: a version never goes down. */
const AHEAD = 3;

const numbers = (version: string) => version.split('.').map(Number);
const versionOf = (addon: string) =>
  /"version": "([\d.]+)"/.exec(read(`odoo-addon-stub/${addon}/__manifest__.py`))?.[1] ?? '';

function compare(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  const at = left.findIndex((number, index) => number !== right[index]);
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

describe('versions', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const [major = 0, minor, patch] = numbers(version);

  for (const addon of ADDONS) {
    it(`${addon} is in step with the package`, () => {
      expect(versionOf(addon)).to.equal(`19.0.${major + AHEAD}.${minor}.${patch}`);
    });

    it(`the migrations of ${addon} are of versions up to its own`, () => {
      const folder = new URL(`odoo-addon-stub/${addon}/`, ROOT);
      const made = readdirSync(folder).includes('migrations') ? readdirSync(new URL('migrations', folder)) : [];
      // Odoo runs those that are newer than the database and not newer than the addon.
      expect(made.filter((one) => compare(one, versionOf(addon)) > 0)).to.deep.equal([]);
    });
  }

  it('the lock file has the same', () => {
    const lock = JSON.parse(read('package-lock.json')) as { version: string; packages: { '': { version: string } } };
    expect([lock.version, lock.packages[''].version]).to.deep.equal([version, version]);
  });
});
