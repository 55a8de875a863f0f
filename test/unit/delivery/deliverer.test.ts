import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type DelivererOptions, startDeliverer } from '../../../src/delivery/deliverer.js';
import { RetryableError, TerminalError } from '../../../src/lib/errors.js';
import type { Loop } from '../../../src/lib/loop.js';
import type { PushOperation, PushResult } from '../../../src/protocol/push.js';
import { keptLog, until } from '../reconcile/support.js';
import { type TestStore, testStore } from '../store/support.js';

const away = new RetryableError('odoo.unreachable', 'no answer', 'Start it.');
const slow = new RetryableError('odoo.timeout', 'no answer within 20 s', 'Wait.');
const fault = new RetryableError('odoo.fault', 'KeyError', 'Look.');
const terminal = new TerminalError('odoo.protocol', 'too old', 'Upgrade.');

describe('deliverer', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  /** The keys of each push. */
  let pushes: string[][];
  const loops: Loop[] = [];

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    pushes = [];
  });
  afterEach(async () => {
    for (const loop of loops.splice(0)) await loop.stop();
    test.remove();
  });

  const operation = (key: string): PushOperation => ({ op: 'log', key, instance_key: 'sol:1', lines: [] });
  function put(...keys: string[]) {
    for (const key of keys) test.store.outbox.put(operation(key), key.split('/')[0] ?? key);
  }
  const done = (operations: PushOperation[]): PushResult[] =>
    operations.map(({ key }) => ({ key, status: 'done', message: '' }));

  /** @param answer to one push; gives or throws. */
  function start(answer: (operations: PushOperation[]) => PushResult[], options: Partial<DelivererOptions> = {}): Loop {
    const loop = startDeliverer({
      outbox: test.store.outbox,
      async push(operations) {
        pushes.push(operations.map(({ key }) => key));
        return answer(operations);
      },
      complete: async (owed) => owed,
      clock: () => test.now,
      log,
      ...options,
    });
    loops.push(loop);
    return loop;
  }
  const owed = () => test.store.outbox.backlog(test.now).count;
  const later = (ms: number) => {
    test.now = new Date(test.now.getTime() + ms);
  };

  it('sends together and in order, and what is put later at once', async () => {
    put('a', 'b', 'c');
    const loop = start(done);
    await until(() => owed() === 0);
    put('d');
    loop.wake();
    await until(() => owed() === 0);
    expect(pushes).deep.equal([['a', 'b', 'c'], ['d']]);
    expect(log.lines).empty;
  });

  it('takes a repeated write as delivered, and buries a refused one', async () => {
    put('a', 'b', 'c');
    start((operations) =>
      operations.map(({ key }) => ({
        key,
        status: key === 'a' ? 'duplicate' : key === 'b' ? 'refused' : 'done',
        message: key === 'b' ? 'no such record' : '',
      })),
    );
    await until(() => owed() === 0);
    expect(test.store.outbox.deadLetters().map(({ operation: { key }, message }) => [key, message])).deep.equal([
      ['b', 'no such record'],
    ]);
    expect(log.events()).deep.equal(['outbox.refused']);
  });

  it('keeps owing an instance that is refused, and what follows it', async () => {
    const { outbox } = test.store;
    outbox.put({ op: 'instance', key: '', instance_key: 'sol:1', values: { state: 'running' } }, 'sol:1');
    outbox.put({ op: 'log', key: 'l', instance_key: 'sol:1', lines: [] }, 'sol:1');
    const refuse = (key: string) => ({ key, status: 'refused' as const, message: 'in the way' });
    start((operations) => operations.map(({ key }) => refuse(key)));
    await until(() => log.events().includes('outbox.refused'));
    expect(outbox.deadLetters()).empty;
    expect(owed()).equal(2);
    expect(outbox.due(test.now, 10), 'both wait').empty;
  });

  it('keeps everything while the master is away, tries with pauses, and goes on when it is back', async () => {
    put('a', 'b');
    let there = false;
    const loop = start((operations) => {
      if (there) return done(operations);
      throw away;
    });
    await until(() => log.events().includes('outbox.delayed'));
    await sleep(30);
    expect(pushes).length(1);
    expect(owed()).equal(2);
    expect(log.lines[0]).include({ level: 'warn', code: 'odoo.unreachable', pending: 2 });
    there = true;
    loop.wake();
    await until(() => owed() === 0);
    expect(test.store.outbox.deadLetters()).empty;
    expect(log.events()).include('outbox.resumed');
  });

  for (const error of [fault, terminal, new TypeError('unknown')]) {
    it(`finds the one write that the master chokes on (${error.name}), delivers the others, condemns none`, async () => {
      put('a', 'poison', 'poison/behind', 'b');
      const loop = start((operations) => {
        if (operations.some(({ key }) => key === 'poison')) throw error;
        return done(operations);
      });
      await until(() => owed() === 1);
      await sleep(30);
      expect(pushes).deep.equal([['a', 'poison', 'poison/behind', 'b'], ['a'], ['poison'], ['poison/behind'], ['b']]);
      expect(log.lines.filter(({ event }) => event === 'outbox.write_delayed')).length(1);
      put('c');
      later(900_000);
      loop.wake();
      await until(() => pushes.length > 6);
      expect(pushes.slice(5), 'it is sent alone').deep.members([['poison'], ['c']]);
      expect(test.store.outbox.deadLetters()).empty;
      expect(owed()).equal(1);
    });
  }

  it('stops trying one by one when all fail alike, and makes no hot loop', async () => {
    put(...Array.from({ length: 10 }, (_, index) => `k${index}`));
    start(() => {
      throw terminal;
    });
    await until(() => log.events().includes('outbox.delayed'));
    await sleep(50);
    expect(pushes.map((keys) => keys.length)).deep.equal([10, 1, 1, 1]);
    expect(owed()).equal(10);
    expect(test.store.outbox.deadLetters()).empty;
  });

  it('stops trying one by one when the master goes away meanwhile', async () => {
    put('a', 'b', 'c');
    start((operations) => {
      throw operations.length > 1 ? fault : away;
    });
    await until(() => log.events().includes('outbox.delayed'));
    await sleep(20);
    expect(pushes).deep.equal([['a', 'b', 'c'], ['a']]);
    expect(owed()).equal(3);
  });

  it('sends one by one what takes too long together, and then fewer at once', async () => {
    put(...Array.from({ length: 20 }, (_, index) => `k${index}`));
    const loop = start((operations) => {
      if (operations.length > 12) throw slow;
      return done(operations);
    });
    await until(() => owed() === 0);
    expect(pushes.map((keys) => keys.length)).deep.equal([20, ...Array.from({ length: 20 }, () => 1)]);
    pushes = [];
    put(...Array.from({ length: 24 }, (_, index) => `l${index}`));
    loop.wake();
    await until(() => owed() === 0);
    expect(pushes.map((keys) => keys.length)).deep.equal([12, 12]);
  });

  describe('one write on which the master hangs', () => {
    /** The master runs into the time-out with it, and takes a third of a second for the others. */
    function hangsOn(key: string) {
      const counts = { timeouts: 0 };
      const loop = start((operations) => {
        if (!operations.some((operation) => operation.key === key)) return done(operations);
        counts.timeouts++;
        throw slow;
      });
      return { counts, loop };
    }

    it('costs the others two time-outs at most, wherever it is among them, and itself one now and then', async () => {
      put('a', 'b', 'poison', 'c');
      const { counts, loop } = hangsOn('poison');
      await until(() => owed() === 1);
      expect(counts.timeouts).equal(2);
      // Five hours, one write a minute.
      for (let minute = 0; minute < 300; minute++) {
        put(`m${minute}`);
        later(60_000);
        loop.wake();
        await until(() => owed() === 1);
      }
      expect(counts.timeouts).lessThan(60);
      expect(pushes.filter((keys) => keys.includes('poison') && keys.length > 1)).length(1);
      expect(test.store.outbox.deadLetters()).empty;
    });

    it('is found when it is the only one that is owed: at the latest when others were taken', async () => {
      put('poison');
      const { counts, loop } = hangsOn('poison');
      await until(() => counts.timeouts === 1);
      for (let minute = 0; minute < 30; minute++) {
        put(`m${minute}`);
        later(60_000);
        loop.wake();
        await until(() => owed() === 1);
      }
      expect(pushes.filter((keys) => keys.includes('poison') && keys.length > 1).length).lessThan(3);
    });

    it('is found too where it is a record: what follows it in its lane waits, nobody else', async () => {
      const { outbox } = test.store;
      outbox.put({ op: 'instance', key: '', instance_key: 'sol:1', values: { state: 'running' } }, 'sol:1');
      put('sol:1/behind', 'b');
      const { loop } = hangsOn('instance:sol:1');
      await until(() => owed() === 2);
      put('c', 'sol:1/more');
      loop.wake();
      await until(() => owed() === 3);
      expect(pushes.flat().filter((key) => key === 'b' || key === 'c')).length(3);
      expect(pushes.slice(1).flat()).not.include('sol:1/behind');
    });

    it('is none where the master hangs on all: nobody is blamed, and all go together when it is back', async () => {
      put('a', 'b', 'c', 'd');
      let there = false;
      const loop = start((operations) => {
        if (there) return done(operations);
        throw slow;
      });
      for (let rounds = 0; rounds < 20; rounds++) {
        const before = pushes.length;
        await until(() => pushes.length > before || rounds === 0);
        later(30_000);
        loop.wake();
      }
      there = true;
      expect(test.store.outbox.dueAlone(new Date(test.now.getTime() + 1e7))).equal(null);
      await until(() => {
        later(30_000);
        loop.wake();
        return owed() === 0;
      });
    });
  });

  it('sends again what got no result', async () => {
    put('a', 'b');
    const loop = start((operations) => (pushes.length < 4 ? [] : done(operations)));
    await until(() => pushes.length >= 3);
    expect(owed()).equal(2);
    later(300_000);
    loop.wake();
    await until(() => owed() === 0);
    expect(test.store.outbox.deadLetters()).empty;
  });

  it('completes at the last moment; what cannot be completed waits alone, what nobody waits for goes', async () => {
    put('a', 'broken', 'broken/behind', 'gone', 'b');
    start(done, {
      async complete(write) {
        if (write.key === 'broken') throw new TerminalError('plan.unknown', 'no plan', 'Make one.');
        return write.key === 'gone' ? null : write;
      },
    });
    await until(() => owed() === 1);
    await sleep(20);
    expect(pushes, 'what is behind it goes on').deep.equal([['a', 'broken/behind', 'b']]);
    expect(log.events()).deep.equal(['outbox.write_delayed', 'outbox.dropped']);
    expect(test.store.outbox.deadLetters()).empty;
  });

  it('a mail that cannot be made holds up nothing, for however many days; it is told ever more seldom', async () => {
    put('acme/mail', 'acme/answer');
    const loop = start(done, {
      async complete(write) {
        if (write.key === 'acme/mail') throw fault;
        return write;
      },
    });
    await until(() => owed() === 1);
    for (let hour = 0; hour < 48; hour++) {
      put(`acme/log ${hour}`);
      later(3_600_000);
      loop.wake();
      await until(() => owed() === 1);
    }
    expect(pushes.flat()).include('acme/answer').not.include('acme/mail');
    expect(log.events().filter((event) => event === 'outbox.write_delayed').length).within(2, 7);
  });

  it('completes without the master while that is away: nothing is sent alone for it', async () => {
    put('a', 'b');
    let there = false;
    const loop = start(done, {
      async complete(write) {
        if (!there) throw away;
        return write;
      },
    });
    await until(() => log.events().includes('outbox.delayed'));
    there = true;
    loop.wake();
    await until(() => owed() === 0);
    expect(pushes).deep.equal([['a', 'b']]);
  });

  it('what was in flight when the store failed is sent in the next round', async () => {
    put('a');
    let broken = true;
    const { outbox } = test.store;
    const loop = start(done, {
      outbox: {
        ...outbox,
        delivered(id, version) {
          if (broken) throw new Error('disk full');
          return outbox.delivered(id, version);
        },
        retry(id, at, error) {
          if (broken) throw new Error('disk full');
          outbox.retry(id, at, error);
        },
      },
    });
    await until(() => log.events().includes('outbox.failed'));
    broken = false;
    loop.wake();
    await until(() => owed() === 0);
    expect(pushes).deep.equal([['a'], ['a']]);
  });

  it('stop waits for the push that runs', async () => {
    put('a');
    let release: ((results: PushResult[]) => void) | undefined;
    const loop = startDeliverer({
      outbox: test.store.outbox,
      push: () =>
        new Promise((resolve) => {
          release = resolve;
        }),
      complete: async (write) => write,
      clock: () => test.now,
      log,
    });
    await until(() => release !== undefined);
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    await sleep(10);
    expect(stopped).equal(false);
    release?.(done([operation('a')]));
    await stopping;
    expect(owed()).equal(0);
  });
});
