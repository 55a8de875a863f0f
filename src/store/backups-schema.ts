/** The table of backups, as a step of the migrations: never edited. */
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
