/** What is wrong with rows of the master, told once: to the admin's log, and to the salesperson of a purchase. */
import { errorFields, type Log } from '../lib/logger.js';
import type { Rejected } from '../odoo/rows.js';
import { purchaseTodo } from '../owed/operations.js';
import type { Sentence } from '../protocol/sentences.js';
import type { Store } from '../store/store.js';

export type Problems = ReturnType<typeof createProblems>;

export function createProblems(store: Store, log: Log) {
  /** Problems already told; one that a full pass does not meet is over. The addon tells each only once anyhow. */
  let told = new Set<string>();
  /** Those met since the last full pass ended. */
  let met = new Set<string>();

  /** Whether it is news. */
  function isNew(problem: string): boolean {
    met.add(problem);
    if (told.has(problem)) return false;
    told.add(problem);
    return true;
  }

  /** @param line the sentence for the admin's log. */
  function tell(purchaseKey: string, kind: string, message: Sentence, line: string): void {
    if (!isNew(`${purchaseKey}:${kind}`)) return;
    log.warn('purchase.problem', line, { purchase: purchaseKey, problem: kind });
    // In a lane of its own: one that the master cannot take holds up no other.
    store.outbox.put(purchaseTodo(purchaseKey, kind, message), purchaseKey);
  }

  return {
    /** The product it is of is no complete plan. */
    noPlan(key: string, document: string): void {
      const line = `${document}: the product is no complete SaaS plan. The purchase goes on when it is completed.`;
      tell(key, 'plan', { code: 'plan_incomplete', params: { document } }, line);
    },

    /** It may be for any of these instances. */
    ambiguous(key: string, document: string, candidates: string[]): void {
      const instances = candidates.map((candidate) => store.instances.get(candidate)?.name ?? candidate);
      const line = `${document} may be for any of ${instances.join(', ')}. Staff set on its line which one it is for.`;
      tell(key, 'ambiguous', { code: 'instance_ambiguous', params: { document, instances } }, line);
    },

    unknownInstance(key: string, document: string, instance: string): void {
      const line = `${document}: the instance on the line (${instance}) does not exist or was not asked for yet.`;
      tell(key, 'unknown-instance', { code: 'instance_unknown', params: { document, instance } }, line);
    },

    trialUsed(key: string, document: string): void {
      const line = `${document} is a free trial of a customer who has or had an instance. Nothing was made.`;
      tell(key, 'trial-used', { code: 'trial_used', params: { document } }, line);
    },

    /** Somebody paid for an instance that is gone. */
    deletedInstance(key: string, document: string, instance: string): void {
      const line = `${document} pays for ${instance}, which was deleted.`;
      tell(key, 'deleted-instance', { code: 'instance_deleted', params: { document, instance } }, line);
    },

    /** A row that makes no sense. */
    rejected({ kind, key, id, problem }: Rejected): void {
      if (kind === 'purchase' && key) {
        const line = `${problem}. Nothing was provisioned for it.`;
        tell(key, 'rejected', { code: 'purchase_rejected', params: { reason: problem } }, line);
        return;
      }
      if (!isNew(`${kind}:${id ?? key}:${problem}`)) return;
      log.warn('poll.row_rejected', `The master sent a ${kind} that cannot be used: ${problem}`, {
        kind,
        id: id ?? key,
        advice: 'Correct it in the master; it is read again when it changes.',
      });
    },

    /** A row that makes sense and cannot be taken in all the same. */
    notTaken(kind: Rejected['kind'], key: string, error: unknown): void {
      if (!isNew(`${kind}:${key}:not-taken`)) return;
      log.error('poll.row_failed', `A ${kind} of the master cannot be taken in; the others are.`, {
        ...errorFields(error),
        key,
        advice: 'It is tried again with each full pass. Please report it.',
      });
    },

    /** A full pass has met all that there are: the others are over, and news when they come back. */
    passEnded(): void {
      told = met;
      met = new Set();
    },

    /** What was to be told was rolled back with the rest. */
    rolledBack(): void {
      told.clear();
    },
  };
}
