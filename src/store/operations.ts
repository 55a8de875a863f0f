/** Operations that wait, are under way, or are remembered: a retry goes on with the progress they had. */
import type Database from 'better-sqlite3';
import {
  OPERATION_KINDS,
  OPERATIONS,
  type Operation,
  type OperationCause,
  type OperationKind,
} from '../instance/operations/operations.js';

export interface OperationTable {
  /** Wants it done. One of the kind that waits already, is under way or is remembered stays as it is. */
  begin(instanceKey: string, kind: OperationKind, cause: OperationCause): void;
  /** Those of an instance, in the order in which they are done. */
  of(instanceKey: string): Operation[];
  /** Its steps so far are done. */
  advance(operation: Pick<Operation, 'instanceKey' | 'kind'>, progress: string): void;
  /** One more failure at its progress. */
  failed(operation: Pick<Operation, 'instanceKey' | 'kind'>): void;
  /** It is over, or not wanted any more. */
  forget(instanceKey: string, kind: OperationKind): void;
}

interface Row {
  kind: OperationKind;
  cause: OperationCause;
  progress: string;
  failures: number;
}

export function operationTable(db: Database.Database): OperationTable {
  const insert = db.prepare<[string, string, string, string]>(
    'INSERT INTO operations (instance_key, kind, cause, progress) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const select = db.prepare<[string], Row>(
    'SELECT kind, cause, progress, failures FROM operations WHERE instance_key = ?',
  );
  const update = db.prepare<[string, string, string]>(
    'UPDATE operations SET progress = ?, failures = 0 WHERE instance_key = ? AND kind = ?',
  );
  const count = db.prepare<[string, string]>(
    'UPDATE operations SET failures = failures + 1 WHERE instance_key = ? AND kind = ?',
  );
  const remove = db.prepare<[string, string]>('DELETE FROM operations WHERE instance_key = ? AND kind = ?');
  return {
    begin(instanceKey, kind, cause) {
      insert.run(instanceKey, kind, cause, OPERATIONS[kind].begin);
    },
    of: (instanceKey) =>
      select
        .all(instanceKey)
        .map((row) => ({ instanceKey, ...row }))
        .sort((a, b) => OPERATION_KINDS.indexOf(a.kind) - OPERATION_KINDS.indexOf(b.kind)),
    advance({ instanceKey, kind }, progress) {
      update.run(progress, instanceKey, kind);
    },
    failed({ instanceKey, kind }) {
      count.run(instanceKey, kind);
    },
    forget(instanceKey, kind) {
      remove.run(instanceKey, kind);
    },
  };
}
