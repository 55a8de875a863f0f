/** A daemon for crash.test.ts to kill: `tsx victim.ts <scenario> <dir>`. It prints what it has committed. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { lockStore } from '../../../src/store/lock.js';
import { openStore } from '../../../src/store/store.js';
import { newInstance, places } from './support.js';

const [scenario, dir] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: victim.ts <scenario> <dir>');

/** Synchronous: what is printed is printed, also when the kill comes next. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

function sleepForever(): never {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
}

if (scenario === 'lock') {
  lockStore(dir);
  say('locked');
  sleepForever();
}

const store = openStore(join(dir, 'bridge.db'));
/** "Instance, job and outbox" as one commit, `n` times over. */
function provision(n: number, stopInside = false): void {
  const key = `sol:${n}`;
  store.transaction(() => {
    store.instances.create(newInstance(key), () => `acme-${n}`);
    store.placements.allocate(key, places(100_000));
    store.jobs.enqueue(key, { reason: 'new' });
    if (stopInside) {
      say('inside');
      sleepForever();
    }
    store.outbox.put({ op: 'instance', key: '', instance_key: key, values: { state: 'provisioning' } }, key);
  });
}

switch (scenario) {
  case 'transaction':
    provision(1);
    provision(2, true);
    break;
  case 'claims':
    for (let n = 1; n <= 3; n++) provision(n);
    store.jobs.claim(new Date(), 'victim', 2);
    store.outbox.due(new Date(), 2);
    store.jobs.enqueue('sol:1', { reason: 'again' });
    say('claimed');
    sleepForever();
    break;
  case 'busy':
    for (let n = 1; ; n++) {
      provision(n);
      say(String(n));
    }
}
