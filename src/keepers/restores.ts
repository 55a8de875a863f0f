/**
 * Brings back the state that a person wants: restored beside the instance and compared, then a backup of what it has now is
 * made, and only then the instance is told to use the other volumes. What fails leaves it as it was. One that has lost its data
 * gets it back in the same way.
 */
import { type Backups, type BackupTag, LEFT_DAYS, type Repository } from '../instance/backups.js';
import type { Command } from '../instance/command.js';
import type { Runtime } from '../instance/ports.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Instance, Plan } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, isStopped, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { commandOperation } from '../owed/operations.js';
import type { Sentence } from '../protocol/sentences.js';
import type { Store } from '../store/store.js';
import { DAY_MS } from '../subscription/calendar.js';
import type { copiesIn } from './exports.js';

const PAUSE_MS = 30_000;
/** While an instance takes the other volumes. */
const SOON_MS = 1_000;
/** No backup can be made: a volume is gone or empty, or no server opens the database. */
const LOST = ['backup.no_data', 'backup.database'];

export interface RestoreKeeperOptions {
  store: Store;
  backups: Pick<Backups, 'list' | 'restore'>;
  /** Makes one of what it has now. */
  backUp(instance: Instance, tag: BackupTag): Promise<unknown>;
  runtime: Pick<Runtime, 'removeOthers' | 'copyLeft'>;
  /** Where what is left of one goes that has lost a part of its data. */
  copies: Pick<ReturnType<typeof copiesIn>, 'leftFileOf' | 'promise'>;
  repositoryOf(instanceKey: string): Repository;
  specOf(facts: { instance: Instance; plan: Plan }): InstanceSpec | null;
  clock: Clock;
  log: Log;
}

/** Runs until stopped, one after the other. */
export function startRestores(options: RestoreKeeperOptions): Loop {
  const { store, backups, runtime, log } = options;

  async function look(stopping: AbortSignal): Promise<number> {
    let pauseMs = PAUSE_MS;
    for (const command of store.commands.pending().filter(({ command }) => command === 'restore')) {
      if (stopping.aborted) return 0;
      const instance = store.instances.get(command.instanceKey);
      if (!instance) continue;
      if (store.events.has(swapOf(command))) {
        if (store.operations.of(instance.key).some(({ kind }) => kind === 'restore')) pauseMs = SOON_MS;
        else answerSwap(command, instance);
      } else {
        await restore(command, instance);
        pauseMs = SOON_MS;
      }
    }
    return pauseMs;
  }

  async function restore(command: Command, instance: Instance): Promise<void> {
    const plan = store.plans.get(instance.planId);
    const spec = plan && options.specOf({ instance, plan });
    if (!isRestorable(instance) || !spec)
      return answer(command, 'refused', { code: 'restore_not_running', params: {} });
    try {
      const repository = options.repositoryOf(instance.key);
      const wanted = endOf(command.moment);
      const snapshot = (await backups.list(spec, repository)).findLast(({ at }) => at <= wanted);
      if (!snapshot) return answer(command, 'refused', { code: 'no_such_backup', params: {} });
      log.info(
        'restore.begun',
        `${instance.name} is restored beside itself, as it was at ${snapshot.at.toISOString()}.`,
        {
          ...{ instance: instance.name, snapshot: snapshot.id },
        },
      );
      const generation = instance.generation + 1;
      await backups.restore({ ...spec, generation }, repository, snapshot.id);
      await keepWhatItHas(instance, spec);
      const now = store.instances.get(instance.key);
      if (!now || !isRestorable(now)) return await failed(command, spec, STOPPED);
      store.transaction(() => {
        store.backups.exists(instance.key, snapshot.at);
        store.backups.update(instance.key, { restoredGeneration: generation });
        store.operations.begin(instance.key, 'restore', 'command');
        store.events.record(swapOf(command), 'restore');
        store.jobs.enqueue(instance.key, { reason: 'a backup was restored beside it' });
      });
    } catch (error) {
      // The next start begins again.
      if (isStopped(error)) return;
      log.error('restore.failed', `${instance.name} was not restored, and is as it was.`, {
        ...{ instance: instance.name, ...errorFields(error) },
      });
      await failed(command, spec, { code: 'restore_failed', params: { reason: messageOf(error) } });
    }
  }

  /** Of one that has lost its data, or a part of it, what is left is kept as it lies on the disk. */
  async function keepWhatItHas(instance: Instance, spec: InstanceSpec): Promise<void> {
    try {
      await options.backUp(instance, 'before');
    } catch (error) {
      const isLost = instance.phase === 'error' && error instanceof BridgeError && LOST.includes(error.code);
      if (!isLost) throw error;
      const now = options.clock();
      const file = options.copies.leftFileOf(instance, now);
      const left = await runtime.copyLeft(spec, file);
      if (!left) return;
      const until = new Date(now.getTime() + LEFT_DAYS * DAY_MS);
      await options.copies.promise(file, until);
      const megabytes = Math.ceil(left.bytes / 1024 ** 2);
      log.warn('restore.left_kept', `What was left of ${instance.name} is ${file} (${megabytes} MB).`, {
        ...{ instance: instance.name, file, until: until.toISOString() },
      });
    }
  }

  async function failed(command: Command, spec: InstanceSpec, message: Sentence): Promise<void> {
    await runtime.removeOthers(spec).catch((second: unknown) => {
      log.warn('restore.left', 'What was restored could not be removed.', errorFields(second));
    });
    answer(command, 'failed', message);
  }

  /** The operation is over: it was done, or dropped because the instance is to be down. */
  function answerSwap(command: Command, instance: Instance): void {
    const isDone = instance.generation === store.backups.get(instance.key)?.restoredGeneration;
    answer(command, isDone ? 'done' : 'failed', isDone ? { code: 'restored', params: {} } : STOPPED);
    if (isDone) log.info('restore.done', `${instance.name} has the data of the backup.`, { instance: instance.name });
  }

  function answer({ id, instanceKey }: Command, result: 'done' | 'refused' | 'failed', message: Sentence): void {
    store.transaction(() => {
      if (store.commands.finish(id)) store.outbox.put(commandOperation(id, result, message), instanceKey);
    });
  }

  return startLoop(look, (error) => log.error('restore.crashed', 'Restoring failed.', errorFields(error)));
}

/** That its volumes are to be changed is written down under this. */
function swapOf({ id, createdOn }: Command): string {
  return `restore:${id}:${createdOn?.getTime() ?? 0}`;
}

/** People see whole seconds, or whole minutes: all of it is meant. No moment: the last one. */
function endOf(moment: Date | null | undefined): Date {
  if (!moment) return new Date(8.64e15);
  return new Date(moment.getTime() + (moment.getTime() % 60_000 === 0 ? 59_999 : 999));
}

const STOPPED: Sentence = { code: 'restore_stopped', params: {} };

/** It runs, or is to run and cannot. */
function isRestorable({ phase, startedAt }: Instance): boolean {
  return startedAt !== null && (phase === 'running' || phase === 'error');
}
