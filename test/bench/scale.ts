/**
 * `npm run bench:scale`: what the daemon's own work costs with 100 and with 10,000 instances, without a master and an
 * engine. A measurement, not a test: test/unit/store/growth.test.ts holds the rule.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createIngest } from '../../src/intake/ingest.js';
import type { MasterPurchase } from '../../src/odoo/rows.js';
import { logOperation } from '../../src/owed/operations.js';
import { openStore, type Store } from '../../src/store/store.js';
import { batch, bought, CUSTOMER, keptLog, PLAN, POLICY } from '../unit/reconcile/support.js';
import { newInstance, placementAt } from '../unit/store/support.js';

const SIZES = [100, 10_000] as const;
const RUNS = 200;
const NOW = new Date('2026-01-20T12:00:00Z');
const log = keptLog();

/** Milliseconds of each piece of work, the median of many. */
function measure(size: number): Record<string, number> {
  const dir = mkdtempSync(path.join(tmpdir(), 'saas-scale-'));
  const store = openStore(path.join(dir, 'bridge.db'), { clock: () => NOW });
  try {
    fill(store, size);
    const ingest = createIngest({ store, policy: POLICY, firstToExpire: false, clock: () => NOW, log });
    const take = (purchase: MasterPurchase) => ingest.page(batch({ purchases: [purchase] }), false);
    const customer = (id: number) => ({ ...CUSTOMER, id });
    return {
      new_order: median((run) => take(bought({ key: `sol:${1e6 + run}`, customer: customer(1e6 + run) }))),
      renewal: median((run) => take(bought({ key: `sol:${2e6 + run}`, customer: customer(run + 1) }))),
      nothing_new: median(() => ingest.page(batch(), false)),
      job: median(() => {
        for (const { instanceKey, token } of store.jobs.claim(NOW, 'bench', 1)) {
          store.jobs.complete(instanceKey, token, new Date(NOW.getTime() + 1e9));
        }
        store.jobs.nextDueAt();
      }),
      monitor_slice: median(() => {
        for (const key of store.instances.keysAfter(`sol:${size / 2}`, 20)) {
          store.jobs.isInHand(key);
          store.instances.get(key);
        }
      }),
      next_to_measure: median(() => store.instances.leastMeasured(NOW)),
      write: median(() => {
        store.outbox.put(logOperation('sol:1', NOW, ['a line']), 'sol:1');
        for (const { id, version } of store.outbox.due(NOW, 50)) store.outbox.delivered(id, version);
      }),
      ready: median(() => [store.outbox.backlog(NOW), store.jobs.failingFor(NOW, { unservedMs: 9e5, othersMs: 36e5 })]),
    };
  } finally {
    store.close();
    rmSync(dir, { recursive: true });
  }
}

function fill(store: Store, size: number): void {
  store.transaction(() => {
    store.plans.save([PLAN]);
    for (let id = 1; id <= size; id++) {
      const key = `sol:${id}`;
      const made = { ...newInstance(key), customer: { ...CUSTOMER, id }, phase: 'running' as const, startedAt: NOW };
      store.instances.upsert({ ...made, name: `n${id}`, placement: placementAt(id), measuredAt: NOW });
      store.purchases.save([bought({ key, instanceKey: key, customer: made.customer })]);
      store.jobs.enqueue(key, { runAt: new Date(NOW.getTime() + 1e7), reason: 'the next reminder' });
    }
  });
}

function median(work: (run: number) => unknown): number {
  const times = Array.from({ length: RUNS }, (_, run) => {
    const startedAt = performance.now();
    work(run);
    return performance.now() - startedAt;
  }).sort((a, b) => a - b);
  return times[RUNS / 2] ?? 0;
}

const [few, many] = SIZES.map(measure);
const rows = Object.keys(few ?? {}).map((what) => {
  const [a = 0, b = 0] = [few?.[what], many?.[what]];
  return { what, ms_of_100: round(a), ms_of_10000: round(b), ratio: round(b / a) };
});
process.stdout.write(`${JSON.stringify({ scale: rows }, null, 2)}\n`);

function round(number: number): number {
  return Math.round(number * 1000) / 1000;
}
