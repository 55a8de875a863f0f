/** The lines that customers bought, and the instance each is for. */
import type Database from 'better-sqlite3';
import { fullKeyOf, isAnother } from '../subscription/identity.js';
import type { Purchase } from '../subscription/types.js';

export interface SavedPurchases {
  /** Purchases that are new or differ from what was kept. */
  changedKeys: string[];
  /** Instances whose paid time may have changed by that: the one a purchase is for now and the one it was for before. */
  instanceKeys: string[];
}

export interface PurchaseTable {
  /** A key that means another record now leaves the former one aside, under its full key. An unchanged row causes no work. A null `instanceKey` keeps the known one; another key moves the purchase. */
  save(purchases: Purchase[]): SavedPurchases;
  assign(key: string, instanceKey: string): void;
  /** The change to its plan was refused. */
  keepPlan(key: string): void;
  get(key: string): Purchase | null;
  byInstance(instanceKey: string): Purchase[];
  /** Not yet given to an instance, cancelled ones included. */
  unassigned(): Purchase[];
  all(): Purchase[];
}

interface Row {
  key: string;
  instance_key: string | null;
  content: string;
}

/** What is kept as JSON: dates are ISO text. */
type Content = Omit<Purchase, 'instanceKey' | 'createdOn' | 'startsOn' | 'parts' | 'pendingSince'> & {
  createdOn?: string;
  startsOn: string;
  parts: { key: string; quantity: number; startsOn: string; paidOn: string | null; vanishedOn: string | null }[];
  pendingSince: string | null;
};

export function purchaseTable(db: Database.Database): PurchaseTable {
  const selectOne = db.prepare<[string], Row>('SELECT * FROM purchases WHERE key = ?');
  const selectOf = db.prepare<[string], Row>('SELECT * FROM purchases WHERE instance_key = ? ORDER BY key');
  const selectUnassigned = db.prepare<[], Row>('SELECT * FROM purchases WHERE instance_key IS NULL ORDER BY key');
  const selectAll = db.prepare<[], Row>('SELECT * FROM purchases ORDER BY key');
  const upsert = db.prepare<Row>(`
    INSERT INTO purchases (key, instance_key, content) VALUES (:key, :instance_key, :content)
    ON CONFLICT DO UPDATE SET instance_key = excluded.instance_key, content = excluded.content`);
  const removeOne = db.prepare<[string]>('DELETE FROM purchases WHERE key = ?');
  const setKeepPlan = db.prepare<[string]>(
    "UPDATE purchases SET content = json_set(content, '$.keepPlan', json('true')) WHERE key = ?",
  );
  const setInstance = db.prepare<[string, string]>('UPDATE purchases SET instance_key = ? WHERE key = ?');

  const saveAll = db.transaction((purchases: Purchase[]): SavedPurchases => {
    const changedKeys = new Set<string>();
    const instanceKeys = new Set<string>();
    for (const purchase of purchases) {
      let before = selectOne.get(purchase.key);
      if (before && isAnother(decode(before), purchase)) {
        // What was paid for the former one counts on.
        const former = decode(before);
        upsert.run({ ...before, key: fullKeyOf(former), content: encode({ ...former, key: fullKeyOf(former) }) });
        removeOne.run(purchase.key);
        if (before.instance_key) instanceKeys.add(before.instance_key);
        before = undefined;
      }
      const after = {
        key: purchase.key,
        instance_key: purchase.instanceKey ?? before?.instance_key ?? null,
        content: encode(purchase),
      };
      if (before?.content === after.content && before.instance_key === after.instance_key) continue;
      upsert.run(after);
      changedKeys.add(purchase.key);
      for (const key of [before?.instance_key, after.instance_key]) if (key) instanceKeys.add(key);
    }
    return { changedKeys: [...changedKeys], instanceKeys: [...instanceKeys] };
  });

  return {
    save: (purchases) => saveAll.immediate(purchases),
    assign(key, instanceKey) {
      setInstance.run(instanceKey, key);
    },
    keepPlan(key) {
      setKeepPlan.run(key);
    },
    get(key) {
      const row = selectOne.get(key);
      return row === undefined ? null : decode(row);
    },
    byInstance: (instanceKey) => selectOf.all(instanceKey).map(decode),
    unassigned: () => selectUnassigned.all().map(decode),
    all: () => selectAll.all().map(decode),
  };
}

/** With properties and ids in one order, so that equal purchases are equal texts. */
function encode(purchase: Purchase): string {
  const content: Content = {
    key: purchase.key,
    ...(purchase.createdOn && { createdOn: purchase.createdOn.toISOString() }),
    state: purchase.state,
    customerId: purchase.customerId,
    planId: purchase.planId,
    periodCount: purchase.periodCount,
    periodUnit: purchase.periodUnit,
    startsOn: purchase.startsOn.toISOString(),
    document: purchase.document,
    orderId: purchase.orderId,
    invoiceIds: [...purchase.invoiceIds].sort((a, b) => a - b),
    additional: purchase.additional,
    unitPrice: purchase.unitPrice,
    listPrice: purchase.listPrice,
    keepPlan: purchase.keepPlan,
    pendingSince: purchase.pendingSince?.toISOString() ?? null,
    parts: purchase.parts.map(({ key, quantity, startsOn, paidOn, vanishedOn }) => ({
      key,
      quantity,
      startsOn: startsOn.toISOString(),
      paidOn: paidOn?.toISOString() ?? null,
      vanishedOn: vanishedOn?.toISOString() ?? null,
    })),
  };
  return JSON.stringify(content);
}

function decode(row: Row): Purchase {
  const { createdOn, ...content } = JSON.parse(row.content) as Content;
  return {
    ...content,
    ...(createdOn !== undefined && { createdOn: new Date(createdOn) }),
    instanceKey: row.instance_key,
    startsOn: new Date(content.startsOn),
    parts: content.parts.map((part) => ({
      ...part,
      startsOn: new Date(part.startsOn),
      paidOn: part.paidOn === null ? null : new Date(part.paidOn),
      vanishedOn: part.vanishedOn === null ? null : new Date(part.vanishedOn),
    })),
    pendingSince: content.pendingSince === null ? null : new Date(content.pendingSince),
  };
}
