/** An operation: an act with an end, as a state machine whose progress the store keeps. Pure. */
import type { Step } from '../steps.js';
import type { Desired, Hold, Observed } from '../types.js';

/** What a machine may look at. */
export interface Situation {
  observed: Observed;
  /** The steps that are missing to what must be, without the operation. */
  missing: Step[];
}

/** Steps to do now, and the progress once all of them are done; or the end. */
export type Next<Progress> = { steps: Step[]; progress: Progress } | 'done';

/**
 * `next` MUST give a destructive step in one progress only, and a progress that follows it MUST never lead back there:
 * a try that was cut off is continued with the progress it had.
 */
export interface Machine<Progress extends string> {
  readonly begin: Progress;
  /** The desired state in which it makes sense; in another one it is dropped. */
  readonly needs: Desired['state'];
  /** Kept when it is done, so that it is not done again: until the instance is in another state. */
  readonly remembered: boolean;
  next(progress: Progress, situation: Situation): Next<Progress>;
  /** The progress that it goes on with when its steps have failed so many times in a row, with one of the codes. */
  readonly otherwise?: { readonly after: number; readonly codes: readonly string[]; readonly progress: Progress };
  /** A progress that a person may choose instead of the first one. */
  readonly chosen?: Progress;
  /** A failure of one of its steps (by its code) that does not stop it. */
  tolerates?(code: string, hold: Hold): boolean;
}

/** What is missing, and then the login page. */
export function untilReady(missing: Step[]): Step[] {
  return [...missing.filter(({ action }) => action !== 'awaitReady'), { action: 'awaitReady', login: false }];
}
