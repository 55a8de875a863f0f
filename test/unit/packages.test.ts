/** What is run when packages are installed: nothing but what compiles SQLite. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

interface Locked {
  hasInstallScript?: boolean;
}

describe('scripts of packages', () => {
  const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> };
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
  const withScript = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([folder]) => folder.replace(/^.*node_modules\//, ''));

  it('are decided on for each package that has one, and run for one alone', () => {
    expect(withScript.filter((name) => !(name in allowScripts))).deep.equal([]);
    expect(Object.keys(allowScripts).filter((name) => allowScripts[name])).deep.equal(['better-sqlite3']);
    expect(withScript).include('better-sqlite3');
  });

  it('are refused where nobody decided, by each version of npm', () => {
    expect(read('.npmrc')).match(/^strict-allow-scripts=true$/m);
    expect(read('compose/bootstrap.sh')).match(/npm ci --ignore-scripts .*\n\s*npm rebuild better-sqlite3 /);
  });
});
