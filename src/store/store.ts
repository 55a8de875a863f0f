/** The daemon's memory: a cache of the facts and a queue of the work, in one SQLite file. */
import type Database from 'better-sqlite3';
import type { Clock } from '../lib/clock.js';
import { type BackupTable, backupTable } from './backups.js';
import { type Bell, createBell } from './bell.js';
import { type CommandTable, commandTable } from './commands.js';
import { type Access, interceptStatements, openDatabase } from './database.js';
import { type DomainTable, domainTable } from './domains.js';
import { type EventTable, eventTable } from './events.js';
import { type InstanceTable, instanceTable } from './instances.js';
import { type JobTable, jobTable } from './jobs.js';
import { type LetterTable, letterTable } from './letters.js';
import { type MetaTable, metaTable } from './meta.js';
import { type OperationTable, operationTable } from './operations.js';
import { type Outbox, outboxTable } from './outbox.js';
import { type PlacementTable, placementTable } from './placements.js';
import { type PlanTable, planTable } from './plans.js';
import { type PurchaseTable, purchaseTable } from './purchases.js';
import { type Waits, waitTable } from './waits.js';

export interface StoreOptions {
  /** `own` unless given: see Access. */
  access?: Access;
  clock?: Clock;
  /** Is called with each statement and its values before it is run; what it throws is what the statement throws. */
  intercept?(sql: string, values: unknown[]): void;
}

export interface Store {
  readonly db: Database.Database;
  readonly instances: InstanceTable;
  readonly placements: PlacementTable;
  readonly operations: OperationTable;
  readonly backups: BackupTable;
  readonly domains: DomainTable;
  readonly purchases: PurchaseTable;
  readonly plans: PlanTable;
  readonly commands: CommandTable;
  readonly jobs: JobTable;
  readonly outbox: Outbox;
  readonly letters: LetterTable;
  readonly events: EventTable;
  readonly meta: MetaTable;
  readonly waits: Waits;
  readonly bell: Bell;
  /** All writes of `fn` are one commit, or none if it throws. Synchronous only; may be nested. */
  transaction<T>(fn: () => T): T;
  /** Another process has written since this was last asked. */
  isChangedElsewhere(): boolean;
  close(): void;
}

/**
 * Opens, checks and migrates the file; see openDatabase for the errors. The writer must hold lockStore: what a
 * crashed daemon left claimed is given back by `jobs.releaseAll()` and `outbox.releaseAll()`.
 */
export function openStore(path: string, options: StoreOptions = {}): Store {
  const { access = 'own', clock = () => new Date(), intercept } = options;
  const db = openDatabase(path, access);
  if (intercept) interceptStatements(db, intercept);
  const bell = createBell(db);
  /** It changes with commits of others alone. */
  const version = () => Number(db.pragma('data_version', { simple: true }));
  let seen = version();
  return {
    db,
    instances: instanceTable(db, bell),
    placements: placementTable(db, clock, bell),
    operations: operationTable(db),
    backups: backupTable(db),
    domains: domainTable(db, bell),
    purchases: purchaseTable(db),
    plans: planTable(db, bell),
    commands: commandTable(db, clock),
    jobs: jobTable(db, clock, bell),
    outbox: outboxTable(db, clock, bell),
    letters: letterTable(db, clock),
    events: eventTable(db, clock),
    meta: metaTable(db),
    waits: waitTable(db, bell),
    bell,
    transaction(fn) {
      if (db.inTransaction) return db.transaction(fn).immediate();
      try {
        const result = db.transaction(fn).immediate();
        bell.committed();
        return result;
      } catch (error) {
        bell.rolledBack();
        throw error;
      }
    },
    isChangedElsewhere() {
      const before = seen;
      seen = version();
      return seen !== before;
    },
    close: () => {
      db.close();
    },
  };
}
