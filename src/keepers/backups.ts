/**
 * Makes the backups: each instance in its moment of the night, what was slept through at once, a few at a time, and
 * whatever a person asks for now. Beside the jobs: a target that is away holds up nobody's work.
 */
import { type Night, nextBackup } from '../backup/due.js';
import type { BackupMade, Backups, KeepRule, Repository } from '../instance/backups.js';
import type { Command } from '../instance/command.js';
import { containersWanted, PHASE } from '../instance/phase.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Instance, Plan } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, isStopped, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { createPatience } from '../lib/patience.js';
import { backupOperation, backupOverdue, backupsFailing } from '../owed/backups.js';
import { commandOperation } from '../owed/operations.js';
import type { BackupRow } from '../store/backups.js';
import type { Store } from '../store/store.js';
import { DAY_MS, HOUR_MS } from '../subscription/calendar.js';
import type { OpenDatabase } from './open-databases.js';

const LONGEST_PAUSE_MS = 30_000;
/** Something else is done with it, or it is in a state that passes. */
const LATER_MS = 10 * 60_000;
const PRUNE_MS = 7 * DAY_MS;
/** So long after a failure that is the target's nobody else's backup is tried. */
const TARGET_PAUSE_MS = 60_000;
/** These are the target's fault, and so everybody's. */
const TARGET_CODES = ['backup.unreachable', 'backup.refused', 'backup.full'];
/** A manager is told after so long. */
const PATIENCE_MS = HOUR_MS;

export interface BackupKeeperOptions {
  store: Store;
  backups: Pick<Backups, 'make'>;
  repositoryOf(instanceKey: string): Repository;
  specOf(facts: { instance: Instance; plan: Plan }): InstanceSpec | null;
  openDatabase: OpenDatabase;
  /** Null: only what a person asks for. */
  night: Night | null;
  keep: KeepRule;
  concurrency: number;
  clock: Clock;
  log: Log;
}

export interface BackupKeeper extends Loop {
  /** One more, now, and not in its turn. Throws what keeps it from being made. */
  now(instance: Instance): Promise<void>;
}

export function startBackups(options: BackupKeeperOptions): BackupKeeper {
  const { store, clock, log, night, keep } = options;
  const busy = new Map<string, Promise<void>>();
  let targetPausedUntil = 0;
  const patience = createPatience(PATIENCE_MS, clock, (since, error) =>
    store.outbox.put(backupsFailing(since, messageOf(error)), 'backups'),
  );

  async function look(): Promise<number> {
    const now = clock();
    const pausedMs = targetPausedUntil - performance.now();
    const isFree = () => busy.size < options.concurrency;
    // Those at work are due too.
    for (const key of store.backups.due(now, 100 + busy.size)) {
      if (busy.has(key)) continue;
      const decided = decide(key, now);
      if (decided !== 'now') store.backups.lookAt(key, decided);
      else if (isFree() && (pausedMs <= 0 || asked(key).length > 0)) begin(key);
    }
    const next = store.backups.nextDueAt();
    const untilNext = next === null ? LONGEST_PAUSE_MS : next.getTime() - clock().getTime();
    // Something is due and waits for a place or for the target: whoever ends wakes the loop.
    return Math.min(LONGEST_PAUSE_MS, untilNext > 0 ? untilNext : Math.max(1000, pausedMs));
  }

  function begin(key: string): void {
    const work = backUp(key)
      .catch((error) => log.error('backup.crashed', 'Not expected; tried again.', errorFields(error)))
      .finally(() => {
        busy.delete(key);
        loop.wake();
      });
    busy.set(key, work);
  }

  /** Whether one is to be made now; else when that is to be asked again. */
  function decide(key: string, now: Date): 'now' | Date | null {
    const [row, instance] = [store.backups.get(key), store.instances.get(key)];
    if (!row || !instance || PHASE[instance.phase].gone) return null;
    if (instance.startedAt === null || !['running', 'suspended', 'stopped'].includes(instance.phase)) {
      return new Date(now.getTime() + LATER_MS);
    }
    const next = nextBackup(
      {
        ...{
          key,
          since: row.madeAt ?? instance.startedAt,
          changed: row.changed || containersWanted(instance) === 'up',
        },
        ...{ asked: asked(key).length > 0, failures: row.failures, triedAt: row.triedAt },
      },
      night,
    );
    return next !== null && next <= now ? 'now' : next;
  }

  function asked(key: string): Command[] {
    return store.commands.pending(key).filter(({ command }) => command === 'back_up');
  }

  async function backUp(key: string): Promise<void> {
    const instance = store.instances.get(key);
    const commands = asked(key);
    if (!instance) return;
    const startedAt = performance.now();
    try {
      const made = await make(instance, commands.length > 0 ? 'asked' : 'nightly');
      patience.done();
      const megabytes = Math.ceil(made.bytes / 1024 ** 2);
      answer(instance, commands, 'done', { code: 'backup_made', params: { size_mb: megabytes } });
      log.info('backup.made', `${instance.name} is backed up (${megabytes} MB).`, {
        ...{ instance: instance.name, snapshot: made.snapshot, addedBytes: made.addedBytes },
        durationMs: Math.round(performance.now() - startedAt),
      });
      if (made.kept) log.warn('backup.not_forgotten', `Old ones could not be removed: ${made.kept}`);
    } catch (error) {
      // The next start makes it.
      if (isStopped(error)) return;
      failed(instance, commands, error);
    }
  }

  /** Makes one, and writes it down. */
  async function make(instance: Instance, tag: 'nightly' | 'asked' | 'before'): Promise<BackupMade> {
    const { key } = instance;
    const plan = store.plans.get(instance.planId);
    const spec = plan && options.specOf({ instance, plan });
    if (!spec) throw new Error('it has no place or no plan');
    const row = store.backups.get(key);
    const isUp = containersWanted(instance) === 'up';
    const now = clock();
    const isPruneDue = !row?.prunedAt || now.getTime() - row.prunedAt.getTime() > PRUNE_MS;
    const work = () =>
      options.backups.make(spec, options.repositoryOf(key), {
        // A person who asks begins a new repository where the old one is lost.
        mustExist: row?.madeAt != null && tag !== 'asked',
        tag,
        keep: { ...keep, prune: isPruneDue },
      });
    const made = isUp ? await work() : await options.openDatabase(key, work);
    store.transaction(() => {
      if (!store.instances.get(key)) return;
      store.backups.exists(key, now);
      const isPruned = isPruneDue && made.kept === null;
      const after = store.backups.update(key, {
        ...{ madeAt: now, snapshot: made.snapshot, bytes: made.bytes },
        ...{ changed: isUp, failures: 0, failingSince: null, triedAt: now, error: null },
        ...(isPruned ? { prunedAt: now } : {}),
      });
      schedule(after, instance);
      store.outbox.put(backupOperation(after), key);
    });
    return made;
  }

  function failed(instance: Instance, commands: Command[], error: unknown): void {
    const { key, name } = instance;
    const isTarget = error instanceof BridgeError && TARGET_CODES.includes(error.code);
    if (isTarget) {
      targetPausedUntil = performance.now() + TARGET_PAUSE_MS;
      patience.failed(error);
    }
    const reason = messageOf(error);
    const now = clock();
    log.warn('backup.failed', `${name} could not be backed up.`, { instance: name, ...errorFields(error) });
    store.transaction(() => {
      answer(instance, commands, 'failed', { code: 'verbatim', params: { text: reason } });
      const before = store.backups.get(key);
      if (!before || !store.instances.get(key)) return;
      const after = store.backups.update(key, {
        ...{ failures: before.failures + 1, failingSince: before.failingSince ?? now, triedAt: now, error: reason },
      });
      schedule(after, instance);
      // The record is told of each kind once.
      if (before.error !== reason) store.outbox.put(backupOperation(after), key);
      const overdue = isTarget ? null : backupOverdue(instance, after, now);
      if (overdue && store.events.record(overdue.key, 'backup_overdue')) store.outbox.put(overdue, key);
    });
  }

  function schedule(row: BackupRow, instance: Instance): void {
    const next = decide(row.instanceKey, clock());
    store.backups.lookAt(instance.key, next === 'now' ? clock() : next);
  }

  function answer(
    { key }: Instance,
    commands: Command[],
    result: 'done' | 'failed',
    message: Parameters<typeof commandOperation>[2],
  ): void {
    for (const { id } of commands) {
      if (store.commands.finish(id)) store.outbox.put(commandOperation(id, result, message), key);
    }
  }

  const loop = startLoop(look, (error) =>
    log.error('backup.crashed', 'The backups cannot be looked at; trying again.', errorFields(error)),
  );
  return {
    wake: () => loop.wake(),
    async now(instance) {
      await make(instance, 'before');
    },
    async stop() {
      await loop.stop();
      await Promise.all(busy.values());
    },
  };
}
