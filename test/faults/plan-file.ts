/** What passes between the fault run and the daemon that it breaks: which faults are armed, and which were met. */
import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { Kind, Point } from './cases.js';

/**
 * `refused`: the engine refuses it for good, for as long as it is armed. `full`: no space left, likewise. `no copy`: what is
 * in the volumes makes every dump fail.
 */
export type FaultKind = Kind | 'refused' | 'full' | 'no copy';

/** One that waits to be met. */
export interface Fault {
  id: string;
  kind: FaultKind;
  point: Point | { at: 'call'; system: 'engine' | 'master' | 'store'; after: number };
  /** The name and the key of the instance, where it is about one. The key is not known before the instance is made. */
  name?: string;
  key?: string;
  /** The write holds all of these. */
  includes?: string[];
}

export interface Plan {
  faults: Fault[];
  /** Those that are over. */
  released: string[];
}

const NOTHING: Plan = { faults: [], released: [] };

export function writePlan(file: string, plan: Plan): void {
  writeFileSync(`${file}.new`, JSON.stringify(plan));
  renameSync(`${file}.new`, file);
}

/** Reads it again whenever it was written. */
export function planReader(file: string): () => Plan {
  let seen = '';
  let plan = NOTHING;
  return () => {
    const { mtimeMs, ino } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0, ino: 0 };
    const now = `${ino}:${mtimeMs}`;
    if (now !== seen) {
      seen = now;
      plan = ino === 0 ? NOTHING : (JSON.parse(readFileSync(file, 'utf8')) as Plan);
    }
    return plan;
  };
}

/** On the disk before it happens: the process may be about to die. */
export function noteMet(file: string, id: string): void {
  appendFileSync(`${file}.met`, `${id}\n`);
}

/** How often each was met. */
export function metOf(file: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of readMet(file)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function readMet(file: string): string[] {
  try {
    return readFileSync(`${file}.met`, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
