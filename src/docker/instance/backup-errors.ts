/** What the codes of the scripts that work on backups mean. */
import { RetryableError } from '../../lib/errors.js';

export const ANY_CODE: readonly number[] = Array.from({ length: 256 }, (_value, code) => code);

const ADVICE = {
  unreachable: 'See that the target of the backups answers, and the network between.',
  target: 'Correct SAAS_BACKUP_TARGET and its credentials, then run saas-bridge check.',
} as const;

/** @param output what the script wrote: its end tells why. */
export function backupError(code: number, output: string): RetryableError {
  const why = tailOf(output) || `code ${code}`;
  switch (code) {
    case 10:
      return new RetryableError(
        'backup.missing',
        `there were backups, and their repository is not there: ${why}`,
        'See that the target is mounted and the right one; "Back up now" on the record begins a new repository.',
      );
    case 11:
      return new RetryableError(
        'backup.locked',
        `another program has locked the repository: ${why}`,
        'Let nothing but the daemon write to the repository.',
      );
    case 12:
      return new RetryableError(
        'backup.password',
        `the repository was made with another key: ${why}`,
        'Put the secret.key back that it was made with, or use another target.',
      );
    case 66:
      return new RetryableError(
        'backup.no_data',
        `there is nothing to back up: ${why}`,
        'Press Restore on its record.',
      );
    case 67:
      return new RetryableError(
        'backup.too_large',
        `it is more than four times the storage of the plan: ${why}`,
        'See what the instance has stored, or give it a larger plan.',
      );
    case 68:
      return new RetryableError(
        'backup.database',
        `the database cannot be read: ${why}`,
        "Look at the log of the instance's database; it is tried again.",
      );
    case 69:
      return new RetryableError('backup.no_space', why, 'Free disk space on the Docker host.');
    case 70:
      return new RetryableError('backup.unreachable', `the target cannot be reached: ${why}`, ADVICE.unreachable);
    case 71:
      return new RetryableError('backup.refused', `the target refuses: ${why}`, ADVICE.target);
    case 72:
      return new RetryableError(
        'backup.full',
        `the target is full: ${why}`,
        'Give the target more room, or keep fewer backups.',
      );
    case 73:
      return new RetryableError(
        'backup.damaged',
        `the repository is damaged: ${why}`,
        'Look at its disk at once; restic check tells more. Keep what is there, and begin a new target.',
      );
    case 74:
      return notWhole(code, output);
    default:
      return new RetryableError('backup.failed', `the backup failed: ${why} (code ${code})`, 'See the message.');
  }
}

/** What the scripts of a trial say of what was restored. */
export function notWhole(code: number, output: string): RetryableError {
  const why = tailOf(output) || `code ${code}`;
  // Not by the script: the task was ended, or has no room.
  if (![66, 74, 75, 76, 77, 78, 79].includes(code)) {
    return new RetryableError('backup.failed', `the trial failed: ${why} (code ${code})`, 'See the message.');
  }
  const advice = 'Make another backup with "Back up now", and see to the disk of the target.';
  return new RetryableError('backup.not_whole', `what was restored is not whole: ${why}`, advice);
}

export function unreadableReport(output: string): never {
  throw new RetryableError('backup.failed', `the backup says nothing: ${tailOf(output)}`, 'See the message.');
}

/** For a message: the end, without what a terminal or a log would take for more than text. */
function tailOf(output: string): string {
  return output
    .slice(-400)
    .replace(/[^\x20-\x7e\u00a1-\u024f]+/g, ' ')
    .trim();
}
