/** What ties a daemon to its master: which database it is, and the generation that grows with every push. */

/** How the daemon names itself in a call, and what it knows. Empty values are `false`. */
export interface Caller {
  /** The id of its data folder, and the host that it runs on. */
  daemon: string;
  host: string;
  /** Of the process: two copies of one data folder have the same id. Absent in a command. */
  run?: string;
  /** The master's `database.uuid`. */
  database: string | false;
  /** The highest generation that it has given to a push; false in a store that has met no master. */
  generation: number | false;
  /** The highest generation whose push was answered: a master that knows less has gone back in time. */
  answered: number;
}

/** What the master says of itself. */
export interface Identity {
  database_uuid: string;
  generation: number;
}

/** Why the master tells this daemon nothing, and takes nothing from it. */
export const REFUSALS = ['other_database', 'gone_back', 'daemon_behind', 'leased', 'copied'] as const;
export type RefusalCode = (typeof REFUSALS)[number];

/** The daemon's side of it. */
export interface Bond {
  /** For a call that writes nothing. */
  caller(): Caller;
  /** For a push: with a generation that is written down before it is sent. */
  forPush(): Caller;
  /** The push with this generation was answered. */
  answered(generation: number): void;
  /** The master has told something: what was not known of it is known now, and nothing is refused. */
  met(identity: Identity): void;
  /** It refuses, for this reason. */
  refused(code: RefusalCode, sentence: string): void;
}
