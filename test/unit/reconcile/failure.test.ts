import { expect } from 'chai';
import { RetryableError, TerminalError } from '../../../src/lib/errors.js';
import type { PushOperation } from '../../../src/protocol/push.js';
import { type Harness, harness, KEY } from './harness.js';
import { bought } from './support.js';

const MINUTE = 60_000;
const noPlace = new RetryableError('store.no_slot', 'none of the 500 slots is free', 'Widen the port range.');
const noEngine = new RetryableError('docker.unreachable', 'connect ENOENT', 'Start it.');

describe('a failure that is tried again', () => {
  let h: Harness;
  let attempts: number;
  let since: Date | null;
  let owed: PushOperation[];

  beforeEach(() => {
    h = harness();
    attempts = 0;
    since = null;
    owed = [];
  });
  afterEach(() => h.remove());

  /** As the worker does it: one try each five minutes. */
  function failFor(minutes: number, error: (attempt: number) => unknown): void {
    for (let minute = 0; minute <= minutes; minute += 5) {
      h.reconciler.fail({ instanceKey: KEY, attempts: attempts++, failingSince: since }, error(attempts));
      since ??= h.test.now;
      h.test.now = new Date(h.test.now.getTime() + 5 * MINUTE);
      owed.push(...h.owed());
    }
  }
  const todos = () => owed.filter(({ op }) => op === 'todo');

  it('reaches the salesperson of who paid and was never served after a quarter of an hour, once', () => {
    h.add();
    failFor(10, () => noPlace);
    expect(todos()).empty;
    failFor(3 * 24 * 60, () => noPlace);
    expect(todos()).deep.equal([
      {
        ...{ op: 'todo', purchase_key: 'sol:1', key: 'todo:sol:1:lasting:2026-01-15T12:00:00.000Z' },
        message: {
          code: 'still_not_made',
          params: { instance: 'acme', since: '2026-01-15 12:00:00', reason: noPlace.message },
        },
      },
    ]);
  });

  it('reaches a person after an hour where nobody was paid for, or who paid is served', async () => {
    h.add({}, [bought({ instanceKey: KEY, paidOn: null })]);
    failFor(55, () => noPlace);
    expect(todos()).empty;
    failFor(5, () => noPlace);
    expect(todos()[0]).nested.include({ 'message.code': 'still_not_made' });
  });

  it('of one that runs is told as such', async () => {
    await h.running();
    failFor(120, () => noPlace);
    expect(todos().map((todo) => 'message' in todo && todo.message.code)).deep.equal(['still_failing']);
  });

  it('of a record without a purchase is a to-do of a manager', () => {
    h.add({}, []);
    failFor(120, () => noPlace);
    const [told, ...more] = todos();
    expect(more).empty;
    expect(told).deep.include({ instance_key: KEY }).and.not.have.property('purchase_key');
  });

  it('is told again when it comes back', () => {
    h.add();
    failFor(20, () => noPlace);
    attempts = 0;
    since = null;
    failFor(20, () => noPlace);
    expect(todos()).length(2);
  });

  it('that is the engine of all is told of each only where somebody paid and waits', async () => {
    await h.running();
    failFor(600, () => noEngine);
    expect(todos()).empty;
    h.remove();
    h = harness();
    attempts = 0;
    since = null;
    owed = [];
    h.add();
    failFor(20, () => noEngine);
    expect(todos()).length(1);
  });

  it('is on the record once, then ever more seldom, however its words change', () => {
    h.add();
    failFor(24 * 60, (attempt) => new RetryableError('instance.not_ready', `no answer in ${attempt} ms`, 'Look.'));
    const lines = owed.filter(({ op }) => op === 'log');
    expect(lines.length).within(2, 10);
    expect(owed.filter(({ op }) => op === 'instance').length).within(2, 10);
  });

  it('that becomes another one is on the record at once, also when the two take turns', () => {
    h.add();
    failFor(24 * 60, (attempt) =>
      attempt % 2 ? noPlace : new RetryableError('docker.no_space', `${attempt} bytes are missing`, 'Make room.'),
    );
    const lines = owed.flatMap((operation) => (operation.op === 'log' ? operation.lines : []));
    expect(lines[0]).match(/none of the 500 slots/);
    expect(lines[1]).match(/2 bytes/);
    expect(lines.length).lessThan(12);
  });

  it('that needs a person is told at once, and once', () => {
    h.add();
    failFor(600, (attempt) => new TerminalError('docker.image_missing', `no image (${attempt})`, 'Pull it.'));
    expect(todos()).deep.equal([
      {
        ...{ op: 'todo', purchase_key: 'sol:1', key: 'todo:sol:1:failed:2026-01-15T12:00:00.000Z' },
        message: { code: 'instance_not_made', params: { instance: 'acme', reason: 'no image (1)' } },
      },
    ]);
  });
});
