/** Later steps of the migrations: never edited. */
export const BACKUPS_SCHEMA = `
  CREATE TABLE backups (
    instance_key TEXT PRIMARY KEY, due_at INTEGER, made_at INTEGER, snapshot TEXT, bytes INTEGER,
    changed INTEGER NOT NULL DEFAULT 1, failures INTEGER NOT NULL DEFAULT 0, failing_since INTEGER, tried_at INTEGER,
    error TEXT, pruned_at INTEGER, proven_at INTEGER, proof_error TEXT, proof_tried_at INTEGER, remove_at INTEGER
  ) STRICT;
  CREATE INDEX backups_due ON backups (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX backups_proven ON backups (proof_tried_at) WHERE made_at IS NOT NULL AND remove_at IS NULL;
  INSERT INTO backups (instance_key, due_at)
    SELECT key, 0 FROM instances WHERE started_at IS NOT NULL AND phase <> 'deleted';
`;

/** Data that is restored is in other volumes. A command may say which moment is to be restored. */
export const RESTORE_SCHEMA = `
  ALTER TABLE instances ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE backups ADD COLUMN restored_generation INTEGER;
  ALTER TABLE commands ADD COLUMN moment INTEGER;
`;

/** Whom nobody visits may sleep. One that does is not measured. */
export const SLEEP_SCHEMA = `
  ALTER TABLE instances ADD COLUMN visited_at INTEGER;
  ALTER TABLE instances ADD COLUMN asleep_since INTEGER;
  ALTER TABLE instances ADD COLUMN woken_at INTEGER;
  DROP INDEX instances_measured;
  CREATE INDEX instances_measured ON instances (measured_at) WHERE phase = 'running' AND asleep_since IS NULL;
  `;

/** Backups of a deleted instance go when their time is over. How many were made, fail or are not whole is asked for. */
export const REMOVAL_SCHEMA = `
  CREATE INDEX backups_removed ON backups (remove_at) WHERE remove_at IS NOT NULL;
  CREATE INDEX backups_made ON backups (made_at) WHERE made_at IS NOT NULL;
  CREATE INDEX backups_failing ON backups (failing_since) WHERE failing_since IS NOT NULL;
  CREATE INDEX backups_not_whole ON backups (proof_tried_at) WHERE proof_error IS NOT NULL;
`;
