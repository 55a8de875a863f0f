/** Restores each backup on trial at least once a month, some each night: what was never restored is no backup. */
import { isNight, type Night } from '../backup/due.js';
import type { Backups, Repository } from '../instance/backups.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Instance, Plan } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, isStopped, messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { backupOperation, proofFailed } from '../owed/backups.js';
import type { Store } from '../store/store.js';
import { DAY_MS } from '../subscription/calendar.js';

/** A trial may be so old: those of a month have room for some that are late. */
const PROVEN_FOR_MS = 25 * DAY_MS;
const PAUSE_MS = 10 * 60_000;
/** These say that the backup is not whole; all others that the trial could not be made. */
const NOT_WHOLE = ['backup.not_whole', 'backup.damaged', 'backup.missing'];

export interface ProofKeeperOptions {
  store: Store;
  backups: Pick<Backups, 'prove' | 'removeLeft'>;
  repositoryOf(instanceKey: string): Repository;
  specOf(facts: { instance: Instance; plan: Plan }): InstanceSpec | null;
  /** Null: no trials. */
  night: Night | null;
  clock: Clock;
  log: Log;
}

/** Runs until stopped: the one whose last trial is the longest ago is the next, one after the other. */
export function startProofs(options: ProofKeeperOptions): Loop {
  const { store, backups, night, clock, log } = options;
  let isClean = false;

  async function look(): Promise<number> {
    const now = clock();
    if (!night || !isNight(now, night)) return PAUSE_MS;
    if (!isClean) await backups.removeLeft();
    isClean = true;
    const key = store.backups.leastProven(new Date(now.getTime() - PROVEN_FOR_MS));
    if (key === null) return PAUSE_MS;
    return (await prove(key)) ? 0 : PAUSE_MS;
  }

  /** False where the trial could not be made. */
  async function prove(key: string): Promise<boolean> {
    const [row, instance] = [store.backups.get(key), store.instances.get(key)];
    const plan = instance && store.plans.get(instance.planId);
    const spec = instance && plan && options.specOf({ instance, plan });
    const at = clock();
    if (!instance || !spec || row?.snapshot == null) {
      store.backups.update(key, { proofTriedAt: at });
      return true;
    }
    const startedAt = performance.now();
    let failure: BridgeError | null = null;
    try {
      await backups.prove(spec, options.repositoryOf(key), row.snapshot);
    } catch (error) {
      if (isStopped(error)) return false;
      if (!(error instanceof BridgeError && NOT_WHOLE.includes(error.code))) {
        log.warn('proof.not_made', `${instance.name} could not be restored on trial.`, errorFields(error));
        // Its turn comes again: one that cannot be tried keeps nobody from being tried.
        store.backups.update(key, { proofTriedAt: new Date(at.getTime() - PROVEN_FOR_MS + DAY_MS) });
        return false;
      }
      failure = error;
    }
    const error = failure && messageOf(failure);
    store.transaction(() => {
      if (!store.backups.get(key)) return;
      const changes = error === null ? { provenAt: at, proofError: null } : { proofError: error };
      // A trial that failed is made again in the next night.
      const proofTriedAt = error === null ? at : new Date(at.getTime() - PROVEN_FOR_MS + DAY_MS / 2);
      const after = store.backups.update(key, { ...changes, proofTriedAt });
      store.outbox.put(backupOperation(after), key);
      if (error !== null) store.outbox.put(proofFailed(instance, at, error), key);
    });
    const fields = { instance: instance.name, snapshot: row.snapshot };
    if (failure)
      log.error('proof.failed', `The backup of ${instance.name} is not whole.`, { ...fields, ...errorFields(failure) });
    else {
      const durationMs = Math.round(performance.now() - startedAt);
      log.info('proof.made', `The backup of ${instance.name} was restored on trial and is whole.`, {
        ...fields,
        durationMs,
      });
    }
    return true;
  }

  return startLoop(look, (error) => log.error('proof.crashed', 'Trials cannot be made.', errorFields(error)));
}
