/** The target of all backups, as the settings name it, in restic's own words. */

export type Target =
  /** A volume of the engine. */
  | { kind: 'volume'; volume: string }
  /** A folder of the engine's host. */
  | { kind: 'folder'; folder: string }
  | { kind: 'sftp' | 'rest' | 's3'; address: string };

const VOLUME = /^volume:([a-zA-Z0-9][a-zA-Z0-9_.-]{1,100})$/;
const FOLDER = /^(?:local:)?(\/[^\0\n]*)$/;
/** `sftp:user@host:/folder`, or `sftp://user@host:port//folder`. */
const SFTP = /^sftp:(?:[^\s:@/]+@[^\s:/]+:\S+|\/\/[^\s:@/]+@[^\s/]+\/\S+)$/;
const REST = /^rest:https?:\/\/[^\s@]+$/;
const S3 = /^s3:(?:https?:\/\/)?[^\s@]+\/[^\s@]+$/;

/** Null for what is none. A login is never part of it. */
export function parseTarget(text: string): Target | null {
  const [, volume] = VOLUME.exec(text) ?? [];
  if (volume !== undefined) return { kind: 'volume', volume };
  const [, folder] = FOLDER.exec(text) ?? [];
  if (folder !== undefined && !folder.split('/').includes('..')) return { kind: 'folder', folder };
  const address = text.replace(/\/+$/, '');
  if (SFTP.test(address)) return { kind: 'sftp', address };
  if (REST.test(address)) return { kind: 'rest', address };
  if (S3.test(address)) return { kind: 's3', address };
  return null;
}

/** For people: never with a login. */
export function targetName(target: Target): string {
  switch (target.kind) {
    case 'volume':
      return `volume ${target.volume}`;
    case 'folder':
      return target.folder;
    default:
      return target.address;
  }
}
