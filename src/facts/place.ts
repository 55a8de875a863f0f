/** What an instance is made from now: its place, and the release that this run gives it. Pure. */
import { isSameDatabase, type Release, releaseAtStart, releaseOf } from '../instance/release.js';
import type { Step } from '../instance/steps.js';
import type { Observed, ObservedContainer, SpecHashes } from '../instance/types.js';
import type { Facts } from './facts.js';

type Known = Pick<Facts, 'instance' | 'plan' | 'desired' | 'sleep'>;

/**
 * The release of this run: the pinned one. Where both containers are started all the same, a newer one that changes no
 * major version.
 * @param settings what a plan runs that says nothing else.
 */
export function releaseFor({ instance, plan, desired, sleep }: Known, observed: Observed, settings: Release): Release {
  const wanted = releaseOf(plan, settings);
  const pinned = instance.release ?? releaseOn(observed, wanted);
  const { db, odoo } = observed;
  const isNew = instance.startedAt === null && db === null && odoo === null;
  // Nothing of it was ever used: an image that turned out to be wrong binds nobody.
  if (isNew && (!observed.volumes || isSameDatabase(pinned, wanted))) return wanted;
  const starts = desired.state === 'running' && !sleep.isAsleep && !db?.running && !odoo?.running;
  return starts ? releaseAtStart(pinned, wanted) : pinned;
}

/** What its containers were made from: the store may have been lost. */
function releaseOn({ db, odoo }: Observed, otherwise: Release): Release {
  return {
    ...otherwise,
    odooImage: nameOf(odoo) ?? otherwise.odooImage,
    postgresImage: nameOf(db) ?? otherwise.postgresImage,
  };
}

/** Null where its name has gone to another image since. */
function nameOf(container: ObservedContainer | null): string | null {
  return container && !container.image.startsWith('sha256:') ? container.image : null;
}

/** Whether both containers are what would be made now, once the steps are done. */
export function isUpToDate(before: Observed, steps: readonly Step[], now: SpecHashes): boolean {
  const done = new Set(steps.map(({ action }) => action));
  const isMade = (role: 'db' | 'odoo', start: 'startDb' | 'startOdoo') =>
    done.has('removeContainers') || done.has('startBoth') || done.has(start) || before[role]?.specHash === now[role];
  return isMade('db', 'startDb') && isMade('odoo', 'startOdoo');
}
