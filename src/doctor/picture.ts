/** What the doctor looks at: each part as it was read, null where it could not be. */
import type { Owner } from '../instance/ownership.js';
import type { Phase } from '../instance/phase.js';
import type { StepName } from '../instance/steps.js';
import type { Hold, Instance, ObservedInstance } from '../instance/types.js';

export interface MasterSeen {
  generation: number;
  database: string;
  records: SeenRecord[];
  purchases: SeenPurchase[];
}

export interface SeenRecord {
  key: string;
  name: string;
  phase: Phase;
  hold: Hold;
  paidUntil: Date | null;
  /** It is to be provisioned; a draft of a person is not. */
  requested: boolean;
}

export interface SeenPurchase {
  key: string;
  document: string;
  state: string;
  /** Something of it counts. */
  counts: boolean;
}

export interface EngineSeen {
  instances: ObservedInstance[];
  /** Names of the volumes of each instance, by its key. */
  volumes: Map<string, string[]>;
  /** What has the name of something of an instance of ours, and is not its. */
  foreign: { name: string; instance: string }[];
  /** Names of the one-shot containers on instances. */
  tasks: string[];
  marker: Owner | null;
}

export interface DiskSeen {
  /** The id of the data folder; null in one that has none. */
  ownerId: string | null;
  /** Names of the folders in `instances/`. */
  folders: string[];
  /** Files of the folder of final copies. */
  copies: SeenCopy[];
}

export interface SeenCopy {
  file: string;
  /** `copy`: whole. `draft`: unfinished. `promise`: says until when a copy is kept, and the copy is not there. */
  kind: 'copy' | 'draft' | 'promise';
  /** Until when it is kept; null where nothing says so. */
  until: Date | null;
}

export interface StoreSeen {
  instances: SeenInstance[];
  /** Those that are not deleted, and names that are. */
  jobs: { key: string }[];
  /** Commands that wait, of which instance. */
  commands: { id: number; command: string; instanceKey: string }[];
  purchases: { key: string; document: string; instanceKey: string | null; counts: boolean }[];
  /** Writes that were refused or fail, and instances that gave up. */
  letters: { id: string; what: string; instance: string | null; reason: string }[];
  backlog: { count: number; oldestAgeMs: number };
  /** What it knows of the master; null before they met. */
  bond: { database: string | null; generation: number | null; answered: number };
}

export interface SeenInstance extends Pick<Instance, 'key' | 'name' | 'phase' | 'hold' | 'startedAt' | 'placement'> {
  paidUntil: Date | null;
  /** The steps that the daemon would take now. */
  steps: StepName[];
  /** Why nothing can be decided for it; null where something can. */
  problem: string | null;
  /** It has a job, and one that is due, or in the hands of a worker, or that failed. */
  hasJob: boolean;
  isInHand: boolean;
  /** A write about it waits for the master. */
  isOwed: boolean;
}

export interface Picture {
  now: Date;
  /** A daemon works on the data folder. */
  isRunning: boolean;
  master: MasterSeen | null;
  engine: EngineSeen | null;
  disk: DiskSeen;
  store: StoreSeen | null;
  /** What could not be read, and why. */
  unread: { part: 'master' | 'engine' | 'store'; reason: string }[];
}
