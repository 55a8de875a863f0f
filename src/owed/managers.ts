/** What all managers are told of the daemon's own work that fails for long. Pure. */
import type { PushOperation } from '../protocol/push.js';
import type { Sentence } from '../protocol/sentences.js';
import { toOdooTime } from '../protocol/time.js';

/** The engine has not answered since. */
export function engineAway(since: Date, reason: string): PushOperation {
  return message('engine', since, { code: 'engine_away', params: { since: toOdooTime(since), reason } });
}

/** A page of the full pass cannot be read since. */
export function fullPassFailing(since: Date, reason: string): PushOperation {
  return message('full-pass', since, { code: 'full_pass_failing', params: { since: toOdooTime(since), reason } });
}

/** The disk has little left. */
export function diskLow(since: Date, freePercent: number): PushOperation {
  return message('disk', since, { code: 'disk_low', params: { free_percent: freePercent } });
}

/** @param plans their names. */
export function templateFailing(plans: string[], since: Date, reason: string): PushOperation {
  const params = { plans, since: toOdooTime(since), reason };
  return message('template', since, { code: 'template_failing', params });
}

/** Once for each time that it began to fail. */
function message(kind: string, since: Date, sentence: Sentence): PushOperation {
  return { op: 'summary', key: `${kind}:${since.toISOString()}`, message: sentence };
}
