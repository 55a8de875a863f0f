import { expect } from 'chai';
import { createCall } from '../../../src/docker/engine/call.js';
import { isStopped } from '../../../src/lib/errors.js';
import { once } from '../../../src/lib/once.js';
import { createStop, untilStopped } from '../../../src/lib/stop.js';

const NEVER = new Promise<never>(() => undefined);
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  );

describe('a stop', () => {
  it('ends a wait, and leaves what ends in time', async () => {
    const stop = createStop();
    expect(await untilStopped(stop.told, async () => 7)).equal(7);
    const waiting = failureOf(untilStopped(stop.told, () => NEVER));
    stop.tell();
    expect(isStopped(await waiting)).equal(true);
    expect(stop.late.aborted).equal(false);
    let begun = false;
    const after = untilStopped(stop.told, async () => {
      begun = true;
    });
    expect(isStopped(await failureOf(after))).equal(true);
    expect(begun).equal(false);
  });

  it('lets calls to the engine go on until it is late', async () => {
    const stop = createStop();
    const call = createCall(60_000, undefined, stop.late);
    stop.tell();
    expect(await call('ping', async () => 'pong')).equal('pong');
    const waiting = failureOf(call('wait', () => NEVER));
    stop.hurry();
    expect(isStopped(await waiting)).equal(true);
    expect(isStopped(await failureOf(call('ping', async () => 'pong')))).equal(true);
  });
});

describe('once', () => {
  it('does the work once, and again after a failure', async () => {
    let tries = 0;
    const work = once(async () => {
      tries++;
      if (tries === 1) throw new Error('away');
    });
    expect(await failureOf(work())).instanceOf(Error);
    await Promise.all([work(), work()]);
    await work();
    expect(tries).equal(2);
  });
});
