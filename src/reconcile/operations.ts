/** Does the operations of an instance: each goes on with the progress that the store has of it. */
import type { Facts } from '../facts/facts.js';
import { OPERATIONS, type Operation } from '../instance/operations/operations.js';
import type { Step } from '../instance/steps.js';
import type { Instance, Observed } from '../instance/types.js';
import { BridgeError, messageOf } from '../lib/errors.js';
import type { Log } from '../lib/logger.js';
import { copyFailing } from '../owed/todos.js';
import type { Store } from '../store/store.js';

export interface OperationParts {
  store: Store;
  log: Log;
}

/** What one run of an instance lends to its operations. */
export interface OperationRun {
  facts: Pick<Facts, 'instance' | 'desired'>;
  observe(): Promise<Observed>;
  /** The steps that are missing to what must be. */
  missing(observed: Observed): Step[];
  execute(step: Step): Promise<void>;
}

export type Operations = ReturnType<typeof createOperations>;

export function createOperations({ store, log }: OperationParts) {
  /** Does those that make sense now, and forgets the others. Resolves with those that have come to their end. */
  async function run(operations: readonly Operation[], work: OperationRun): Promise<Operation[]> {
    const { instance, desired } = work.facts;
    const ended: Operation[] = [];
    for (const operation of operations) {
      if (OPERATIONS[operation.kind].needs !== desired.state) store.operations.forget(instance.key, operation.kind);
      else {
        await bringToEnd(operation, work);
        ended.push(operation);
      }
    }
    return ended;
  }

  async function bringToEnd(operation: Operation, work: OperationRun): Promise<void> {
    const machine = OPERATIONS[operation.kind];
    for (let progress = operation.progress; ; ) {
      const observed = await work.observe();
      const next = machine.next(progress, { observed, missing: work.missing(observed) });
      if (next === 'done') return;
      try {
        for (const step of next.steps) await execute(operation, step, work);
      } catch (error) {
        if (error instanceof BridgeError) noteFailure({ ...operation, progress }, error, work.facts.instance);
        throw error;
      }
      progress = next.progress;
      store.operations.advance(operation, progress);
    }
  }

  /** What can never succeed goes on in another way, at the next try, and a person is told why. */
  function noteFailure(operation: Operation, error: BridgeError, instance: Instance): void {
    const { kind, progress, failures } = operation;
    const { otherwise } = OPERATIONS[kind];
    if (!otherwise?.codes.includes(error.code) || progress === otherwise.progress) return;
    store.transaction(() => {
      if (failures + 1 < otherwise.after) return store.operations.failed(operation);
      store.operations.advance(operation, otherwise.progress);
      store.outbox.put(copyFailing(instance, messageOf(error)), instance.key);
    });
  }

  async function execute(
    { kind }: Operation,
    step: Step,
    { facts: { instance }, ...work }: OperationRun,
  ): Promise<void> {
    try {
      await work.execute(step);
    } catch (error) {
      if (!(error instanceof BridgeError) || !OPERATIONS[kind].tolerates?.(error.code, instance.hold)) throw error;
      log.warn('operation.step_skipped', `${instance.name}: ${messageOf(error)}`, {
        instance: instance.name,
        operation: kind,
        step: step.action,
        code: error.code,
      });
    }
  }

  return { run };
}
