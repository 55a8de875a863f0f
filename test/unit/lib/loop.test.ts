import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { startLoop } from '../../../src/lib/loop.js';
import { deferred, until } from '../reconcile/support.js';

const NEVER = 60_000;
const unexpected = (error: unknown) => {
  throw error;
};

describe('loop', () => {
  it('pauses as long as the round says', async () => {
    const at: number[] = [];
    const loop = startLoop(async () => {
      at.push(performance.now());
      return at.length === 1 ? 40 : NEVER;
    }, unexpected);
    await until(() => at.length === 2);
    await loop.stop();
    expect((at[1] ?? 0) - (at[0] ?? 0)).within(35, NEVER / 2);
  });

  it('wake ends a pause at once, once', async () => {
    let rounds = 0;
    const loop = startLoop(async () => {
      rounds++;
      return NEVER;
    }, unexpected);
    await sleep(5);
    loop.wake();
    loop.wake();
    await until(() => rounds === 2);
    await sleep(20);
    expect(rounds).equal(2);
    await loop.stop();
  });

  it('wake during a round gives one more round', async () => {
    let rounds = 0;
    const gate = deferred();
    const loop = startLoop(async () => {
      rounds++;
      if (rounds === 1) await gate.promise;
      return NEVER;
    }, unexpected);
    loop.wake();
    loop.wake();
    expect(rounds).equal(1);
    gate.resolve();
    await until(() => rounds === 2);
    await sleep(10);
    expect(rounds).equal(2);
    await loop.stop();
  });

  it('stop ends a pause at once, and no round follows', async () => {
    let rounds = 0;
    const loop = startLoop(async () => {
      rounds++;
      return NEVER;
    }, unexpected);
    await sleep(5);
    await loop.stop();
    loop.wake();
    await sleep(10);
    expect(rounds).equal(1);
    await loop.stop();
  });

  it('stop tells the round and waits for its end', async () => {
    const gate = deferred();
    let ended = false;
    let told = false;
    const loop = startLoop(async (signal) => {
      signal.addEventListener('abort', () => {
        told = true;
      });
      await gate.promise;
      ended = true;
      return 0;
    }, unexpected);
    const stopped = loop.stop().then(() => expect(ended).equal(true));
    expect(told).equal(true);
    await sleep(10);
    gate.resolve();
    await stopped;
  });

  it('gives what a round throws to onError, and pauses', async () => {
    const errors: unknown[] = [];
    const at: number[] = [];
    const loop = startLoop(
      async () => {
        at.push(performance.now());
        if (at.length === 1) throw new Error('once');
        return NEVER;
      },
      (error) => errors.push(error),
      30,
    );
    await until(() => at.length === 2);
    expect((at[1] ?? 0) - (at[0] ?? 0)).least(25);
    expect(String(errors)).equal('Error: once');
    await loop.stop();
  });

  it('a pause of months is no hot loop', async () => {
    let rounds = 0;
    const loop = startLoop(async () => {
      rounds++;
      return 2 ** 40;
    }, unexpected);
    await sleep(30);
    expect(rounds).equal(1);
    await loop.stop();
  });
});
