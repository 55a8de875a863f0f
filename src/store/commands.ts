/** Requests from staff or customers. A command has one effect, however often the master lists it. */
import type Database from 'better-sqlite3';
import type { Command } from '../instance/command.js';
import type { Clock } from '../lib/clock.js';
import { fromMs, toMs } from './time.js';

export interface CommandTable {
  /** Keeps those never seen before as pending, and returns them: an id with another moment is another command. */
  add(commands: Command[]): Command[];
  /** Oldest first; of one instance or of all. */
  pending(instanceKey?: string): Command[];
  /** False if it was finished before. Put the answer into the outbox in the same transaction. */
  finish(id: number): boolean;
}

type Row = Omit<Command, 'moment'> & { moment: number | null };

export function commandTable(db: Database.Database, clock: Clock): CommandTable {
  const insert = db.prepare<
    Omit<Command, 'createdOn' | 'moment'> & { now: number; createdAt: number | null; moment: number | null }
  >(`
    INSERT INTO commands (id, instance_key, command, requested_by, plan_id, moment, seen_at, created_at)
    VALUES (:id, :instanceKey, :command, :requestedBy, :planId, :moment, :now, :createdAt)
    ON CONFLICT DO UPDATE SET instance_key = excluded.instance_key, command = excluded.command, state = 'pending',
      requested_by = excluded.requested_by, plan_id = excluded.plan_id, moment = excluded.moment, seen_at = excluded.seen_at,
      created_at = excluded.created_at, finished_at = NULL
    WHERE created_at <> excluded.created_at`);
  const columns = 'id, instance_key AS instanceKey, command, requested_by AS requestedBy, plan_id AS planId, moment';
  const selectPending = db.prepare<[], Row>(`SELECT ${columns} FROM commands WHERE state = 'pending' ORDER BY id`);
  const selectOf = db.prepare<[string], Row>(
    `SELECT ${columns} FROM commands WHERE state = 'pending' AND instance_key = ? ORDER BY id`,
  );
  const finish = db.prepare<[number, number]>(
    "UPDATE commands SET state = 'done', finished_at = ? WHERE id = ? AND state = 'pending'",
  );
  const addAll = db.transaction((commands: Command[]) => {
    const now = toMs(clock());
    return commands.filter(
      ({ createdOn = null, moment = null, ...command }) =>
        insert.run({ ...command, now, createdAt: toMs(createdOn), moment: toMs(moment) }).changes > 0,
    );
  });
  return {
    add: (commands) => addAll.immediate(commands),
    pending: (instanceKey) =>
      (instanceKey === undefined ? selectPending.all() : selectOf.all(instanceKey)).map(({ moment, ...command }) => ({
        ...command,
        ...(moment === null ? {} : { moment: fromMs(moment) }),
      })),
    finish: (id) => finish.run(toMs(clock()), id).changes > 0,
  };
}
