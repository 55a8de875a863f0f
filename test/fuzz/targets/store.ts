/** The store: what is kept comes back as it was, of a file that a former version wrote too. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import type { PushOperation } from '../../../src/protocol/push.js';
import { MIGRATIONS } from '../../../src/store/migrations.js';
import { openStore, type Store } from '../../../src/store/store.js';
import type { Purchase } from '../../../src/subscription/types.js';
import { NOW, newInstance } from '../../unit/store/support.js';
import { text } from '../hostile.js';
import { same, target } from '../target.js';

/** SQLite keeps UTF-8: halves of characters are replaced. */
const kept = text.map((it) => Buffer.from(it, 'utf8').toString('utf8'));

export function storeTargets() {
  let folder: string | null = null;
  let store: Store | null = null;
  const file = (name: string) => {
    folder ??= mkdtempSync(path.join(tmpdir(), 'saas-fuzz-'));
    return path.join(folder, name);
  };
  const opened = (): Store => {
    store ??= openStore(file('bridge.sqlite'), { clock: () => NOW });
    // The kernel keeps it: a case need not outlive the machine.
    store.db.pragma('synchronous = OFF');
    return store;
  };
  let number = 0;

  const roundTrip = target({
    name: 'store',
    share: 2,
    values: fc.record({ key: kept, name: kept, customer: kept, document: kept, error: kept, word: kept, cursor: kept }),
    check({ key, name, customer, document, error, word, cursor }) {
      const { instances, purchases, outbox, meta, commands, jobs, transaction } = opened();
      const prefix = `${++number}:`;
      const [mine, theirs] = [`${prefix}${key}`, `${prefix}${key}'--`];
      const instance = {
        ...newInstance(mine),
        document,
        customer: { ...newInstance(mine).customer, name: customer, email: word },
      };
      const purchase = { ...PURCHASE, key: `${mine}#`, document, instanceKey: mine };
      const operation: PushOperation = { op: 'log', key: mine, instance_key: mine, lines: [word, error] };
      transaction(() => {
        instances.create(newInstance(theirs), () => `${prefix}${name}-other`);
        instances.create(instance, () => `${prefix}${name}`);
        instances.update(mine, { errorMessage: error });
        purchases.save([purchase]);
        outbox.put(operation, mine);
        meta.set(`${prefix}${word}`, cursor);
        jobs.enqueue(mine, { reason: word });
        commands.add([{ id: number, instanceKey: mine, command: 'restart', requestedBy: word, planId: null }]);
      });
      same('the instance', instances.get(mine), {
        ...instance,
        name: `${prefix}${name}`,
        placement: null,
        errorMessage: error,
      });
      same('by its name', instances.byName(`${prefix}${name}`)?.key, mine);
      same("another's instance", instances.get(theirs), {
        ...newInstance(theirs),
        name: `${prefix}${name}-other`,
        placement: null,
      });
      same('the purchase', purchases.get(purchase.key), purchase);
      same('purchases of the instance', purchases.byInstance(mine), [purchase]);
      same("another's purchases", purchases.byInstance(theirs), []);
      same('the value', meta.get(`${prefix}${word}`), cursor);
      same(
        'commands',
        commands.pending(mine).map(({ requestedBy }) => requestedBy),
        [word],
      );
      same("another's commands", commands.pending(theirs), []);
      const owed = outbox.due(NOW, 1000).filter((entry) => entry.lane === mine);
      same(
        'what is owed',
        owed.map((entry) => entry.operation),
        [operation],
      );
      for (const { id, version } of owed) outbox.delivered(id, version);
    },
    close() {
      store?.close();
      store = null;
    },
  });

  const former = target({
    name: 'store of a former version',
    share: 0.1,
    values: fc.record({
      version: fc.integer({ min: 1, max: MIGRATIONS.length - 1 }),
      key: kept,
      customer: kept,
      document: kept,
      message: kept,
    }),
    check({ version, key, customer, document, message }) {
      const at = file(`old-${++number}.sqlite`);
      writeFormer(at, version, { key, customer, document, message });
      const upgraded = openStore(at, { clock: () => NOW });
      try {
        const found = upgraded.instances.get(key);
        same(
          'the customer',
          [found?.customer.name, found?.document, found?.errorMessage],
          [customer, document, message],
        );
        const purchase = upgraded.purchases.get('sol:1');
        same('the purchase', [purchase?.document, purchase?.instanceKey, purchase?.parts.length], [document, key, 1]);
        same('tables', upgraded.db.pragma('integrity_check', { simple: true }), 'ok');
        const owed = upgraded.outbox.due(NOW, 10).map(({ operation }) => operation);
        same(
          'what is owed',
          owed.map((it) => ('instance_key' in it ? it.instance_key : null)),
          [key],
        );
        // A sentence of a former version is said as it is.
        const said = owed.flatMap((it) => ('message' in it ? [it.message] : []));
        same('what is said', said, [{ code: 'verbatim', params: { text: message } }]);
      } finally {
        upgraded.close();
        rmSync(at);
      }
    },
    close() {
      if (folder) rmSync(folder, { recursive: true });
      folder = null;
    },
  });
  return [roundTrip, former];
}

const PURCHASE: Purchase = {
  ...{ key: 'sol:1', state: 'open', planId: 1, periodCount: 1, periodUnit: 'month', customerId: 10, document: 'S1' },
  ...{ orderId: 5, invoiceIds: [], instanceKey: null, additional: false, unitPrice: 1, listPrice: 1, keepPlan: false },
  ...{ startsOn: NOW, pendingSince: null, parts: [] },
} as Purchase;

/** A file as that version made it, with one instance, what was bought for it and what was owed. */
function writeFormer(
  file: string,
  version: number,
  { key, customer, document, message }: Record<'key' | 'customer' | 'document' | 'message', string>,
): void {
  const db = new Database(file);
  db.pragma('synchronous = OFF');
  for (const sql of MIGRATIONS.slice(0, version)) db.exec(sql);
  db.pragma(`user_version = ${version}`);
  const buyer = { id: 10, name: customer, contactId: 11, contactName: customer, email: customer, lang: 'es_ES' };
  db.prepare(
    `INSERT INTO instances (key, name, slot, customer, plan_id, document, hold, phase, created_at, error_message)
     VALUES (?, 'acme', 3, ?, 1, ?, 'none', 'running', 0, ?)`,
  ).run(key, JSON.stringify(buyer), document, message);
  const moment = NOW.toISOString();
  const line = { ...PURCHASE, document, startsOn: moment };
  const { parts: _parts, ...once } = line;
  // Before there were parts a line had a quantity and one date.
  const part = { key: 'known', quantity: 1, startsOn: moment, paidOn: null, vanishedOn: null };
  const content = version < 6 ? { ...once, quantity: 1, paidOn: null } : { ...line, parts: [part] };
  db.prepare("INSERT INTO purchases (key, instance_key, content) VALUES ('sol:1', ?, ?)").run(
    key,
    JSON.stringify(content),
  );
  // Before there were codes a message was two sentences.
  const said =
    version < 5
      ? { message_en: message, message_es: message }
      : { message: { code: 'verbatim', params: { text: message } } };
  db.prepare(
    'INSERT INTO outbox (key, version, lane, payload, next_attempt_at, created_at) VALUES (?, 1, ?, ?, 0, 0)',
  ).run(`alert:${key}`, key, JSON.stringify({ op: 'alert', key: `alert:${key}`, instance_key: key, ...said }));
  db.close();
}
