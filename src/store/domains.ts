/** Names of their own that customers want for their instances, how each is doing, and when it is looked at next. */
import type Database from 'better-sqlite3';
import type { DomainProblem } from '../domains/finding.js';
import { baseOf } from '../domains/name.js';
import type { Domain, WantedDomain } from '../domains/types.js';
import type { Ringer } from './bell.js';
import { fromMs, toMs } from './time.js';

/** After it, one that was being looked at when the daemon died is looked at again. */
const LONGEST_LOOK_MS = 2 * 60_000;

export interface DomainTable {
  /** Those of an instance, in the order in which they were asked for. */
  of(instanceKey: string): Domain[];
  /** Makes them those of the instance; what is new, or is asked for again, is looked at now. Gives whether any changed. */
  want(instanceKey: string, wanted: readonly WantedDomain[]): boolean;
  get(instanceKey: string, base: string): Domain | null;
  /** Who has the name; null: nobody. */
  holder(base: string): Domain | null;
  /** Writes how it is doing; nothing where it is not wanted any more. */
  update(domain: Domain, nextAt: Date | null): void;
  lookNow(instanceKey: string): void;
  /** Takes those that are to be looked at: who asks for a look meanwhile gets one more. */
  due(now: Date, limit: number): Domain[];
  nextDueAt(): Date | null;
}

interface Row {
  instance_key: string;
  base: string;
  host: string;
  proof: string;
  asked_at: number;
  state: Domain['state'];
  since: number;
  failing_since: number | null;
  problem: DomainProblem | null;
  found: string;
  proven: number;
  pointed: number;
  twin: number;
  failures: number;
  answered: number;
  next_at: number | null;
}

export function domainTable(db: Database.Database, bell: Ringer): DomainTable {
  const selectOf = db.prepare<[string], Row>('SELECT * FROM domains WHERE instance_key = ? ORDER BY position');
  const selectOne = db.prepare<[string, string], Row>('SELECT * FROM domains WHERE instance_key = ? AND base = ?');
  const selectHolder = db.prepare<[string], Row>(
    "SELECT * FROM domains INDEXED BY domains_held WHERE base = ? AND state <> 'waiting'",
  );
  const selectDue = db.prepare<[number, number], Row>(
    'SELECT * FROM domains WHERE next_at IS NOT NULL AND next_at <= ? ORDER BY next_at LIMIT ?',
  );
  const selectNext = db
    .prepare<[], number | null>('SELECT min(next_at) FROM domains WHERE next_at IS NOT NULL')
    .pluck();
  const insert = db.prepare<
    Pick<Row, 'instance_key' | 'base' | 'host' | 'proof' | 'asked_at' | 'state'> & { position: number }
  >(`
    INSERT INTO domains (instance_key, base, host, proof, asked_at, state, since, position, next_at)
      VALUES (:instance_key, :base, :host, :proof, :asked_at, :state, :asked_at, :position, 0)
    ON CONFLICT (instance_key, base) DO UPDATE SET host = excluded.host, proof = excluded.proof,
      asked_at = excluded.asked_at, position = excluded.position, answered = 0, next_at = 0`);
  const write = db.prepare<Row>(`
    UPDATE domains SET state = :state, since = :since, failing_since = :failing_since, problem = :problem, found = :found,
      proven = :proven, pointed = :pointed, twin = :twin, failures = :failures, answered = :answered,
      next_at = CASE WHEN next_at = 0 THEN 0 ELSE :next_at END
    WHERE instance_key = :instance_key AND base = :base AND host = :host AND proof = :proof AND asked_at = :asked_at`);
  const remove = db.prepare<[string, string]>('DELETE FROM domains WHERE instance_key = ? AND base = ?');
  const lookNow = db.prepare<[string]>('UPDATE domains SET next_at = 0 WHERE instance_key = ?');
  const claim = db.prepare<[number, string, string]>(
    'UPDATE domains SET next_at = ? WHERE instance_key = ? AND base = ?',
  );
  const wakeOthers = db.prepare<[string]>('UPDATE domains SET next_at = 0 WHERE base = ? AND next_at IS NOT NULL');
  const holder = (base: string) => one(selectHolder.get(base));

  const want = db.transaction((instanceKey: string, wanted: readonly WantedDomain[]): boolean => {
    const before = new Map(selectOf.all(instanceKey).map((row) => [row.base, row]));
    let isChanged = false;
    const bases = new Set<string>();
    for (const { host, proof, askedAt, isHeld } of wanted) {
      const base = baseOf(host);
      if (bases.has(base)) continue;
      const position = bases.size;
      bases.add(base);
      const known = before.get(base);
      if (known?.host === host && known.proof === proof && known.asked_at === toMs(askedAt)) continue;
      isChanged = true;
      const state = isHeld && holder(base) === null ? 'active' : 'waiting';
      insert.run({ instance_key: instanceKey, base, host, proof, asked_at: toMs(askedAt), state, position });
    }
    for (const base of before.keys()) {
      if (bases.has(base)) continue;
      isChanged = true;
      remove.run(instanceKey, base);
      wakeOthers.run(base);
    }
    if (isChanged) bell.ringFor(instanceKey);
    return isChanged;
  });

  const due = db.transaction((now: Date, limit: number): Domain[] => {
    const rows = selectDue.all(toMs(now), limit);
    for (const row of rows) claim.run(toMs(now) + LONGEST_LOOK_MS, row.instance_key, row.base);
    return rows.map(fromRow);
  });

  return {
    of: (key) => selectOf.all(key).map(fromRow),
    want: (key, wanted) => want.immediate(key, wanted),
    get: (key, base) => one(selectOne.get(key, base)),
    holder,
    update(domain, nextAt) {
      const before = selectOne.get(domain.instanceKey, domain.base);
      if (write.run(toRow(domain, nextAt)).changes === 0) return;
      if (before?.state !== domain.state || before.twin !== Number(domain.isTwinPointed))
        bell.ringFor(domain.instanceKey);
      if (domain.state === 'waiting' && before?.state !== 'waiting') wakeOthers.run(domain.base);
    },
    lookNow: (key) => void lookNow.run(key),
    due: (now, limit) => due.immediate(now, limit),
    nextDueAt: () => fromMs(selectNext.get() ?? null),
  };
}

function one(row: Row | undefined): Domain | null {
  return row ? fromRow(row) : null;
}

function toRow(domain: Domain, nextAt: Date | null): Row {
  return {
    instance_key: domain.instanceKey,
    base: domain.base,
    host: domain.host,
    proof: domain.proof,
    asked_at: toMs(domain.askedAt),
    state: domain.state,
    since: toMs(domain.since),
    failing_since: toMs(domain.failingSince),
    problem: domain.problem,
    found: domain.found,
    proven: Number(domain.isProven),
    pointed: Number(domain.isPointed),
    twin: Number(domain.isTwinPointed),
    failures: domain.failures,
    answered: Number(domain.isAnswered),
    next_at: toMs(nextAt),
  };
}

function fromRow(row: Row): Domain {
  return {
    instanceKey: row.instance_key,
    base: row.base,
    host: row.host,
    proof: row.proof,
    askedAt: fromMs(row.asked_at),
    state: row.state,
    since: fromMs(row.since),
    failingSince: fromMs(row.failing_since),
    problem: row.problem,
    found: row.found,
    isProven: row.proven === 1,
    isPointed: row.pointed === 1,
    isTwinPointed: row.twin === 1,
    failures: row.failures,
    isAnswered: row.answered === 1,
  };
}
