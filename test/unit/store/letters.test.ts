import { expect } from 'chai';
import type { PushOperation } from '../../../src/protocol/push.js';
import { openStore } from '../../../src/store/store.js';
import { after, NOW, type TestStore, testStore } from './support.js';

const LINE: PushOperation = { op: 'log', key: 'log:1', instance_key: 'sol:1', lines: ['one'] };
const RECORD: PushOperation = { op: 'instance', key: 'x', instance_key: 'sol:1', values: { state: 'running' } };

describe('store.letters', () => {
  let test: TestStore;
  beforeEach(() => {
    test = testStore();
  });
  afterEach(() => test.remove());

  const taken = () => test.store.outbox.due(after(3_600_000), 100);
  function refused(operation = LINE): number {
    test.store.outbox.put(operation, 'sol:1');
    const [entry] = taken();
    test.store.outbox.refuse(entry?.id ?? 0, 'no such contact');
    return entry?.id ?? 0;
  }
  const keys = () => test.store.letters.all().map(({ id, state }) => [id, state]);

  it('are what was refused, what is sent alone, and a record that the master refuses', () => {
    const { outbox, letters } = test.store;
    const first = refused();
    outbox.put(RECORD, 'sol:1');
    outbox.put({ ...LINE, key: 'log:2' }, 'sol:2');
    const [record, alone] = taken();
    outbox.retry(record?.id ?? 0, after(5_000), 'no such customer', true);
    outbox.setAlone(alone?.id ?? 0);
    outbox.retry(alone?.id ?? 0, after(5_000), 'it hangs');
    expect(keys()).deep.equal([
      [first, 'refused'],
      [record?.id, 'failing'],
      [alone?.id, 'failing'],
    ]);
    expect(letters.all()[0]).deep.include({
      ...{ operation: LINE, lane: 'sol:1', reason: 'no such contact', createdAt: NOW, refusedAt: NOW, nextTryAt: null },
    });
    expect(letters.all()[1]).deep.include({ reason: 'no such customer', attempts: 1, nextTryAt: after(5_000) });
  });

  it('are not what only waits for a master that is away', () => {
    test.store.outbox.put(RECORD, 'sol:1');
    const [record] = taken();
    test.store.outbox.retry(record?.id ?? 0, after(5_000), 'no answer');
    expect(keys()).deep.equal([]);
  });

  it('are sent again once, as a new write', () => {
    const id = refused();
    test.now = after(60_000);
    expect(test.store.letters.retry(id)).equal('queued');
    expect(test.store.letters.retry(id)).equal('unknown');
    const [again] = taken();
    expect(again).deep.include({ operation: LINE, lane: 'sol:1', attempts: 0, createdAt: after(60_000) });
    expect(again?.id).above(id);
    expect(keys()).deep.equal([]);
  });

  it('give way to a newer write of the same key, but not to one that is on its way', () => {
    const id = refused();
    test.store.outbox.put({ ...LINE, lines: ['newer'] }, 'sol:1');
    expect(test.store.letters.retry(id)).equal('superseded');
    const [newer] = taken();
    expect(newer?.operation).deep.equal({ ...LINE, lines: ['newer'] });
    test.store.outbox.delivered(newer?.id ?? 0, newer?.version ?? 0);

    const other = { ...LINE, key: 'log:9' };
    const second = refused(other);
    test.store.outbox.put(other, 'sol:1');
    const [flying] = taken();
    expect(test.store.letters.retry(second)).equal('queued');
    expect(test.store.outbox.delivered(flying?.id ?? 0, flying?.version ?? 0)).equal(true);
    expect(taken()).length(1);
  });

  it('that are tried again need not wait', () => {
    const { outbox, letters } = test.store;
    outbox.put(RECORD, 'sol:1');
    const [record] = taken();
    outbox.retry(record?.id ?? 0, after(900_000), 'no', true);
    expect(outbox.due(NOW, 9)).empty;
    expect(letters.retry(record?.id ?? 0)).equal('queued');
    expect(outbox.due(NOW, 9)).length(1);
  });

  it('are dropped, but for the record of an instance', () => {
    const { outbox, letters } = test.store;
    expect(letters.drop(refused())).equal('dropped');
    outbox.put(RECORD, 'sol:1');
    outbox.put({ ...LINE, key: 'log:2' }, 'sol:2');
    outbox.put({ ...LINE, key: 'log:3' }, 'sol:3');
    const [record, alone, waiting] = taken();
    outbox.retry(record?.id ?? 0, NOW, 'no', true);
    outbox.setAlone(alone?.id ?? 0);
    expect(letters.drop(record?.id ?? 0)).equal('owed');
    expect(letters.drop(alone?.id ?? 0)).equal('dropped');
    expect(letters.drop(waiting?.id ?? 0)).equal('unknown');
    outbox.retry(alone?.id ?? 0, NOW, 'it was on its way');
    outbox.releaseAll();
    expect(taken().map(({ operation }) => operation.key)).deep.equal(['instance:sol:1', 'log:3']);
  });

  it('are seen to by another process, whose writes the daemon notices; its own are nobody else’s', () => {
    const id = refused();
    expect(test.store.isChangedElsewhere()).equal(false);
    const beside = openStore(test.path, { access: 'beside', clock: () => test.now });
    expect(test.store.isChangedElsewhere()).equal(false);
    beside.letters.retry(id);
    expect([test.store.isChangedElsewhere(), test.store.isChangedElsewhere()]).deep.equal([true, false]);
    expect(beside.isChangedElsewhere()).equal(false);
    expect(taken()).length(1);
    expect(beside.isChangedElsewhere()).equal(true);
    beside.close();
  });
});
