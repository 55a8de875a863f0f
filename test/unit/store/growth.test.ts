/** No work that is done again and again may grow with the number of customers: see what SQLite would look at for it. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { type TestStore, testStore } from './support.js';

/** There is a row, or several, for each customer. */
const GROWING = ['instances', 'purchases', 'jobs', 'commands', 'operations', 'events', 'domains'];

/** These look at all of a table, or at an index of it, and who may ask for it. */
const ALL: { sql: RegExp; why: string }[] = [
  { sql: /^SELECT \* FROM (instances|purchases|jobs) ORDER BY/, why: 'all(): see below' },
  { sql: /FROM instances GROUP BY phase/, why: 'a scrape of the metrics, and the night; it reads the index alone' },
  { sql: /FROM instances WHERE slot IS NOT NULL AND placement IS NULL/, why: 'at the start' },
  { sql: /SELECT slot FROM instances WHERE slot IS NOT NULL UNION/, why: 'a new instance; it reads the index alone' },
  { sql: /FROM commands WHERE state = 'pending' ORDER BY id/, why: 'it reads the index of those that wait alone' },
  { sql: /FROM instances INDEXED BY instances_measured/, why: 'it reads the first of an index' },
  { sql: /UPDATE jobs SET run_at = min/, why: 'at the start' },
  { sql: /UPDATE instances SET measured_at = NULL/, why: 'when a clock that ran ahead is right again' },
];

/** These put into order what they have found. */
const FEW: { sql: RegExp; why: string }[] = [
  { sql: /FROM instances WHERE name = \?/, why: 'those of one name' },
  { sql: /FROM instances WHERE json_extract\(customer/, why: 'those of one customer' },
  { sql: /FROM purchases WHERE instance_key = \?/, why: 'those of one instance' },
  { sql: /FROM domains WHERE instance_key = \?/, why: 'those of one instance' },
  { sql: /FROM purchases WHERE instance_key IS NULL/, why: 'when a new plan comes' },
  { sql: /FROM left_slots/, why: 'places that rest, a week or so' },
  { sql: /FROM (instances|jobs) ORDER BY/, why: 'all(): see below' },
  { sql: /FROM dead_letters/, why: 'the command line; a thousand are kept' },
];

/** Where `all()` is not on the way of anybody: the command line, and the start. */
const MAY_ASK_FOR_ALL = ['cli/', 'keepers/front.ts', 'daemon.ts'];

describe('what is looked at', () => {
  let test: TestStore;
  let statements: string[];

  before(() => {
    statements = [];
    const { prepare } = Database.prototype;
    Database.prototype.prepare = function (this: Database.Database, sql: string) {
      statements.push(sql);
      return prepare.call(this, sql);
    } as typeof prepare;
    try {
      test = testStore();
    } finally {
      Database.prototype.prepare = prepare;
    }
  });
  after(() => test.remove());

  /** How SQLite would do it, a line for each table. */
  function planOf(sql: string): string[] {
    const names = [...new Set([...sql.matchAll(/[:](\w+)/g)].map(([, name]) => name))];
    const values = names.length > 0 ? [Object.fromEntries(names.map((name) => [name, 1]))] : [];
    const marks = names.length > 0 ? [] : Array.from(sql.matchAll(/\?/g), () => 1);
    const plan = test.store.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values, ...marks);
    return (plan as { detail: string }[]).map(({ detail }) => detail);
  }
  const oneLine = (sql: string) => sql.replace(/\s+/g, ' ').trim();

  it('for one instance, command, job or purchase is found by an index', () => {
    expect(statements.length).greaterThan(60);
    const scans = statements.map(oneLine).filter((sql) => {
      const isGrowing = (detail: string) => GROWING.some((table) => new RegExp(`^SCAN ${table}\\b`).test(detail));
      return planOf(sql).some(isGrowing) && !ALL.some((allowed) => allowed.sql.test(sql));
    });
    expect(scans).deep.equal([]);
  });

  it('is not put into an order only then, but where there are a few', () => {
    const sorted = statements
      .map(oneLine)
      .filter((sql) => planOf(sql).some((detail) => /TEMP B-TREE FOR ORDER/.test(detail)));
    expect(sorted.filter((sql) => !FEW.some((allowed) => allowed.sql.test(sql)))).deep.equal([]);
  });

  it('is allowed to be all only where it says why', () => {
    for (const { sql } of ALL)
      expect(
        statements.map(oneLine).filter((one) => sql.test(one)),
        String(sql),
      ).not.empty;
  });

  it('is all of them on no way that is gone again and again', () => {
    const src = path.resolve(import.meta.dirname, '../../../src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const asking = files.filter((file) =>
      /(instances|purchases|jobs)\.all\(|observeAll\(\)/.test(readFileSync(path.join(src, file), 'utf8')),
    );
    const adapters = ['docker/instance/runtime.ts', 'instance/ports.ts'];
    const unexpected = asking.filter(
      (file) => ![...MAY_ASK_FOR_ALL, ...adapters].some((place) => file.startsWith(place)),
    );
    expect(unexpected).deep.equal([]);
  });
});
