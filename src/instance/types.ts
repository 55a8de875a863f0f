/** The shared vocabulary: what a customer bought, what must run, what does run. Data only, no behaviour. */
import type { Egress } from './egress.js';
import type { KeepRule } from './keep-rule.js';
import type { Phase } from './phase.js';
import type { Placement } from './placement.js';
import type { Release } from './release.js';
import type { SleepRule } from './sleep.js';

/** A product sold as SaaS, as the daemon uses it. */
export interface Plan {
  id: number;
  code: string;
  /** As staff call it. */
  name: string;
  /** As customers call it, by Odoo's code of their language; of those the master has. */
  names?: Record<string, string>;
  cpu: number;
  memoryMb: number;
  storageGb: number;
  maxUsers: number;
  /** Technical names of Odoo modules, sorted, without duplicates. */
  modules: string[];
  graceDays: number;
  retentionDays: number;
  /** Free, and once for each customer. */
  trial: boolean;
  /** False for one that is sold no more. */
  active?: boolean;
  /** It is stopped until somebody visits it; absent: never. */
  sleep?: SleepRule;
  /** How many names of their own its instances may have; absent: none. */
  domains?: number;
  /** What its instances may reach; absent: `web`. */
  egress?: Egress;
  /** How many backups are kept; absent: the usual number. */
  keep?: KeepRule;
  /** What it is to run where that is not what the settings say. */
  release?: Partial<Release>;
}

export interface Customer {
  /** Commercial partner: one company is one customer. */
  id: number;
  /** When its record was made, ISO text; absent where that is not known. */
  createdOn?: string;
  name: string;
  contactId: number;
  contactName: string;
  /** Empty where the master has none. */
  email: string;
  /** Odoo language code, e.g. `es_ES`. */
  lang: string;
}

/** The company that sells an instance. */
export interface Seller {
  id: number;
  /** It signs the mails. */
  name: string;
  /** Address of the shop it was sold in; null while the master has none. */
  shopUrl: string | null;
}

/** What staff decided: `stopped` keeps it stopped though paid, until resumed; `deleted` is for good. */
export const HOLDS = ['none', 'stopped', 'suspended', 'deleted'] as const;
export type Hold = (typeof HOLDS)[number];

/** What an instance used when it was last measured. */
export interface Usage {
  /** Active internal users. */
  users: number;
  databaseBytes: number;
  filestoreBytes: number;
  /** Technical names of the installed modules, sorted. */
  modules: string[];
  /** When its administrator logged in last, ISO text; absent when never. */
  loggedInAt?: string;
}

/** One customer's Odoo, as the store keeps it. */
export interface Instance {
  /** The purchase it was born from (`sol:7`), or `rec:3` for a record that staff made. */
  key: string;
  /** Unique, DNS-safe: the name of containers, network, volumes and folder. */
  name: string;
  /** Where it runs; null until it is given a place, and after its deletion. */
  placement: Placement | null;
  customer: Customer;
  /** Null until the master has told. */
  seller: Seller | null;
  planId: number;
  /** The document that started it, for people: S00042. */
  document: string;
  orderId: number | null;
  hold: Hold;
  phase: Phase;
  createdAt: Date;
  /** When what it was born from was made in the master, at the latest: a newer purchase of its key is another one. */
  bornAt: Date | null;
  /** First time it was ready: the start date of the subscription. */
  startedAt: Date | null;
  suspendedAt: Date | null;
  usage: Usage | null;
  measuredAt: Date | null;
  /** Since when it has used more storage than its plan has. */
  storageOverSince: Date | null;
  /** Since when it could not be measured, for a reason of its own. */
  unreadableSince: Date | null;
  /** When it was stopped because the disk was nearly full, without any grace; null again once it is within its limit. */
  spaceStoppedAt: Date | null;
  /** The paid time that the customer was last told of. */
  toldPaidUntil: Date | null;
  /** When its deletion was last announced to the customer; null again once it runs. */
  warnedAt: Date | null;
  /** The date of its deletion that the customer was last told; null again once it runs. It never goes sooner. */
  toldDeleteAt: Date | null;
  /** The end of the grace of its storage that the customer was told; null again once it is within its limit. */
  toldStorageAt: Date | null;
  /** How often its data was restored: each time it is in other volumes. */
  generation: number;
  /** What it runs, pinned when it was made; null until then. */
  release: Release | null;
  /** What its containers were made from beside release and plan, as one word of the runtime; null when unknown. */
  revision: string | null;
  /** The limits its containers and its Odoo were last given, as one word; null when unknown. */
  limits: string | null;
  /** What its Odoo was last told of itself (address and the like), as one word; null when unknown. */
  settings: string | null;
  /** Fingerprint of the key that its passwords derive from; null: the first key that the scope had, or unknown. */
  secrets: string | null;
  errorMessage: string | null;
  /** When somebody was last seen to want something of its Odoo; null where that is not known. */
  visitedAt: Date | null;
  /** Since when it sleeps until somebody visits it; null while it is awake. Its phase is `running` all the same. */
  asleepSince: Date | null;
  /** When its Odoo was last started. */
  wokenAt: Date | null;
  /** The customer's own host that is its address; null: the one with its name. */
  domain: string | null;
}

/** What may change after creation; the place has rules of its own (store/placements.ts). */
export type InstanceChanges = Partial<Omit<Instance, 'key' | 'name' | 'placement' | 'createdAt'>>;

/** Why an instance is to be down. */
export type Cause = 'unpaid' | 'taken_back' | 'storage' | 'staff';

/** What must be: computed from the facts, never stored as truth. */
export interface Desired {
  state: 'running' | 'suspended' | 'stopped' | 'deleted';
  /** Null where it runs. */
  cause: Cause | null;
  /** Why, one sentence for the admin. */
  reason: string;
}

/** What the two containers of an instance are made from, each as one word. */
export interface SpecHashes {
  db: string;
  odoo: string;
}

/** One container as the engine has it. */
export interface ObservedContainer {
  id: string;
  name: string;
  running: boolean;
  /** The image it was made from. */
  image: string;
  /** Hash of the compose service it was made from (label `saas.spec`). */
  specHash: string;
  exitCode: number | null;
  /** It ended by itself and the engine starts it again and again. */
  restarting?: boolean;
}

/** One instance as the engine has it. */
export interface Observed {
  network: boolean;
  db: ObservedContainer | null;
  odoo: ObservedContainer | null;
  /** Whether it has any volume; absent when the engine was not asked. */
  volumes?: boolean;
}

/** One instance as the engine's labels tell it, enough to rebuild the store. */
export interface ObservedInstance extends Observed {
  name: string;
  key: string;
  /** Null when the engine does not tell it: somebody else made it. */
  slot: number | null;
  /** Of the volumes that its containers use; absent: never restored. */
  generation?: number;
  /** Some of its volumes exist. */
  volumes: boolean;
}

/** An instance that is down, as the page in its place shows it. */
export interface Paused {
  name: string;
  /** Its http port, which no container holds now. */
  port: number;
  phase: 'suspended' | 'stopped' | 'asleep';
  /** Odoo language code of its customer. */
  lang: string;
  /** Where its customer learns why and can pay; null while the shop's address is not known. */
  ownerUrl: string | null;
}
