import { LABEL } from '../../instance/naming.js';
import { TerminalError } from '../../lib/errors.js';

/** Throws unless the object carries the labels: nothing that is not ours is ever touched. */
export function assertOurs(
  what: string,
  found: Record<string, string> | undefined,
  wanted: Record<string, string>,
): void {
  const isOurs = Object.entries(wanted).every(([key, value]) => found?.[key] === value);
  if (isOurs) return;
  const key = found?.[LABEL.key];
  const owner = key ? `the instance with the key ${key}, not to ${wanted[LABEL.key]}` : 'something else';
  throw new TerminalError(
    'docker.foreign',
    `${what} belongs to ${owner}`,
    `Rename or remove ${what}, or give the instance another name: the bridge does not touch what is another's.`,
  );
}
