/** Puts the mails that a run owes into the outbox, each once. */
import type { Instance, InstanceChanges } from '../instance/types.js';
import { day, owedNotices, type Run } from '../owed/notices.js';
import { noticeOperation } from '../owed/operations.js';
import { unwarnedTodo } from '../owed/todos.js';
import type { Notice, NoticeDetails } from '../protocol/push.js';
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

/** What the customer knows by a mail: dates that are kept, whatever the settings say later. */
function toldBy(notice: Notice, { deleteOn, graceUntil }: NoticeDetails, now: Date): InstanceChanges {
  if (notice === 'storage_over' && graceUntil) return { toldStorageAt: new Date(graceUntil) };
  const isDated = (notice === 'suspended' || notice === 'deletion_warning') && deleteOn !== null;
  return {
    ...(isDated ? { toldDeleteAt: new Date(deleteOn) } : {}),
    ...(notice === 'deletion_warning' ? { warnedAt: now } : {}),
  };
}

/** @returns what owes the mails of one run, inside its commit, and returns whether one of them waits. */
export function noticeOwer({ store, policy, mayAct }: NoticeParts) {
  /** The mail; null where it was sent before. A deletion that must be announced anew is: on each day at most once. */
  function news(after: Instance, notice: Notice, period: string, details: NoticeDetails, now: Date) {
    const first = noticeOperation(after, notice, period, details);
    if (!store.events.has(first.key)) return first;
    if (notice !== 'deletion_warning' || after.warnedAt !== null) return null;
    const again = noticeOperation(after, notice, `${period}:${day(now)}`, details);
    return store.events.has(again.key) ? null : again;
  }

  return function oweNotices(run: Run, now: Date): boolean {
    const { after } = run;
    let waits = false;
    for (const { notice, period, details } of owedNotices(run, policy, now)) {
      const operation = news(after, notice, period, details, now);
      if (operation === null) continue;
      if (OF_THE_CALENDAR.has(notice) && !mayAct(after.key)) {
        waits = true;
        continue;
      }
      store.events.record(operation.key, notice);
      store.instances.update(after.key, toldBy(notice, details, now));
      const { deletion } = run.facts.decision;
      if (after.customer.email !== '') store.outbox.put(operation, after.key);
      else if (notice === 'deletion_warning' && deletion) {
        store.outbox.put(unwarnedTodo(after, operation.key, deletion.at, policy.timeZone), after.key);
      }
    }
    return waits;
  };
}
