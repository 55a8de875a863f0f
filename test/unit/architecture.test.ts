/** The walls between the rooms of src/, as src/README.md draws them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const MOST_LINES = 250;
/** Packages that one file or room alone may import. */
const OWNED: Record<string, string[]> = {
  'odoo-xmlrpc': ['odoo/client.ts'],
  dockerode: ['docker/engine/engine.ts'],
  'better-sqlite3': ['store'],
  'node-schedule': ['keepers/nightly.ts'],
  express: ['http', 'front'],
  commander: ['main.ts'],
  winston: ['lib/logger.ts'],
};
/** All that a pure room may import besides other rooms: they read and write nothing. */
const HARMLESS = ['node:crypto', 'node:url', 'luxon', 'tldts', 'zod'];
/** The world, the clock and chance, where no import is needed to reach them. */
const EFFECT = /\b(process\.\w+|fetch\(|set(Timeout|Interval|Immediate)\(|Date\.now\(|new Date\(\)|Math\.random\()/;
/** What reaches something outside of the program. */
const ADAPTERS = ['odoo', 'store', 'front', 'http', 'docker', 'dns'];
const MAY_CONFIGURE = ['main.ts', 'daemon.ts', 'wiring.ts', 'cli'];

interface Room {
  pure: boolean;
  /** Room → types only; null: everything. */
  mayImport: Map<string, boolean> | null;
}

interface Import {
  from: string;
  types: boolean;
}

const files = (readdirSync(SRC, { recursive: true }) as string[]).filter((file) => file.endsWith('.ts')).sort();
const textOf = (file: string) => readFileSync(path.join(SRC, file), 'utf8');
const rooms = readTable(readFileSync(path.join(SRC, 'README.md'), 'utf8'));
const imports = new Map(files.map((file) => [file, importsOf(textOf(file))]));

/** The rows of the table "may import". */
function readTable(text: string): Map<string, Room> {
  const names = (cell: string) =>
    [...cell.matchAll(/`([^`]+)`( \(types\))?/g)].map(
      ([, name = '', types]) => [name.replace(/\/$/, ''), types !== undefined] as const,
    );
  const found = new Map<string, Room>();
  for (const line of text.slice(text.indexOf('| may import |')).split('\n').slice(2)) {
    if (!line.startsWith('|')) break;
    const [, room = '', holds = '', mayImport = ''] = line.split('|').map((cell) => cell.trim());
    const all = mayImport === 'everything';
    for (const [name] of names(room)) {
      found.set(name, { pure: holds.startsWith('PURE'), mayImport: all ? null : new Map(names(mayImport)) });
    }
  }
  return found;
}

/** The longest name in the table that the file is in. */
function roomOf(file: string): string {
  const inside = [...rooms.keys()].filter((name) => file === name || file.startsWith(`${name}/`));
  return inside.sort((a, b) => b.length - a.length)[0] ?? expect.fail(`${file} is in no room of src/README.md`);
}

/** Imports, exports from elsewhere, imports for the effect alone, and `import('…')`. */
function importsOf(text: string): Import[] {
  const statements = /^(?:import|export)(\s+type)?\s+(?:[\w*{][^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  return [...text.matchAll(statements), ...text.matchAll(/\bimport(\s)?\(\s*['"]([^'"]+)['"]/g)].map(
    ([statement, type, from = '']) => ({ from, types: type !== undefined && !statement.includes('(') }),
  );
}

function importedBy(file: string, from: string): string {
  return path.join(path.dirname(file), from).replace(/\.js$/, '.ts');
}

/** Files of src that it imports. */
function ownImports(file: string): (Import & { file: string })[] {
  const own = (imports.get(file) ?? []).filter(({ from }) => from.startsWith('.'));
  return own.map((one) => ({ ...one, file: importedBy(file, one.from) }));
}

/** Names of packages, as they are imported. */
function packagesOf(file: string): string[] {
  return (imports.get(file) ?? []).map(({ from }) => from).filter((from) => !from.startsWith('.'));
}

const isIn = (file: string, place: string) => file === place || file.startsWith(`${place}/`);

describe('the walls of src/', () => {
  it('let no arrow through that src/README.md does not allow', () => {
    const forbidden = files.flatMap((file) => {
      const here = roomOf(file);
      const allowed = rooms.get(here)?.mayImport ?? null;
      return ownImports(file).flatMap((imported) => {
        const there = roomOf(imported.file);
        const typesOnly = allowed?.get(there);
        if (there === here || allowed === null || typesOnly === false || (typesOnly && imported.types)) return [];
        return [`${file} → ${imported.file}${typesOnly ? ' (more than types)' : ''}`];
      });
    });
    expect(forbidden).deep.equal([]);
  });

  it('have no circle of files', () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, way: string[]): void => {
      if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' → '));
      if (way.includes(file) || done.has(file)) return;
      for (const imported of ownImports(file)) visit(imported.file, [...way, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).deep.equal([]);
  });

  it(`have no file over ${MOST_LINES} lines`, () => {
    const lines = (file: string) => textOf(file).trimEnd().split('\n').length;
    const long = files.filter((file) => lines(file) > MOST_LINES).map((file) => `${file}: ${lines(file)}`);
    expect(long).deep.equal([]);
  });

  it('let one place alone reach the master, the engine, the database, and so on', () => {
    const importers = Object.entries(OWNED).map(([name, owners]) => {
      // By its name alone: one of them is loaded with require.
      const all = files.filter((file) => textOf(file).includes(`'${name}'`));
      const elsewhere = all.filter((file) => !owners.some((owner) => isIn(file, owner)));
      return { name, none: all.length === 0, elsewhere };
    });
    expect(importers.filter(({ none, elsewhere }) => none || elsewhere.length > 0)).deep.equal([]);
  });

  it('keep effects out of the pure rooms', () => {
    const pure = files.filter((file) => rooms.get(roomOf(file))?.pure);
    const effects = pure.flatMap((file) => {
      const reached = packagesOf(file).filter((name) => !HARMLESS.includes(name));
      const used = EFFECT.exec(textOf(file).replace(/\/\*.*?\*\/|\/\/.*/gs, ''))?.[0];
      return [...reached, ...(used ? [used] : [])].map((what) => `${file} → ${what}`);
    });
    expect(effects).deep.equal([]);
    expect(pure).length.above(30);
  });
});

describe('the table of src/README.md', () => {
  const arrows = [...rooms].flatMap(([from, { mayImport }]) =>
    [...(mayImport?.keys() ?? [])].map((to) => ({ from, to })),
  );
  const told = (wrong: typeof arrows) => wrong.map(({ from, to }) => `${from} → ${to}`);

  it('has only rooms that exist', () => {
    const named = [...rooms.keys(), ...arrows.map(({ to }) => to)];
    expect(named.filter((name) => !files.some((file) => isIn(file, name)))).deep.equal([]);
  });

  it('allows a pure room nothing but pure rooms, and lib', () => {
    const pure = (name: string) => rooms.get(name)?.pure === true;
    const impure = ({ to }: { to: string }) => !pure(to) && to !== 'lib';
    // What is known of an instance is read with I/O; its shape is not.
    const types = ({ from, to }: { from: string; to: string }) => rooms.get(from)?.mayImport?.get(to) === true;
    expect(told(arrows.filter((arrow) => pure(arrow.from) && impure(arrow) && !types(arrow)))).deep.equal([]);
  });

  it('allows no adapter another one', () => {
    const adapter = (name: string) => ADAPTERS.find((room) => isIn(name, room));
    const crossing = arrows.filter(({ from, to }) => adapter(from) && adapter(to) && adapter(from) !== adapter(to));
    expect(told(crossing)).deep.equal([]);
  });

  it('lets the settings reach those alone who put the parts together', () => {
    const configured = arrows.filter(({ from, to }) => to === 'config' && !MAY_CONFIGURE.includes(from));
    expect(told(configured)).deep.equal([]);
  });

  it('gives everything to nobody but those who put the parts together', () => {
    const all = [...rooms].filter(([, { mayImport }]) => mayImport === null).map(([name]) => name);
    expect(all).deep.equal(['daemon.ts', 'wiring.ts']);
  });
});
