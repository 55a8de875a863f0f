/**
 * What the core asks of the world around it, in words of the domain: where instances run (Runtime), what their volumes
 * are filled from (Source), how a visitor reaches them (Front). Implementations are adapters; they know the domain and
 * not each other.
 */
import type { Owner } from './ownership.js';
import type { Placement } from './placement.js';
import type { Release } from './release.js';
import type { InstanceSpec } from './spec.js';
import type { Observed, ObservedInstance, SpecHashes, Usage } from './types.js';

/** Which instance: the key is its identity, the name is what people read. */
export interface InstanceRef {
  key: string;
  name: string;
}

/** Tells people how something that takes a minute or so goes on. */
export type Progress = (message: string) => void;

/** A prepared database, as it is asked for. */
export interface TemplateSpec {
  release: Release;
  /** Technical names; base and web are always in. */
  modules: string[];
  languages: string[];
}

/** What volumes are filled from. */
export interface Source {
  kind: 'template';
  modules: string[];
}

export interface FillOptions {
  /** A customer has used it: what is missing is lost and MUST NOT be replaced by an empty database. */
  mustExist: boolean;
  progress?: Progress;
}

/** Of a disk: the part that is free, 0 to 1, of its bytes and of what numbers its files. */
export interface Space {
  bytes: number;
  inodes: number;
}

/** A container of an instance started, was removed, or ended (`died`), by itself or by our hand. */
export interface ContainerChange {
  key: string;
  died: boolean;
}

export interface Watch {
  /** Settles when the connection is lost: the runtime may have been restarted, and what happened since is not known. */
  ended: Promise<void>;
  close(): void;
}

/**
 * Where containers run. Every method is idempotent and may be repeated at will; each MUST have a deadline and throw a
 * RetryableError or a TerminalError. What carries the name of an instance and another key is foreign: it MUST NOT be
 * touched, and is a TerminalError `docker.foreign` where it is in the way.
 */
export interface Runtime {
  /** How many instances there is room for. */
  readonly capacity: number;
  /** The place with this number, from 0 to `capacity` - 1. */
  placementAt(slot: number): Placement;
  /** Looks at what the host has, and gives a check whether nothing else is in the way at a place. It costs milliseconds. */
  freePlaces(): Promise<(placement: Placement) => Promise<boolean>>;
  /** Throws while the runtime does not answer. */
  ping(): Promise<void>;
  /** Of the disk on which the volumes are. */
  space(): Promise<Space>;
  /** With the number of the place that its network and containers were made for; null where there is none. */
  observe(instance: InstanceRef): Promise<Observed & Pick<ObservedInstance, 'slot' | 'generation'>>;
  /** Tells of each container that starts or ends, from now on until the connection is lost. */
  watch(onChange: (change: ContainerChange) => void): Promise<Watch>;
  /** Every instance of ours, by key, in a number of calls that does not grow with them. */
  observeAll(): Promise<Map<string, ObservedInstance>>;
  /** What this version of the program, with its settings, makes containers from, as one word. */
  readonly revision: string;
  /** What containers made from this spec now would be made from. */
  hashesOf(spec: InstanceSpec): SpecHashes;
  /** What its containers are called. */
  containersOf(instance: InstanceRef): { odoo: string; db: string };

  ensureNetwork(spec: InstanceSpec): Promise<void>;
  /**
   * Makes the volumes and fills them from the source; filled ones only get the configuration of today. TerminalError
   * `instance.data_missing` when data should be there and is not.
   */
  fill(spec: InstanceSpec, source: Source, options: FillOptions): Promise<void>;
  /** Makes the container if it is missing, or made from another revision and stopped, and starts it. */
  startDb(spec: InstanceSpec): Promise<void>;
  startOdoo(spec: InstanceSpec): Promise<void>;
  /** Both at the same time, half a second sooner: Odoo reaches for its database only after its imports. */
  startBoth(spec: InstanceSpec): Promise<void>;
  stopOdoo(instance: InstanceRef): Promise<void>;
  stopDb(instance: InstanceRef): Promise<void>;
  /** Waits for the login page; with `login`, the first password must log in too. */
  awaitReady(spec: InstanceSpec, options: { login: boolean; timeoutMs: number }): Promise<void>;
  /**
   * Gives the containers that exist, running or not, the plan's memory and CPU, and Odoo its number of users, at once.
   * What an argument sets (`shared_buffers`, Odoo's own memory limits) follows at the next start.
   */
  applyLimits(spec: InstanceSpec): Promise<void>;
  /**
   * Tells its Odoo, whose database must run, its public address, where it reaches itself for reports, and where its
   * customer changes the plan. No restart.
   */
  applySettings(spec: InstanceSpec): Promise<void>;
  /**
   * Sets the passwords anew that derive from the daemon's key, for an instance made with another one. Nothing may run on
   * its volumes; what is not filled yet is left. With `admin`, where nobody has used it, its first password too.
   */
  setSecrets(spec: InstanceSpec, options: { admin: boolean }): Promise<void>;
  /** What a running instance uses. UnreadableError `usage.unreadable` while its database does not answer. */
  measure(spec: InstanceSpec): Promise<Usage>;
  /**
   * Writes database and files to `file`, a zip that Odoo restores. Needs the volumes alone; no container may run on
   * them. TerminalError `export.no_data` when they are missing or empty.
   */
  exportData(spec: InstanceSpec, file: string): Promise<{ bytes: number }>;
  /** Writes the volumes as they are to `file`, a gzipped tar archive, for what cannot be exported. Otherwise as `exportData`. */
  copyVolumes(spec: InstanceSpec, file: string): Promise<{ bytes: number }>;
  /** The same of what is left where one of the volumes is gone or empty, and has the name of the other. Null: nothing is left. */
  copyLeft(spec: InstanceSpec, file: string): Promise<{ bytes: number } | null>;
  /** When somebody last asked something of its Odoo, beyond keeping a connection; null where that is not known. */
  lastVisit(instance: InstanceRef): Promise<Date | null>;
  /** Ends the tasks on instances that a daemon which died has left behind; gives how many there were. */
  endLeftTasks(): Promise<number>;
  /** Removes the volumes of its data that are of another generation than the spec's. No container may use them. */
  removeOthers(spec: InstanceSpec): Promise<void>;
  removeContainers(instance: InstanceRef): Promise<void>;
  removeVolumes(instance: InstanceRef): Promise<void>;
  removeNetwork(instance: InstanceRef): Promise<void>;
}

/** Prepared databases that instances are copied from. */
export interface TemplateLibrary {
  /** The template if it is ready. */
  find(spec: TemplateSpec): Promise<{ id: string } | null>;
  /** The template, built first if need be (about a minute). Builds of one spec at the same time are one. */
  ensure(spec: TemplateSpec, progress?: Progress): Promise<{ id: string }>;
  /** Removes a template that is ready, and what dead builds left. Absent is done; one that is copied just now is not. */
  remove(id: string): Promise<void>;
}

/** A host that leads to an instance. */
export interface Route {
  host: string;
  /** Of the instance. */
  port: number;
  /** It is one of the seller's own names; else a customer's, who may have typed anything. */
  isOurs?: boolean;
  /** Visitors are sent to that host; what programs send is taken here all the same. */
  movedTo?: string;
}

/** How a visitor reaches an instance. Level-based: what is shown follows the state of the instance. */
export interface Front {
  /** Shows the page of an instance that is down. Never fails: what cannot be shown is a warning. */
  show(instanceKey: string): Promise<void>;
  /** Takes its page away. Never fails. */
  hide(instanceKey: string): Promise<void>;
  /** Makes its addresses lead to it, or nowhere where it has no place any more. Never fails: what cannot be done is tried again. */
  route(instanceKey: string): void;
  /** Leaves no address but those that `route` was asked for: what is of instances that are gone goes. */
  sweep(): void;
  /** Resolves when nothing of ours is in the way of a container there. */
  release(placement: Pick<Placement, 'httpPort'>): Promise<void>;
  /** Takes all away, for good. */
  stop(): Promise<void>;
}

/** Says on the engine which daemon the scope belongs to. It MUST outlive containers and a restart of the engine. */
export interface ScopeMarker {
  read(): Promise<Owner | null>;
  /** Writes it where there is none. Gives the one that is there then, which may be another's. */
  claim(owner: Owner): Promise<Owner>;
  /** Writes it, whatever is there. */
  replace(owner: Owner): Promise<Owner>;
  /** The keys of all instances that the engine has anything of, in the scope. */
  instanceKeys(): Promise<string[]>;
}
