/** The codes of errors and the events of the log: what the source has, and what src/ERRORS.md and src/README.md tell. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
/** Of each class of error: what the column "again" says. */
const AGAIN: Record<string, string> = {
  RetryableError: 'yes',
  UnreadableError: 'yes',
  NotFoundError: 'yes',
  ConflictError: 'yes',
  TerminalError: 'no',
  PlaceTakenError: 'elsewhere',
};
/** Words with a dot that are neither: labels and models, names of files. */
const NO_CODE = /^saas\.|\.(conf|css|html|id|js|json|key|lock|org|pid|py|sh|sql|sqlite)$/;

const read = (file: string) => readFileSync(path.join(SRC, file), 'utf8');
const files = (readdirSync(SRC, { recursive: true }) as string[]).filter((file) => file.endsWith('.ts')).sort();
const source = files.map(read).join('\n');
const find = (pattern: RegExp) => [...source.matchAll(pattern)].map(([, first = '', second = '']) => [first, second]);

/** Class and code where an error is made, level and event where a line is logged. */
const KINDS = Object.keys(AGAIN).join('|');
const thrown = find(new RegExp(`new (${KINDS})\\(\\s*'([^']+)'`, 'g'));
const logged = find(/\blog\??\.(debug|info|warn|error)\(\s*'([^']+)'/g);
/** Every word with a dot: a code or an event may also be chosen by a variable. */
const words = new Set(find(/'([a-z][a-z_]*\.[a-z][a-z_]*)'/g).map(([word = '']) => word));

/** First cell, which may name several, to second cell, of all tables after `heading`. */
function table(file: string, heading: string): Map<string, string[]> {
  const text = read(file);
  const rows = text
    .slice(text.indexOf(heading))
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(
    rows.flatMap(([, names = '', second = '']) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => [name, second.split(', ')] as const),
    ),
  );
}

describe('src/ERRORS.md', () => {
  const told = table('ERRORS.md', '# Error codes');

  it('tells every code, and whether it is tried again', () => {
    const wrong = thrown.filter(([kind = '', code = '']) => !told.get(code)?.includes(AGAIN[kind] ?? ''));
    expect(wrong).deep.equal([]);
  });

  it('knows every class of error that has a code', () => {
    const classes = find(new RegExp(`class (\\w+) extends (BridgeError|${KINDS})\\b`, 'g')).map(([name]) => name);
    expect(classes).members(Object.keys(AGAIN));
  });

  it('tells no code that the source does not have', () => {
    expect([...told.keys()].filter((code) => !words.has(code))).deep.equal([]);
    expect(told.size).above(60);
  });

  it('can be compared: no code is put together from parts', () => {
    const literalOrName = `('[a-z_.]+'|[a-z]\\w*( \\?\\? '')?),`;
    expect(find(new RegExp(`new (${KINDS})\\((?!\\s*${literalOrName})(.*)`, 'g'))).deep.equal([]);
  });

  it('says of each code what it means and what to do', () => {
    const rows = read('ERRORS.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    expect(rows.filter((row) => row.split('|').filter((cell) => cell.trim() !== '').length < 4)).deep.equal([]);
  });
});

describe('the log events of src/README.md', () => {
  const told = table('README.md', '## Log events');

  it('are all that the source logs, with their levels', () => {
    expect(logged.filter(([level = '', event = '']) => !told.get(event)?.includes(level))).deep.equal([]);
  });

  it('are in the source', () => {
    const events = new Set(logged.map(([, event = '']) => event));
    const errors = table('ERRORS.md', '# Error codes');
    const chosen = (event: string) => words.has(event) && !errors.has(event);
    expect([...told.keys()].filter((event) => !events.has(event) && !chosen(event))).deep.equal([]);
    expect(told.size).above(50);
  });

  it('can be compared: no event is put together from parts', () => {
    expect(find(/\blog\??\.(\w+)\(\s*(`)/g)).deep.equal([]);
  });
});

describe('a word with a dot in src/', () => {
  it('is a code or an event that is told, or the name of a file, a label or a model', () => {
    const told = new Set([
      ...table('ERRORS.md', '# Error codes').keys(),
      ...table('README.md', '## Log events').keys(),
    ]);
    expect([...words].filter((word) => !told.has(word) && !NO_CODE.test(word))).deep.equal([]);
  });
});
