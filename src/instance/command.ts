/** What staff and customers ask of an instance by a button. */

/** `extend` and `change_plan`: the addon grants the time or the plan when the daemon answers `done`. */
export const COMMAND_NAMES = [
  'start',
  'stop',
  'restart',
  'suspend',
  'resume',
  'extend',
  'change_plan',
  'rebuild',
  'back_up',
  'restore',
  'delete',
  'delete_without_copy',
  'retry',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export interface Command {
  /** Id of the record in the master. */
  id: number;
  /** When it was asked for; the id alone may be given again. */
  createdOn?: Date;
  instanceKey: string;
  command: CommandName;
  requestedBy: string;
  /** The plan wanted, for `change_plan`. */
  planId: number | null;
  /** The state that is wanted back is the last one at or before this, for `restore`. */
  moment?: Date | null;
}
