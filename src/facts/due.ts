/** What an instance would be made from today and is not: an upgrade that is due. Pure. */
import { dueRelease, type Release, releaseOf } from '../instance/release.js';
import type { Facts } from './facts.js';

export interface Due {
  /** Taken at a start that is due anyway; else only by an operation that somebody asks for. */
  atNextStart: boolean;
  /** One sentence for the admin. */
  reason: string;
}

/**
 * Null where nothing is due, or nothing was made yet.
 * @param settings what a plan runs that says nothing else.
 * @param revision of the runtime now.
 */
export function dueOf(
  { instance, plan }: Pick<Facts, 'instance' | 'plan'>,
  settings: Release,
  revision: string,
): Due | null {
  if (instance.release === null) return null;
  const release = dueRelease(instance.release, releaseOf(plan, settings));
  if (release) return release;
  if (instance.revision === null || instance.revision === revision) return null;
  return {
    atNextStart: true,
    reason:
      'Its containers were made by another version of this program or with other settings; its next start makes them anew.',
  };
}
