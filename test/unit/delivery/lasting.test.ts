import { expect } from 'chai';
import { createLastingWrites } from '../../../src/delivery/lasting.js';
import type { PushOperation } from '../../../src/protocol/push.js';
import { bought } from '../reconcile/support.js';
import { after, newInstance, type TestStore, testStore } from '../store/support.js';

const HOUR = 3_600_000;
const MAIL = { op: 'notice', key: 'notice:welcome:sol:1', instance_key: 'sol:1' } as PushOperation;

describe('a write that has failed for long', () => {
  let test: TestStore;
  beforeEach(() => {
    test = testStore();
    test.store.instances.create(newInstance('sol:1'), () => 'acme');
  });
  afterEach(() => test.remove());

  /** It fails at that moment after it was owed. */
  function fail(ms: number, operation: PushOperation = MAIL): void {
    const entry = { id: 1, version: 1, lane: 'sol:1', operation, attempts: 5, createdAt: test.now };
    createLastingWrites(test.store, () => after(ms))(entry, 'no plan');
  }
  const owed = () => test.store.outbox.due(after(24 * HOUR), 9).map(({ operation }) => operation);

  it('is a to-do about its instance after an hour, once, in a lane of its own', () => {
    fail(HOUR - 1);
    expect(owed()).empty;
    for (const ms of [HOUR, 2 * HOUR, 24 * HOUR]) fail(ms);
    expect(test.store.outbox.due(after(24 * HOUR), 9).map(({ lane }) => lane)).deep.equal(['todo:sol:1']);
  });

  it('is on the document where something was bought, for the record may be what cannot be written', () => {
    test.store.purchases.save([bought({ instanceKey: 'sol:1' })]);
    fail(HOUR);
    expect(owed()).deep.equal([
      {
        ...{ op: 'todo', purchase_key: 'sol:1' },
        key: 'todo:sol:1:write:notice:welcome:sol:1:2026-01-15T12:00:00.000Z',
        message: {
          code: 'write_failing',
          params: { instance: 'acme', since: '2026-01-15 12:00:00', reason: 'no plan' },
        },
      },
    ]);
  });

  it('is nothing where it is a to-do itself, or of an instance that nobody knows', () => {
    fail(HOUR, { ...MAIL, op: 'todo' } as PushOperation);
    createLastingWrites(test.store, () => after(HOUR))(
      { id: 1, version: 1, lane: 'sol:9', operation: MAIL, attempts: 5, createdAt: test.now },
      'no plan',
    );
    expect(owed()).empty;
  });
});
