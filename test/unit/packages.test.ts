/** What is run when packages are installed: nothing but what compiles SQLite. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const read = (file: string) => readFileSync(root(file), 'utf8');
const images = readdirSync(root('compose/images')).map((name) => `compose/images/${name}/Dockerfile`);

interface Locked {
  hasInstallScript?: boolean;
  dev?: boolean;
}

/** What npm runs when it installs a package, and what it compiles without being told to. */
const AT_INSTALL = ['preinstall', 'install', 'postinstall'];

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

  it('are told of truly: in the folders of what the daemon needs nobody else has one', () => {
    const folders = Object.entries(packages).flatMap(([folder, { dev }]) => (folder && !dev ? [folder] : []));
    const found = folders.filter((folder) => {
      if (!existsSync(root(`${folder}/package.json`))) return false;
      const { scripts = {} } = JSON.parse(read(`${folder}/package.json`)) as { scripts?: Record<string, string> };
      return AT_INSTALL.some((name) => scripts[name]) || existsSync(root(`${folder}/binding.gyp`));
    });
    expect(folders).length.above(100);
    expect(found).include('node_modules/better-sqlite3');
    expect(found.filter((folder) => !packages[folder]?.hasInstallScript)).deep.equal([]);
  });

  it('are run for SQLite alone, wherever packages are installed', () => {
    const places = ['compose/bootstrap.sh', 'compose/daemon/Dockerfile', ...images].map(
      (file) => [file, read(file)] as const,
    );
    const installs = places.flatMap(([file, text]) =>
      (text.match(/\bnpm (?:ci|install|i|rebuild)\b.*/g) ?? []).map((command) => `${file}: ${command}`),
    );
    expect(installs).length.above(3);
    const careless = installs.filter((line) => !/ --ignore-scripts( |$)|npm rebuild better-sqlite3( |$)/.test(line));
    expect(careless).deep.equal([]);
  });

  it('are refused where nobody decided, by each version of npm', () => {
    expect(read('.npmrc')).match(/^strict-allow-scripts=true$/m);
    expect(read('compose/bootstrap.sh')).match(/npm ci --ignore-scripts .*\n\s*npm rebuild better-sqlite3 /);
  });
});
