/** Backups of an instance's data: what the core asks of whoever makes and reads them. */
import type { Secret } from '../lib/secret.js';
import type { KeepRule } from './keep-rule.js';
import type { InstanceSpec } from './spec.js';

/** Where the backups of one instance are, and how they are opened. */
export interface Repository {
  /** As restic takes it; a folder is below /repository. */
  address: Secret;
  password: Secret;
  /** What is mounted there: a volume of the engine, or a folder of its host; null for a target that is reached over the network. */
  mount: { volume: string } | { folder: string } | null;
  /** Files that the target needs beside it, by the names that targets.sh knows: `ca`, `s3`, `ssh_key`, `known_hosts`. */
  files: Record<string, Secret>;
}

/** For so long before the last one it is kept what an instance had before each restore. */
export const LEFT_DAYS = 90;

/** Why a backup was made. Those of `before` a restore are kept for LEFT_DAYS; all others go by the rule. */
export const BACKUP_TAGS = ['nightly', 'asked', 'rebuild', 'refusal', 'before'] as const;
export type BackupTag = (typeof BACKUP_TAGS)[number];

export interface BackupOptions {
  /** There were backups: a repository that is not there is lost, and MUST NOT be replaced by an empty one. */
  mustExist: boolean;
  tag: BackupTag;
  /** What is to go afterwards; null: nothing. */
  keep: (KeepRule & { prune: boolean }) | null;
}

export interface BackupMade {
  /** Id of the snapshot, hexadecimal. */
  snapshot: string;
  /** Database and files as they are, bytes. */
  bytes: number;
  /** What it added to the repository, bytes. */
  addedBytes: number;
  /** Why those whose time is over could not be removed; null where they are, or none was to go. */
  kept: string | null;
  /** Of all that there are now, the newest first; null where that is not known. */
  moments: Date[] | null;
}

export interface Snapshot {
  /** Hexadecimal. */
  id: string;
  at: Date;
}

/**
 * Every method may be repeated at will, has a deadline, and throws a RetryableError `backup.*` that says whether the
 * target, the instance or the engine's disk is why. One at a time for one repository.
 */
export interface Backups {
  /** A backup of an instance whose database runs, while its customer works on. */
  make(spec: InstanceSpec, repository: Repository, options: BackupOptions): Promise<BackupMade>;
  /**
   * Looks whether the repository is whole, a twelfth of it byte by byte, and restores a snapshot on trial: every file is what
   * its name says, every attachment has its file, every table the rows that it had at the backup, and an Odoo that opens it
   * logs in. Throws `backup.not_whole`, `backup.damaged` where it is not so.
   */
  prove(spec: InstanceSpec, repository: Repository, snapshot: string): Promise<void>;
  /** All that there are, the newest last. */
  list(spec: InstanceSpec, repository: Repository): Promise<Snapshot[]>;
  /**
   * Restores a snapshot into the volumes of the spec's generation, which nothing may use, and proves that files and rows are
   * whole. What they hold before is removed. The passwords are those of the daemon's key.
   */
  restore(spec: InstanceSpec, repository: Repository, snapshot: string): Promise<void>;
  /** Throws where the target does not answer or refuses the login. */
  probe(repository: Repository): Promise<void>;
  /** Removes all of them, for good. That there are none is as good. */
  remove(repository: Repository): Promise<void>;
  /** Removes what trials of a daemon that died have left. */
  removeLeft(): Promise<void>;
}
