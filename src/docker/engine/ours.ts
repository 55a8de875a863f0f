import { TerminalError } from '../../lib/errors.js';

/** Throws unless the object carries the labels: nothing that is not ours is ever touched. */
export function assertOurs(
  what: string,
  found: Record<string, string> | undefined,
  wanted: Record<string, string>,
): void {
  const foreign = Object.entries(wanted).find(([key, value]) => found?.[key] !== value);
  if (!foreign) return;
  throw new TerminalError(
    'docker.foreign',
    `${what} exists but its label ${foreign[0]} is not ${foreign[1]}`,
    `Rename or remove ${what}: the bridge does not touch what it has not made.`,
  );
}
