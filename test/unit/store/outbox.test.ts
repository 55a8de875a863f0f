import { expect } from 'chai';
import type { InstanceValues, PushOperation } from '../../../src/protocol/push.js';
import { NO_LANE, type OutboxEntry } from '../../../src/store/outbox.js';
import { after, NOW, type TestStore, testStore } from './support.js';

function state(instanceKey: string, values: InstanceValues): PushOperation {
  return { op: 'instance', key: 'whatever', instance_key: instanceKey, values };
}

function log(instanceKey: string, line: string, key = `log:${instanceKey}:${line}`): PushOperation {
  return { op: 'log', key, instance_key: instanceKey, lines: [line] };
}

describe('store.outbox', () => {
  let test: TestStore;
  beforeEach(() => {
    test = testStore();
  });
  afterEach(() => test.remove());

  const due = (now = NOW, limit = 100) => test.store.outbox.due(now, limit);
  const first = ([entry]: OutboxEntry[]) => {
    if (entry === undefined) throw new Error('nothing is due');
    return entry;
  };
  const keys = (entries: OutboxEntry[]) => entries.map(({ operation }) => operation.key);

  it('sends in order and forgets what is delivered', () => {
    const { outbox } = test.store;
    outbox.put(state('a', { state: 'provisioning' }), 'a');
    outbox.put(log('a', 'one'), 'a');
    outbox.put(
      { op: 'command', key: 'command:1', command_id: 1, result: 'done', message: { code: 'now_running', params: {} } },
      NO_LANE,
    );
    const entries = due();
    expect(keys(entries)).to.deep.equal(['instance:a', 'log:a:one', 'command:1']);
    expect(entries[0]).to.deep.include({ version: 1, lane: 'a', attempts: 0 });
    expect(due()).to.deep.equal([]);
    for (const { id, version } of entries) expect(outbox.delivered(id, version)).to.equal(true);
    expect(outbox.delivered(first(entries).id, 1)).to.equal(false);
    expect(outbox.backlog(NOW)).to.deep.equal({ count: 0, oldestAgeMs: 0, deadLetters: 0 });
  });

  it('merges the values of an instance, the newest wins', () => {
    const { outbox } = test.store;
    outbox.put(state('a', { state: 'provisioning', url: null, http_port: 8100 }), 'a');
    outbox.put(log('a', 'one'), 'a');
    outbox.put(state('a', { state: 'running', url: 'http://a' }), 'a');
    const entries = due();
    expect(keys(entries)).to.deep.equal(['instance:a', 'log:a:one']);
    expect(first(entries).operation).to.deep.equal({
      op: 'instance',
      key: 'instance:a',
      instance_key: 'a',
      values: { state: 'running', url: 'http://a', http_port: 8100 },
    });
  });

  it('replaces another operation of the same key', () => {
    const { outbox } = test.store;
    outbox.put(log('a', 'one', 'k'), 'a');
    outbox.put(log('a', 'two', 'k'), 'a');
    expect(due().map(({ operation }) => operation)).to.deep.equal([log('a', 'two', 'k')]);
  });

  it('never changes what is in flight', () => {
    const { outbox } = test.store;
    outbox.put(state('a', { state: 'provisioning' }), 'a');
    const flying = first(due());
    outbox.put(state('a', { state: 'running' }), 'a');
    outbox.put(state('a', { url: 'http://a' }), 'a');
    expect(due()).to.deep.equal([]);
    expect(outbox.delivered(flying.id, 2)).to.equal(false);
    expect(outbox.delivered(flying.id, flying.version)).to.equal(true);
    const next = first(due());
    expect(next.version).to.equal(2);
    expect(next.operation).to.deep.include({ values: { state: 'running', url: 'http://a' } });
  });

  it('sends the older version first after a failure', () => {
    const { outbox } = test.store;
    outbox.put(state('a', { state: 'provisioning' }), 'a');
    const flying = first(due());
    outbox.put(state('a', { state: 'running' }), 'a');
    outbox.retry(flying.id, after(100), 'timeout');
    expect(due(after(99))).to.deep.equal([]);
    expect(due(after(100)).map(({ version, attempts }) => [version, attempts])).to.deep.equal([
      [1, 1],
      [2, 0],
    ]);
  });

  it('lets no lane wait for another', () => {
    const { outbox } = test.store;
    for (const lane of ['a', 'b']) for (const line of ['one', 'two']) outbox.put(log(lane, line), lane);
    const entries = due();
    expect(keys(entries)).to.deep.equal(['log:a:one', 'log:a:two', 'log:b:one', 'log:b:two']);
    for (const { id } of entries.slice(0, 2)) outbox.retry(id, after(1_000), 'odoo is down');
    for (const { id, version } of entries.slice(2)) outbox.delivered(id, version);
    outbox.put(log('a', 'three'), 'a');
    outbox.put(log('b', 'three'), 'b');
    expect(keys(due(after(999)))).to.deep.equal(['log:b:three']);
    expect(outbox.nextDueAt()).to.deep.equal(after(1_000));
    expect(keys(due(after(1_000)))).to.deep.equal(['log:a:one', 'log:a:two', 'log:a:three']);
    expect(outbox.nextDueAt()).to.equal(null);
  });

  it('goes no further in a lane than what is due', () => {
    const { outbox } = test.store;
    for (const line of ['one', 'two', 'three']) outbox.put(log('a', line), 'a');
    const [one, two, three] = due();
    if (!one || !two || !three) throw new Error('three were put');
    outbox.retry(one.id, after(10), '');
    outbox.retry(two.id, after(50), '');
    outbox.retry(three.id, after(10), '');
    expect(keys(due(after(10)))).to.deep.equal(['log:a:one']);
    expect(keys(due(after(50)))).to.deep.equal([]);
    outbox.delivered(one.id, one.version);
    expect(keys(due(after(50), 1))).to.deep.equal(['log:a:two']);
    expect(keys(due(after(50)))).to.deep.equal([]);
  });

  it('keeps a refused operation for the admin, without its password, and goes on', () => {
    const { outbox } = test.store;
    outbox.put(state('a', { state: 'running', admin_password: 'secret' }), 'a');
    const refused = first(due());
    outbox.put(state('a', { state: 'suspended' }), 'a');
    test.now = after(60_000);
    outbox.refuse(refused.id, 'no such plan');
    outbox.refuse(refused.id, 'twice');
    expect(first(due(test.now)).operation).to.deep.include({ values: { state: 'suspended' } });
    expect(outbox.deadLetters()).to.deep.equal([
      {
        id: refused.id,
        lane: 'a',
        operation: { op: 'instance', key: 'instance:a', instance_key: 'a', values: { state: 'running' } },
        message: 'no such plan',
        createdAt: NOW,
        refusedAt: after(60_000),
      },
    ]);
    expect(outbox.backlog(after(61_000))).to.deep.equal({ count: 1, oldestAgeMs: 61_000, deadLetters: 1 });
  });

  it('keeps no more dead letters than anybody reads', () => {
    test.store.transaction(() => {
      for (let index = 0; index < 1_010; index++) test.store.outbox.put(log('a', String(index)), 'a');
      for (const { id } of due(NOW, 2_000)) test.store.outbox.refuse(id, 'no');
    });
    expect(test.store.outbox.deadLetters()).to.have.length(1_000);
    expect(test.store.outbox.deadLetters()[0]?.operation.key).to.equal('log:a:1009');
  });

  it('sends again what was in flight when the daemon died', () => {
    test.store.outbox.put(state('a', { state: 'running' }), 'a');
    due();
    expect(test.reopen().outbox.releaseAll()).to.equal(1);
    expect(keys(due())).to.deep.equal(['instance:a']);
  });

  describe('a write that is sent alone', () => {
    const alone = (now = NOW) => test.store.outbox.dueAlone(now);
    const fail = (entry: OutboxEntry, at = NOW) => {
      test.store.outbox.setAlone(entry.id);
      test.store.outbox.retry(entry.id, at, 'it fails');
    };

    it('is not among the others, and holds up nothing of its lane', () => {
      const { outbox } = test.store;
      for (const line of ['one', 'two']) outbox.put(log('a', line), 'a');
      const [one, two] = due();
      if (!one || !two) throw new Error('both are due');
      fail(one, after(60_000));
      outbox.retry(two.id, NOW, 'behind');
      expect(keys(due())).to.deep.equal(['log:a:two']);
      expect(alone()).to.equal(null);
      expect(outbox.nextAloneAt()).to.deep.equal(after(60_000));
      expect(alone(after(60_000))?.operation.key).to.equal('log:a:one');
      expect(alone(after(60_000)), 'in flight').to.equal(null);
      expect(outbox.nextDueAt()).to.equal(null);
    });

    it('that is a record holds up its lane', () => {
      const { outbox } = test.store;
      outbox.put(state('a', { state: 'running' }), 'a');
      outbox.put(log('a', 'one'), 'a');
      outbox.put(log('b', 'one'), 'b');
      for (const entry of due()) {
        if (entry.operation.op === 'instance') fail(entry);
        else outbox.retry(entry.id, NOW, 'behind');
      }
      expect(keys(due())).to.deep.equal(['log:b:one']);
      const record = alone();
      expect(record?.operation.key).to.equal('instance:a');
      outbox.delivered(record?.id ?? 0, record?.version ?? 0);
      expect(keys(due())).to.deep.equal(['log:a:one']);
    });

    it('waits for the record before it', () => {
      const { outbox } = test.store;
      outbox.put(state('a', { state: 'running' }), 'a');
      outbox.put(log('a', 'one'), 'a');
      const [record, line] = due();
      if (!record || !line) throw new Error('both are due');
      outbox.retry(record.id, NOW, 'refused');
      fail(line);
      expect(alone()).to.equal(null);
      outbox.delivered(record.id, record.version);
      expect(alone()?.operation.key).to.equal('log:a:one');
    });
  });
});
