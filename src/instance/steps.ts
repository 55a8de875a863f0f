/**
 * The steps that bring an instance from what is to what must be. Each is idempotent; a step that has no executor
 * does not compile (see reconcile/executors.ts).
 */
export interface StepArgs {
  /** Make the instance's own network. */
  ensureNetwork: Record<never, never>;
  /** Copy the template into the instance's volumes and make it the customer's; does nothing on seeded volumes. */
  seedVolumes: Record<never, never>;
  /** Create the container if missing or made from another spec, and start it. */
  startDb: Record<never, never>;
  startOdoo: Record<never, never>;
  /** Both at once, half a second sooner: for a new instance, where nobody waits with old connections. */
  startBoth: Record<never, never>;
  /** Tell its Odoo, whose database must run, the public address and the like. */
  applySettings: Record<never, never>;
  /** Set the passwords that derive from the daemon's key, which is another one; nothing may run. */
  setSecrets: Record<never, never>;
  stopOdoo: Record<never, never>;
  stopDb: Record<never, never>;
  /** Wait until the login page answers through the published port; `login`: and the new password logs in. */
  awaitReady: { login: boolean };
  /** Give containers that exist, running or not, the plan's memory, CPU and number of users. */
  applyLimits: Record<never, never>;
  /** Write database and files to a file that outlives the instance; needs the volumes, no container. */
  exportData: Record<never, never>;
  /** Write the volumes as they are instead, where that fails again and again. */
  copyVolumes: Record<never, never>;
  /** Make a backup; its database must run. */
  backUp: Record<never, never>;
  /** From now on it uses the volumes that a backup was restored into; no container may exist. */
  useRestored: Record<never, never>;
  /** Remove the volumes that it has used before. */
  removeFormer: Record<never, never>;
  removeContainers: Record<never, never>;
  removeVolumes: Record<never, never>;
  removeNetwork: Record<never, never>;
}

export type StepName = keyof StepArgs;
export type Step = { [Name in StepName]: { action: Name } & StepArgs[Name] }[StepName];
