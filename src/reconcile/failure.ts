/** A run that failed: on the record for staff, and a to-do where it lasts or needs a person. */

import type { Instance } from '../instance/types.js';
import { isWorthTelling } from '../lib/backoff.js';
import type { Clock } from '../lib/clock.js';
import { BridgeError, messageOf } from '../lib/errors.js';
import { failureOperation, logOperation } from '../owed/operations.js';
import { lastingFailure } from '../owed/todos.js';
import type { Store } from '../store/store.js';
import { HOUR_MS } from '../subscription/calendar.js';
import { paidPeriodsOf } from '../subscription/parts.js';
import type { Purchase } from '../subscription/types.js';

/** Who has paid and was never served waits so long until a person knows, and everything else so long. */
export const UNSERVED_MS = 15 * 60_000;
export const LASTING_MS = HOUR_MS;
/** These are known by other ways: the engine or the master does not answer at all. */
const OUTAGES = ['docker.unreachable', 'docker.timeout', 'poll.not_afresh'];

export interface FailureParts {
  store: Store;
  clock: Clock;
}

/** One of the failures in a row. */
export interface Failed {
  instanceKey: string;
  /** Failures before this one. */
  attempts: number;
  /** When the first of them was; null: this is the first. */
  failingSince: Date | null;
}

export type Failure = ReturnType<typeof createFailure>;

export function createFailure({ store, clock }: FailureParts) {
  /** The kinds of failure of the present row that are on the record, by instance. */
  const known = new Map<string, Set<string>>();

  /**
   * The phase is `error` where a person must act; an instance that is only waiting for its next try keeps its phase. The
   * record is told of each kind once, and then ever more seldom.
   */
  function fail({ instanceKey: key, attempts, failingSince }: Failed, error: unknown): void {
    const before = store.instances.get(key);
    if (!before) return;
    const terminal = error instanceof BridgeError && !error.retryable;
    const since = failingSince ?? clock();
    if (attempts === 0) known.delete(key);
    const isNew = isNews(key, error) || isWorthTelling(attempts + 1);
    store.transaction(() => {
      if (isNew || (terminal && before.phase !== 'error')) report(before, messageOf(error), terminal);
      tellStaff(before, since, error, terminal);
    });
  }

  function isNews(key: string, error: unknown): boolean {
    const kind = error instanceof BridgeError ? error.code : String(error);
    const kinds = known.get(key) ?? new Set();
    known.set(key, kinds);
    return !kinds.has(kind) && kinds.add(kind) !== null;
  }

  function report(before: Instance, message: string, terminal: boolean): void {
    if (before.errorMessage === message && (!terminal || before.phase === 'error')) return;
    const { key, name, customer, planId, orderId, phase } = store.instances.update(before.key, {
      errorMessage: message,
      ...(terminal ? { phase: 'error' as const } : {}),
    });
    const values = {
      ...{ name, customer_id: customer.id, contact_id: customer.contactId, plan_id: planId, order_id: orderId },
      ...{ state: phase, error_message: message },
    };
    store.outbox.put({ op: 'instance', key: `instance:${key}`, instance_key: key, values }, key);
    store.outbox.put(logOperation(key, clock(), [`error: ${message}`]), key);
  }

  /** Once for each row of failures. */
  function tellStaff(instance: Instance, since: Date, error: unknown, terminal: boolean): void {
    const { key } = instance;
    const purchases = store.purchases.byInstance(key);
    if (!terminal && !lasts(instance, purchases, since, error)) return;
    if (!store.events.record(`failing:${key}:${since.getTime()}:${terminal}`, 'failing')) return;
    const [purchase] = purchases;
    const reason = messageOf(error);
    if (!terminal) store.outbox.put(lastingFailure(instance, purchase ?? null, since, reason), key);
    else if (purchase) store.outbox.put(failureOperation(instance, purchase.key, since, reason), key);
  }

  function lasts({ startedAt }: Instance, purchases: Purchase[], since: Date, error: unknown): boolean {
    const ms = clock().getTime() - since.getTime();
    const isUnserved = startedAt === null && purchases.some((purchase) => paidPeriodsOf(purchase) > 0);
    if (isUnserved) return ms >= UNSERVED_MS;
    return ms >= LASTING_MS && !(error instanceof BridgeError && OUTAGES.includes(error.code));
  }

  return { fail };
}
