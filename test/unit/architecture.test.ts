/** The walls between the rooms of src/, as src/README.md draws them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const MOST_LINES = 250;
/** Packages that one room alone may import. */
const OWNED: Record<string, string> = {
  'odoo-xmlrpc': 'odoo/client.ts',
  dockerode: 'docker/engine/engine.ts',
};
/** What a pure room must not import. */
const EFFECTS = /^node:(fs|http|https|net|child_process|timers|dgram|tls|os)/;

interface Room {
  pure: boolean;
  /** Null: everything. */
  mayImport: string[] | null;
}

const files = (readdirSync(SRC, { recursive: true }) as string[]).filter((file) => file.endsWith('.ts')).sort();
const rooms = readTable(readFileSync(path.join(SRC, 'README.md'), 'utf8'));

/** The rows of the table "may import": several rooms may share one. */
function readTable(text: string): Map<string, Room> {
  const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.replace(/\/$/, ''));
  const found = new Map<string, Room>();
  for (const line of text.slice(text.indexOf('| may import |')).split('\n').slice(2)) {
    const [, room = '', holds = '', mayImport = ''] = line.split('|').map((cell) => cell.trim());
    if (!line.startsWith('|')) break;
    const all = mayImport === 'everything';
    for (const name of names(room)) {
      found.set(name, { pure: holds.startsWith('PURE'), mayImport: all ? null : names(mayImport) });
    }
  }
  return found;
}

/** The longest name in the table that the file is in. */
function roomOf(file: string): string {
  const inside = [...rooms.keys()].filter((name) => file === name || file.startsWith(`${name}/`));
  return inside.sort((a, b) => b.length - a.length)[0] ?? expect.fail(`${file} is in no room of src/README.md`);
}

function importsOf(file: string): { from: string; types: boolean }[] {
  const text = readFileSync(path.join(SRC, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)(\s+type)?\s[^;]*?from '([^']+)';/gms)].map(([, type, from = '']) => ({
    from,
    types: type !== undefined,
  }));
}

/** Files of src that it imports. */
function ownImports(file: string): string[] {
  return importsOf(file)
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from }) => path.join(path.dirname(file), from).replace(/\.js$/, '.ts'));
}

describe('the walls of src/', () => {
  it('let no arrow through that src/README.md does not allow', () => {
    const forbidden = files.flatMap((file) => {
      const room = roomOf(file);
      const allowed = rooms.get(room)?.mayImport ?? null;
      return ownImports(file)
        .map((imported) => [imported, roomOf(imported)] as const)
        .filter(([, there]) => there !== room && allowed !== null && !allowed.includes(there))
        .map(([imported]) => `${file} → ${imported}`);
    });
    expect(forbidden).deep.equal([]);
  });

  it('have no circle of files', () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, way: string[]): void => {
      if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' → '));
      if (way.includes(file) || done.has(file)) return;
      for (const imported of ownImports(file)) visit(imported, [...way, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).deep.equal([]);
  });

  it(`have no file over ${MOST_LINES} lines`, () => {
    const long = files.filter(
      (file) => readFileSync(path.join(SRC, file), 'utf8').trimEnd().split('\n').length > MOST_LINES,
    );
    expect(long).deep.equal([]);
  });

  it('let one file alone reach the master, and one the engine', () => {
    for (const [name, owner] of Object.entries(OWNED)) {
      const importers = files.filter((file) => readFileSync(path.join(SRC, file), 'utf8').includes(`'${name}'`));
      expect(importers, name).deep.equal([owner]);
    }
  });

  it('keep effects out of the pure rooms', () => {
    const effects = files
      .filter((file) => rooms.get(roomOf(file))?.pure)
      .flatMap((file) => importsOf(file).map(({ from }) => ({ file, from })))
      .filter(({ from }) => EFFECTS.test(from))
      .map(({ file, from }) => `${file} → ${from}`);
    expect(effects).deep.equal([]);
  });
});
