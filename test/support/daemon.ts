/** What the daemon says of itself, and waiting until it has nothing left to do. */
import type { Door } from './proxy.js';
import { until, type World } from './world.js';

/** A number of `/metrics`; `name` with its labels, as it is written there. */
export async function metric(w: World, name: string): Promise<number> {
  const text = await (await fetch(`${w.daemon().url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}

/** Waits for so many polls that begin after this call. */
export async function morePolls(w: World, times: number): Promise<void> {
  const polls = () => metric(w, 'saas_polls_total{result="done"}');
  // One may have begun already.
  const wanted = (await polls()) + times + 1;
  await until(`${times} more polls`, async () => (await polls()) >= wanted);
}

/** Waits for so many looks of the daemon at the engine, through a door between them, that begin and end after this call. */
export async function moreLooks(engine: Door, times: number): Promise<void> {
  const looks = () => engine.sent('GET /_ping');
  // The next look begins when the one before is done; one may be under way.
  const wanted = looks() + times + 1;
  await until(`${times} more looks at the engine`, () => looks() >= wanted);
}

/** Waits until all that the master has to say is taken in, done on the engine and written back. */
export async function settled(w: World): Promise<void> {
  await morePolls(w, 2);
  await until('the queues to be empty', async () => {
    return (await metric(w, 'saas_jobs_waiting')) === 0 && (await metric(w, 'saas_outbox_pending')) === 0;
  });
}
