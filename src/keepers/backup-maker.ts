/** How one backup is made and written down; when, is for others to say. */
import { decideBackup, type Night } from '../backup/due.js';
import type { BackupMade, Backups, BackupTag, Repository } from '../instance/backups.js';
import type { Command } from '../instance/command.js';
import { DEFAULT_KEEP } from '../instance/keep-rule.js';
import { containersWanted } from '../instance/phase.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Instance, Plan } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, isStopped, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import type { Metrics } from '../lib/metrics.js';
import { backupOperation, backupOverdue } from '../owed/backups.js';
import { commandOperation } from '../owed/operations.js';
import type { BackupRow } from '../store/backups.js';
import type { Store } from '../store/store.js';
import { DAY_MS } from '../subscription/calendar.js';
import type { OpenDatabase } from './open-databases.js';

const PRUNE_MS = 7 * DAY_MS;
/** These are the target's fault, and so everybody's. */
const TARGET_CODES = ['backup.unreachable', 'backup.refused', 'backup.full'];

export interface BackupMakerOptions {
  store: Store;
  backups: Pick<Backups, 'make'>;
  repositoryOf(instanceKey: string): Repository;
  specOf(facts: { instance: Instance; plan: Plan }): InstanceSpec | null;
  openDatabase: OpenDatabase;
  /** Null: only what a person asks for. */
  night: Night | null;
  clock: Clock;
  log: Log;
  metrics: Pick<Metrics, 'backupSeconds'>;
}

export type BackupMaker = ReturnType<typeof createBackupMaker>;

export function createBackupMaker(options: BackupMakerOptions) {
  const { store, clock, log } = options;

  /** Whether one is to be made now; else when that is to be asked again. */
  function decide(key: string, now: Date): 'now' | Date | null {
    const [row, instance] = [store.backups.get(key), store.instances.get(key)];
    if (!row || !instance) return null;
    return decideBackup({ ...row, instance, asked: asked(key).length > 0 }, options.night, now);
  }

  /** What people wait for. */
  function asked(key: string): Command[] {
    return store.commands.pending(key).filter(({ command }) => command === 'back_up');
  }

  /** Makes the one that is due, and answers who asked for it. Gives the failure where that is the target's. */
  async function makeDue(key: string): Promise<BridgeError | 'made' | 'not made'> {
    const instance = store.instances.get(key);
    const commands = asked(key);
    if (!instance) return 'not made';
    const startedAt = performance.now();
    try {
      const made = await make(instance, commands.length > 0 ? 'asked' : 'nightly');
      const durationMs = Math.round(performance.now() - startedAt);
      options.metrics.backupSeconds.observe(durationMs / 1000);
      const megabytes = Math.ceil(made.bytes / 1024 ** 2);
      answer(instance, commands, 'done', { code: 'backup_made', params: { size_mb: megabytes } });
      log.info('backup.made', `${instance.name} is backed up (${megabytes} MB).`, {
        ...{ instance: instance.name, snapshot: made.snapshot, addedBytes: made.addedBytes },
        durationMs,
      });
      if (made.kept) log.warn('backup.not_forgotten', `Old ones could not be removed: ${made.kept}`);
      return 'made';
    } catch (error) {
      // The next start makes it.
      if (isStopped(error)) return 'not made';
      failed(instance, commands, error);
      return error instanceof BridgeError && TARGET_CODES.includes(error.code) ? error : 'not made';
    }
  }

  /** Makes one now, and writes it down. */
  async function make(instance: Instance, tag: BackupTag): Promise<BackupMade> {
    const { key } = instance;
    const plan = store.plans.get(instance.planId);
    const spec = plan && options.specOf({ instance, plan });
    if (!spec) throw new Error('it has no place or no plan');
    const row = store.backups.get(key);
    const containers = containersWanted(instance);
    const now = clock();
    const isPruneDue = !row?.prunedAt || now.getTime() - row.prunedAt.getTime() > PRUNE_MS;
    const work = () =>
      options.backups.make(spec, options.repositoryOf(key), {
        // A person who asks begins a new repository where the old one is lost.
        mustExist: row?.madeAt != null && tag !== 'asked',
        tag,
        keep: { ...(plan.keep ?? DEFAULT_KEEP), prune: isPruneDue },
      });
    // One that is in trouble may have no database that could be let run.
    const made = containers === 'any' ? await work() : await options.openDatabase(key, work);
    // Whoever wants the state of this moment back gets this one.
    const madeAt = clock();
    store.transaction(() => {
      if (!store.instances.get(key)) return;
      store.backups.exists(key, now);
      const isPruned = isPruneDue && made.kept === null;
      const after = store.backups.update(key, {
        ...{ madeAt, snapshot: made.snapshot, bytes: made.bytes },
        ...{ changed: containers !== 'down', failures: 0, failingSince: null, triedAt: now, error: null },
        ...(isPruned ? { prunedAt: now } : {}),
      });
      schedule(after, instance);
      store.outbox.put(backupOperation(after, made.moments), key);
    });
    return made;
  }

  /**
   * Before a rebuild: of one that keeps dying none, its customer waits. Before a plan is refused, as its customer may now
   * throw things away to fit into it.
   */
  async function makeBefore(key: string, what: 'rebuild' | 'refusal'): Promise<void> {
    const instance = store.instances.get(key);
    const isAsked = store.operations.of(key).some(({ kind, cause }) => kind === 'rebuild' && cause === 'command');
    if (instance && (isAsked || what === 'refusal')) await make(instance, what);
  }

  function failed(instance: Instance, commands: Command[], error: unknown): void {
    const { key, name } = instance;
    const isTarget = error instanceof BridgeError && TARGET_CODES.includes(error.code);
    const reason = messageOf(error);
    const now = clock();
    log.warn('backup.failed', `${name} could not be backed up.`, { instance: name, ...errorFields(error) });
    store.transaction(() => {
      answer(instance, commands, 'failed', { code: 'backup_failed', params: { reason } });
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

  function schedule({ instanceKey }: BackupRow, { key }: Instance): void {
    const next = decide(instanceKey, clock());
    store.backups.lookAt(key, next === 'now' ? clock() : next);
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

  return { decide, asked, makeDue, make, makeBefore };
}
