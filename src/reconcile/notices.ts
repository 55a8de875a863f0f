/** Puts the mails that a run owes into the outbox, each once. */
import { owedNotices, type Run } from '../owed/notices.js';
import { noticeOperation } from '../owed/operations.js';
import { unwarnedAlert } from '../owed/todos.js';
import type { Notice } from '../protocol/push.js';
import type { Store } from '../store/store.js';
import type { Policy } from '../subscription/types.js';

export interface NoticeParts {
  store: Store;
  policy: Policy;
  /** Whether the calendar may act against the customer now; where not, the instance is run again as soon as it may. */
  mayAct(instanceKey: string): boolean;
}

/** The mails that the calendar asks for; all others tell what has happened. */
const OF_THE_CALENDAR: ReadonlySet<Notice> = new Set(['reminder', 'deletion_warning']);

/** @returns what owes the mails of one run, inside its commit, and returns whether one of them waits. */
export function noticeOwer({ store, policy, mayAct }: NoticeParts) {
  return function oweNotices(run: Run, now: Date): boolean {
    const { after } = run;
    let waits = false;
    for (const { notice, period, details } of owedNotices(run, policy, now)) {
      const operation = noticeOperation(after, notice, period, details);
      if (store.events.has(operation.key)) continue;
      if (OF_THE_CALENDAR.has(notice) && !mayAct(after.key)) {
        waits = true;
        continue;
      }
      store.events.record(operation.key, notice);
      if (notice === 'deletion_warning') store.instances.update(after.key, { warnedAt: now });
      const { deletion } = run.facts.decision;
      if (after.customer.email !== '') store.outbox.put(operation, after.key);
      else if (notice === 'deletion_warning' && deletion) {
        store.outbox.put(unwarnedAlert(after, operation.key, deletion.at, policy.timeZone), after.key);
      }
    }
    return waits;
  };
}
