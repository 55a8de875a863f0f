import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { BridgeError } from '../../../src/errors.js';
import { MIGRATIONS } from '../../../src/store/migrations.js';
import { openStore } from '../../../src/store/store.js';
import { type TestStore, testStore } from './support.js';

function failure(fn: () => unknown): BridgeError {
  try {
    fn();
  } catch (error) {
    if (error instanceof BridgeError) return error;
    throw error;
  }
  throw new Error('did not fail');
}

describe('openStore', () => {
  let test: TestStore;
  beforeEach(() => {
    test = testStore();
  });
  afterEach(() => test.remove());

  it('makes files that only their owner can read, and a folder if there is none', () => {
    const store = openStore(join(test.dir, 'new', 'bridge.db'));
    store.meta.set('a', '1');
    const files = readdirSync(join(test.dir, 'new'));
    expect(files).to.include.members(['bridge.db', 'bridge.db-wal']);
    for (const file of files) expect(statSync(join(test.dir, 'new', file)).mode & 0o777, file).to.equal(0o600);
    expect(statSync(join(test.dir, 'new')).mode & 0o777).to.equal(0o700);
    store.close();
  });

  it('sets the pragmas that durability and secrecy need', () => {
    const pragma = (name: string) => test.store.db.pragma(name, { simple: true });
    expect(pragma('journal_mode')).to.equal('wal');
    expect(pragma('synchronous')).to.equal(2);
    expect(pragma('foreign_keys')).to.equal(1);
    expect(pragma('secure_delete')).to.equal(1);
    expect(pragma('busy_timeout')).to.equal(5000);
    expect(pragma('user_version')).to.equal(MIGRATIONS.length);
  });

  it('keeps what was written', () => {
    test.store.meta.set('cursor', 'abc');
    expect(test.reopen().meta.get('cursor')).to.equal('abc');
    test.store.meta.set('cursor', null);
    expect(test.store.meta.get('cursor')).to.equal(null);
  });

  it('leaves nothing of a step that fails', () => {
    expect(() =>
      test.store.transaction(() => {
        test.store.meta.set('a', '1');
        test.store.jobs.enqueue('sol:1', { reason: 'x' });
        throw new Error('no');
      }),
    ).to.throw('no');
    expect(test.store.meta.get('a')).to.equal(null);
    expect(test.store.jobs.all()).to.deep.equal([]);
  });

  it('refuses a newer database and leaves it as it is', () => {
    test.store.db.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    test.store.close();
    for (const readonly of [false, true]) {
      const error = failure(() => openStore(test.path, { readonly }));
      expect(error.code).to.equal('store.newer');
      expect(error.retryable).to.equal(false);
      expect(error.message).to.include(test.path);
    }
    const db = new Database(test.path);
    expect(db.pragma('user_version', { simple: true })).to.equal(MIGRATIONS.length + 1);
    db.close();
  });

  it('refuses what is not a database', () => {
    const path = join(test.dir, 'garbage.db');
    writeFileSync(path, 'not a database '.repeat(1_000));
    const error = failure(() => openStore(path));
    expect(error.code).to.equal('store.corrupt');
    expect(error.advice).to.match(/Move .*garbage\.db.* away/);
    expect(failure(() => openStore(path, { readonly: true })).code).to.equal('store.corrupt');
  });

  it('refuses a damaged database', () => {
    test.store.transaction(() => {
      for (let index = 0; index < 500; index++) test.store.meta.set(`name ${index}`, 'value '.repeat(50));
    });
    test.store.close();
    const bytes = readFileSync(test.path);
    bytes.fill(0xa5, 4096 * 10, bytes.length - 4096);
    writeFileSync(test.path, bytes);
    expect(failure(() => openStore(test.path)).code).to.equal('store.corrupt');
  });

  it('says what is wrong with a folder in its place', () => {
    mkdirSync(join(test.dir, 'folder.db'));
    expect(failure(() => openStore(join(test.dir, 'folder.db'))).code).to.equal('store.unusable');
  });

  it('lets readers in while the daemon writes, and after it stopped', () => {
    test.store.meta.set('a', '1');
    const reader = openStore(test.path, { readonly: true });
    test.store.transaction(() => {
      test.store.meta.set('a', '2');
      expect(reader.meta.get('a')).to.equal('1');
    });
    expect(reader.meta.get('a')).to.equal('2');
    expect(() => reader.meta.set('a', '3')).to.throw('readonly');
    reader.close();
    test.store.close();
    const late = openStore(test.path, { readonly: true });
    expect(late.meta.get('a')).to.equal('2');
    late.close();
  });

  it('tells a reader that there is nothing to read, and makes no file', () => {
    const path = join(test.dir, 'none.db');
    expect(failure(() => openStore(path, { readonly: true })).code).to.equal('store.missing');
    expect(readdirSync(test.dir)).not.to.include('none.db');
    new Database(path).exec('CREATE TABLE a (b)').close();
    expect(failure(() => openStore(path, { readonly: true })).code).to.equal('store.older');
  });
});
