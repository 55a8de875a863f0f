/**
 * What each kind of task may use, and as whom it runs: one row a kind. What a customer's volumes hold is hostile, so that
 * nothing which opens them is without an end.
 */
import { availableParallelism } from 'node:os';

export interface Bounds {
  /** Its user, by the name in the image. */
  user: 'root' | 'postgres' | 'odoo';
  /** The capabilities that it keeps. */
  capabilities: readonly string[];
  /** Whether it may be joined to a network; nothing is reached without. */
  network: boolean;
  /** Whether it may write to its own root, beside /tmp and /dev/shm. */
  writableRoot: boolean;
  memoryMb: number;
  cpus: number;
  /** Processes and threads at a time. */
  processes: number;
  /** From its start to its end. */
  seconds: number;
  /** It may take longer than a stop of the daemon: it is ended then, and begun again by the next one. */
  isLong: boolean;
}

/** What it may write on its standard streams in all; what is streamed is counted by who reads it. */
export const MOST_OUTPUT_BYTES = 4 * 1024 ** 2;

const NOTHING = { capabilities: [], network: false, writableRoot: false, isLong: false } as const;
/** To read and write files of any owner, and to become another user. */
const AS_ROOT = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID'];
/** The engine refuses more processors than it has. */
const FAST = Math.min(2, availableParallelism());
const HOUR = 3600;

export const BOUNDS = {
  /** Fills an instance's volumes while somebody waits for it. */
  seed: {
    ...NOTHING,
    ...{ user: 'root', capabilities: AS_ROOT, memoryMb: 512, cpus: FAST, processes: 100, seconds: 300 },
  },
  /** Single-user mode on the database volume. */
  close: { ...NOTHING, ...{ user: 'postgres', memoryMb: 256, cpus: 1, processes: 20, seconds: 600 } },
  limits: { ...NOTHING, ...{ user: 'root', memoryMb: 64, cpus: 0.5, processes: 20, seconds: 60 } },
  /** A few statements in a database that runs. */
  settings: { ...NOTHING, ...{ user: 'postgres', network: true, memoryMb: 64, cpus: 0.5, processes: 20, seconds: 90 } },
  /** Tries addresses that must not answer. */
  probe: { ...NOTHING, ...{ user: 'postgres', network: true, memoryMb: 64, cpus: 0.5, processes: 50, seconds: 30 } },
  /** A server for one statement, which may have to recover first. */
  secrets: { ...NOTHING, ...{ user: 'postgres', memoryMb: 256, cpus: 1, processes: 20, seconds: 600, isLong: true } },
  measure: {
    ...NOTHING,
    ...{ user: 'root', capabilities: ['DAC_READ_SEARCH'], network: true },
    ...{ memoryMb: 256, cpus: 0.5, processes: 20, seconds: 180, isLong: true },
  },
  /** A server on the database volume, and what it holds as text: a row is in memory several times. */
  dump: {
    ...NOTHING,
    ...{ user: 'postgres', memoryMb: 1024, cpus: 1, processes: 50, seconds: 6 * HOUR, isLong: true },
  },
  /** Makes the final copy of a dump and of the files. */
  pack: { ...NOTHING, ...{ user: 'odoo', memoryMb: 1024, cpus: 1, processes: 20, seconds: 6 * HOUR, isLong: true } },
  /** Reads the volumes as they lie on the disk. */
  rawCopy: {
    ...NOTHING,
    ...{ user: 'root', capabilities: ['DAC_READ_SEARCH'] },
    ...{ memoryMb: 256, cpus: 1, processes: 20, seconds: 6 * HOUR, isLong: true },
  },
  /** Dump and filestore into the repository of backups, beside a customer who works. */
  backup: {
    ...NOTHING,
    ...{ user: 'root', capabilities: ['DAC_READ_SEARCH'], network: true },
    ...{ memoryMb: 256, cpus: 1, processes: 50, seconds: 6 * HOUR, isLong: true },
  },
  /** Asks the target of the backups something. */
  target: { ...NOTHING, ...{ user: 'root', network: true, memoryMb: 256, cpus: 1, processes: 50, seconds: 90 } },
  /** Looks whether a repository is whole. */
  check: {
    ...NOTHING,
    ...{ user: 'root', network: true, memoryMb: 256, cpus: 1, processes: 50, seconds: 6 * HOUR, isLong: true },
  },
  /** Removes all backups of an instance that was deleted. */
  removeBackups: {
    ...NOTHING,
    ...{ user: 'root', network: true, memoryMb: 256, cpus: 1, processes: 50, seconds: 6 * HOUR, isLong: true },
  },
  tidy: {
    ...NOTHING,
    ...{ user: 'root', capabilities: AS_ROOT, memoryMb: 64, cpus: 0.5, processes: 20, seconds: 600 },
  },
  /** A backup into empty volumes. */
  fetch: {
    ...NOTHING,
    ...{ user: 'root', capabilities: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'], network: true },
    ...{ memoryMb: 256, cpus: 1, processes: 50, seconds: 6 * HOUR, isLong: true },
  },
  /** A restored dump into a new cluster. */
  load: { ...NOTHING, ...{ user: 'postgres', memoryMb: 512, cpus: 1, processes: 50, seconds: 6 * HOUR, isLong: true } },
  /** The server of a trial, and the Odoo that shares its loopback. */
  serve: { ...NOTHING, ...{ user: 'postgres', memoryMb: 512, cpus: 1, processes: 50, seconds: HOUR, isLong: true } },
  prove: {
    ...NOTHING,
    ...{ user: 'odoo', network: true, memoryMb: 1024, cpus: 1, processes: 50, seconds: HOUR / 2, isLong: true },
  },
  /** The template's server and its one installation; nothing in them is a customer's. */
  install: {
    ...NOTHING,
    ...{ user: 'odoo', network: true, writableRoot: true, memoryMb: 3072, cpus: FAST, processes: 200, seconds: HOUR },
  },
  compact: {
    ...NOTHING,
    ...{ user: 'root', capabilities: AS_ROOT, memoryMb: 1024, cpus: FAST, processes: 50, seconds: 300 },
  },
} satisfies Record<string, Bounds>;

/** Times the plan's storage: a dump is text, and what is over the plan has some days of grace. */
const COPY_FACTOR = 4;
const UNLIMITED_GB = 1024;
const GB = 1024 ** 3;

/** How much a copy of an instance may read, and how much it may be, bytes. 0 GB is a plan without a limit. */
export function copyLimitBytes(storageGb: number): number {
  return Math.round(COPY_FACTOR * (storageGb || UNLIMITED_GB) + 1) * GB;
}
