import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { BridgeError } from '../../../src/lib/errors.js';
import { MIGRATIONS } from '../../../src/store/migrations.js';
import { openStore } from '../../../src/store/store.js';
import { newInstance, placementAt, type TestStore, testStore } from './support.js';

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
    for (const access of ['own', 'beside', 'readonly'] as const) {
      const error = failure(() => openStore(test.path, { access }));
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
    expect(error.advice).to.include('rebuild-store');
    expect(failure(() => openStore(path, { access: 'readonly' })).code).to.equal('store.corrupt');
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
    const reader = openStore(test.path, { access: 'readonly' });
    test.store.transaction(() => {
      test.store.meta.set('a', '2');
      expect(reader.meta.get('a')).to.equal('1');
    });
    expect(reader.meta.get('a')).to.equal('2');
    expect(() => reader.meta.set('a', '3')).to.throw('readonly');
    reader.close();
    test.store.close();
    const late = openStore(test.path, { access: 'readonly' });
    expect(late.meta.get('a')).to.equal('2');
    late.close();
  });

  it('tells a reader that there is nothing to read, and makes no file', () => {
    const path = join(test.dir, 'none.db');
    expect(failure(() => openStore(path, { access: 'readonly' })).code).to.equal('store.missing');
    expect(readdirSync(test.dir)).not.to.include('none.db');
    new Database(path).exec('CREATE TABLE a (b)').close();
    expect(failure(() => openStore(path, { access: 'readonly' })).code).to.equal('store.older');
  });

  describe('a database of version 1', () => {
    let path: string;
    beforeEach(() => {
      path = join(test.dir, 'old.db');
      const db = new Database(path);
      db.exec(MIGRATIONS[0] ?? '');
      db.pragma('user_version = 1');
      const customer = JSON.stringify(newInstance('').customer);
      const add = db.prepare("INSERT INTO instances VALUES (?, ?, ?, ?, 1, 'S00001', 5, ?, ?, 1000, ?, ?, ?)");
      add.run('sol:1', 'acme', 0, customer, 'none', 'running', 2000, null, null);
      add.run('sol:2', 'beta', 1, customer, 'stopped', 'suspended', 2000, 3000, 'no image');
      add.run('sol:3', 'gone', null, customer, 'none', 'deleted', 2000, null, null);
      db.prepare('INSERT INTO purchases VALUES (?, ?, ?)').run('sol:1', 'sol:1', JSON.stringify(OLD_PURCHASE));
      db.prepare('INSERT INTO plans VALUES (1, ?)').run(JSON.stringify(OLD_PLAN));
      db.exec(`
        INSERT INTO commands (id, instance_key, command, requested_by, seen_at) VALUES (4, 'sol:1', 'restart', 'Ann', 1);
        INSERT INTO jobs (instance_key, run_at, reason, attempts) VALUES ('sol:1', 77, 'a night to come', 2);
        INSERT INTO meta VALUES ('cursor', 'abc');
        INSERT INTO bad_slots VALUES (7, 99);
        INSERT INTO outbox (key, version, lane, payload, next_attempt_at, created_at)
          VALUES ('log:1', 1, 'sol:1', '{"op":"log","key":"log:1","instance_key":"sol:1","lines":["a"]}', 0, 0),
            ('todo:sol:2:x', 1, 'sol:2',
             '{"op":"alert","key":"alert:sol:2:x","instance_key":"sol:2","message_en":"Look","message_es":"Mire"}', 0, 0);`);
      db.close();
    });
    const OLD_PURCHASE = {
      ...{ key: 'sol:1', state: 'open', customerId: 10, planId: 1, quantity: 1, periodCount: 1, periodUnit: 'month' },
      ...{ startsOn: '2026-01-15T12:00:00.000Z', paidOn: '2026-01-15T12:00:00.000Z', document: 'S00001' },
      ...{ orderId: 5, invoiceIds: [3], additional: false },
    };
    const OLD_PLAN = {
      ...{ id: 1, code: 'basic', name: 'Basic', cpu: 1, memoryMb: 512, storageGb: 5, maxUsers: 3, modules: ['crm'] },
      ...{ graceDays: 0, retentionDays: 30 },
    };

    it('is refused to readers until the daemon has taken it over', () => {
      expect(failure(() => openStore(path, { access: 'readonly' })).code).to.equal('store.older');
    });

    it('keeps all it knew', () => {
      const store = openStore(path);
      // What the number of a slot means, only the runtime knows.
      store.placements.complete(placementAt);
      const instances = store.instances.all();
      expect(instances.map(({ key, name, placement, phase }) => [key, name, placement, phase])).to.deep.equal([
        ['sol:1', 'acme', placementAt(0), 'running'],
        ['sol:2', 'beta', placementAt(1), 'suspended'],
        ['sol:3', 'gone', null, 'deleted'],
      ]);
      expect(instances[1]).to.deep.equal({
        ...newInstance('sol:2'),
        ...{ name: 'beta', placement: placementAt(1), hold: 'stopped', phase: 'suspended', errorMessage: 'no image' },
        ...{ createdAt: new Date(1000), startedAt: new Date(2000), suspendedAt: new Date(3000) },
      });
      const { quantity, paidOn, ...line } = OLD_PURCHASE;
      const startsOn = new Date(line.startsOn);
      expect(store.purchases.get('sol:1')).to.deep.equal({
        ...{ ...line, startsOn, instanceKey: 'sol:1' },
        parts: [{ key: 'known', quantity, startsOn, paidOn: new Date(paidOn), vanishedOn: null }],
        ...{ unitPrice: 0, listPrice: 0, keepPlan: false, pendingSince: null },
      });
      expect(store.plans.get(1)).to.deep.equal({ ...OLD_PLAN, trial: false });
      expect(store.commands.pending()).to.deep.equal([
        { id: 4, instanceKey: 'sol:1', command: 'restart', requestedBy: 'Ann', planId: null },
      ]);
      expect(store.jobs.all()).to.deep.equal([
        { instanceKey: 'sol:1', runAt: new Date(77), reason: 'a night to come', attempts: 2, claimedBy: null },
      ]);
      expect(store.meta.get('cursor'), 'all is read anew').to.equal(null);
      expect(store.outbox.due(new Date(), 9).map(({ operation }) => operation)).to.deep.equal([
        { op: 'log', key: 'log:1', instance_key: 'sol:1', lines: ['a'] },
        {
          ...{ op: 'todo', key: 'alert:sol:2:x', instance_key: 'sol:2' },
          message: { code: 'verbatim', params: { text: 'Look' } },
        },
      ]);
      expect(store.db.pragma('integrity_check', { simple: true })).to.equal('ok');
      store.close();
    });

    it('takes rows that the master sends again as they are for unchanged, but for the new values', () => {
      const store = openStore(path);
      const known = store.purchases.get('sol:1');
      const plan = store.plans.get(1);
      if (!known || !plan) throw new Error('lost');
      expect(store.purchases.save([known]).changedKeys).to.deep.equal([]);
      expect(store.plans.save([plan])).to.deep.equal([]);
      expect(store.purchases.save([{ ...known, unitPrice: 10 }]).changedKeys).to.deep.equal(['sol:1']);
      store.close();
    });

    it('gives the names of the deleted away, and no other', () => {
      const store = openStore(path);
      expect(
        store.instances.create(newInstance('sol:9'), (attempt) => (attempt === 1 ? 'acme' : 'gone')).name,
      ).to.equal('gone');
      expect(() => store.instances.create(newInstance('sol:8'), () => 'beta')).to.throw('no free name');
      store.close();
    });

    it('is migrated once, and is as it was where that fails', () => {
      openStore(path).close();
      openStore(path).close();
      const db = new Database(path);
      expect(db.pragma('user_version', { simple: true })).to.equal(MIGRATIONS.length);
      db.exec('PRAGMA user_version = 1');
      db.close();
      // The second step meets what it has made already.
      expect(() => openStore(path)).to.throw();
      const again = new Database(path);
      expect(again.pragma('user_version', { simple: true })).to.equal(1);
      expect(again.prepare('SELECT count(*) FROM instances').pluck().get()).to.equal(3);
      again.close();
    });
  });
});
