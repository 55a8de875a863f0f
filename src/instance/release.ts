/** Which Odoo and which PostgreSQL an instance runs: pinned when it is made, changed on purpose only. Pure. */

export interface Release {
  odooImage: string;
  postgresImage: string;
  /** Names of the extra addons, sorted. */
  addons: string[];
}

/** The release that a plan is sold with; the settings say what it leaves out. */
export function releaseOf(plan: { release?: Partial<Release> | undefined }, settings: Release): Release {
  return { ...settings, ...plan.release };
}

export function isSameRelease(a: Release, b: Release): boolean {
  return (
    a.odooImage === b.odooImage && a.postgresImage === b.postgresImage && a.addons.join('\n') === b.addons.join('\n')
  );
}

/** A release that is wanted and is not the pinned one. */
export interface DueRelease {
  wanted: Release;
  /** Whether it is taken at a start that is due anyway. A major version never is: its data has to be changed. */
  atNextStart: boolean;
  /** One sentence for the admin. */
  reason: string;
}

/** Null where the pinned release is the wanted one. */
export function dueRelease(pinned: Release, wanted: Release): DueRelease | null {
  if (isSameRelease(pinned, wanted)) return null;
  const majors = [
    majorChange('PostgreSQL', pinned.postgresImage, wanted.postgresImage),
    majorChange('Odoo', pinned.odooImage, wanted.odooImage),
  ].filter((change) => change !== null);
  if (majors.length > 0) {
    const reason = `${majors.join(' and ')}: its data has to be upgraded first, so it keeps ${imagesOf(pinned)}.`;
    return { wanted, atNextStart: false, reason };
  }
  const reason = `It runs ${imagesOf(pinned)} and takes ${imagesOf(wanted)} at its next start.`;
  return { wanted, atNextStart: true, reason };
}

/** The release for containers that are about to be started all the same. */
export function releaseAtStart(pinned: Release, wanted: Release): Release {
  return dueRelease(pinned, wanted)?.atNextStart ? wanted : pinned;
}

/** Whether the one can open what the other has written: PostgreSQL of one major version. */
export function isSameDatabase(a: Release, b: Release): boolean {
  return majorChange('PostgreSQL', a.postgresImage, b.postgresImage) === null;
}

/**
 * The version in the tag of an image: `17` of `postgres:17-bookworm`, `19.0` of `odoo:19.0-20261101`. Null where the tag
 * has none: such an image is never taken for one that is compatible with another.
 */
export function versionOf(image: string): string | null {
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(image)?.[1] ?? '';
  return /^\d+(?:\.\d+)?/.exec(tag)?.[0] ?? null;
}

function majorChange(what: 'PostgreSQL' | 'Odoo', from: string, to: string): string | null {
  if (from === to) return null;
  const [before, after] = [from, to].map((image) => majorOf(what, versionOf(image)));
  if (before !== null && before === after) return null;
  return `${what} ${before ?? from} to ${after ?? to} is a major version`;
}

/** PostgreSQL's major is its first number (17.2 is 17); Odoo's is the series (19.0). */
function majorOf(what: 'PostgreSQL' | 'Odoo', version: string | null | undefined): string | null {
  if (version == null) return null;
  return what === 'PostgreSQL' ? (version.split('.')[0] ?? null) : version;
}

function imagesOf({ odooImage, postgresImage }: Release): string {
  return `${odooImage} and ${postgresImage}`;
}
