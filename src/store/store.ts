/** The daemon's memory: a cache of the facts and a queue of the work, in one SQLite file. */
import type Database from 'better-sqlite3';
import type { Clock } from '../lib/clock.js';
import { type CommandTable, commandTable } from './commands.js';
import { openDatabase } from './database.js';
import { type EventTable, eventTable } from './events.js';
import { type InstanceTable, instanceTable } from './instances.js';
import { type JobTable, jobTable } from './jobs.js';
import { type MetaTable, metaTable } from './meta.js';
import { type Outbox, outboxTable } from './outbox.js';
import { type PlanTable, planTable } from './plans.js';
import { type PurchaseTable, purchaseTable } from './purchases.js';
import { type SlotTable, slotTable } from './slots.js';

export interface StoreOptions {
  /** For readers beside the daemon; every write fails. */
  readonly?: boolean;
  clock?: Clock;
}

export interface Store {
  readonly db: Database.Database;
  readonly instances: InstanceTable;
  readonly slots: SlotTable;
  readonly purchases: PurchaseTable;
  readonly plans: PlanTable;
  readonly commands: CommandTable;
  readonly jobs: JobTable;
  readonly outbox: Outbox;
  readonly events: EventTable;
  readonly meta: MetaTable;
  /** All writes of `fn` are one commit, or none if it throws. Synchronous only; may be nested. */
  transaction<T>(fn: () => T): T;
  close(): void;
}

/**
 * Opens, checks and migrates the file; see openDatabase for the errors. The writer must hold lockStore: what a
 * crashed daemon left claimed is given back by `jobs.releaseAll()` and `outbox.releaseAll()`.
 */
export function openStore(path: string, { readonly = false, clock = () => new Date() }: StoreOptions = {}): Store {
  const db = openDatabase(path, readonly);
  return {
    db,
    instances: instanceTable(db),
    slots: slotTable(db, clock),
    purchases: purchaseTable(db),
    plans: planTable(db),
    commands: commandTable(db, clock),
    jobs: jobTable(db),
    outbox: outboxTable(db, clock),
    events: eventTable(db, clock),
    meta: metaTable(db),
    transaction: (fn) => db.transaction(fn).immediate(),
    close: () => {
      db.close();
    },
  };
}
