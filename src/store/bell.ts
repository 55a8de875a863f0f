/** Tells, after a commit, what has changed: nobody need be told by whoever changed it. */
import type Database from 'better-sqlite3';

/** `instances`: with the keys of those that changed. */
export interface Changes {
  jobs: boolean;
  outbox: boolean;
  plans: boolean;
  instances: Set<string>;
}

export type Topic = keyof Changes;

export interface Bell {
  /**
   * Calls `listener` after each commit that changed what it asks for; several commits in a row may be one call. It is
   * called for itself, never inside the commit.
   * @returns stops listening.
   */
  on(topic: Topic, listener: (changes: Changes) => void): () => void;
}

export interface Ringer extends Bell {
  /** Something changed in the present transaction, or outside of one just now. */
  ring(topic: Exclude<Topic, 'instances'>): void;
  ringFor(instanceKey: string): void;
  /** The outermost transaction was committed. */
  committed(): void;
  /** It was rolled back: nothing has changed. */
  rolledBack(): void;
}

export function createBell(db: Pick<Database.Database, 'inTransaction'>): Ringer {
  const listeners: { topic: Topic; listener: (changes: Changes) => void }[] = [];
  let pending = noChanges();
  /** Of commits that nobody was told of yet. */
  let due = noChanges();
  let scheduled = false;

  function deliver(): void {
    scheduled = false;
    const changes = due;
    due = noChanges();
    for (const { topic, listener } of [...listeners]) {
      const changed = topic === 'instances' ? changes.instances.size > 0 : changes[topic];
      if (changed) listener(changes);
    }
  }

  function committed(): void {
    if (listeners.length === 0) {
      pending = noChanges();
      return;
    }
    due = {
      jobs: due.jobs || pending.jobs,
      outbox: due.outbox || pending.outbox,
      plans: due.plans || pending.plans,
      instances: new Set([...due.instances, ...pending.instances]),
    };
    pending = noChanges();
    if (scheduled) return;
    scheduled = true;
    setImmediate(deliver);
  }

  const unlessInTransaction = () => {
    if (!db.inTransaction) committed();
  };

  return {
    on(topic, listener) {
      const entry = { topic, listener };
      listeners.push(entry);
      return () => void listeners.splice(listeners.indexOf(entry), 1);
    },
    ring(topic) {
      pending[topic] = true;
      unlessInTransaction();
    },
    ringFor(instanceKey) {
      pending.instances.add(instanceKey);
      unlessInTransaction();
    },
    committed,
    rolledBack() {
      pending = noChanges();
    },
  };
}

function noChanges(): Changes {
  return { jobs: false, outbox: false, plans: false, instances: new Set() };
}
