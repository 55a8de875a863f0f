/** Later steps of the migrations: never edited. */
const BACKUPS_SCHEMA = `
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
const RESTORE_SCHEMA = `
  ALTER TABLE instances ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE backups ADD COLUMN restored_generation INTEGER;
  ALTER TABLE commands ADD COLUMN moment INTEGER;
`;

/** Whom nobody visits may sleep. One that does is not measured. */
const SLEEP_SCHEMA = `
  ALTER TABLE instances ADD COLUMN visited_at INTEGER;
  ALTER TABLE instances ADD COLUMN asleep_since INTEGER;
  ALTER TABLE instances ADD COLUMN woken_at INTEGER;
  DROP INDEX instances_measured;
  CREATE INDEX instances_measured ON instances (measured_at) WHERE phase = 'running' AND asleep_since IS NULL;
  `;

/** Backups of a deleted instance go when their time is over. How many were made, fail or are not whole is asked for. */
const REMOVAL_SCHEMA = `
  CREATE INDEX backups_removed ON backups (remove_at) WHERE remove_at IS NOT NULL;
  CREATE INDEX backups_made ON backups (made_at) WHERE made_at IS NOT NULL;
  CREATE INDEX backups_failing ON backups (failing_since) WHERE failing_since IS NOT NULL;
  CREATE INDEX backups_not_whole ON backups (proof_tried_at) WHERE proof_error IS NOT NULL;
`;

/** Names of their own that customers have for their instances. A name is held by one of them at most. */
const DOMAINS_SCHEMA = `
  CREATE TABLE domains (
    instance_key TEXT NOT NULL, base TEXT NOT NULL, host TEXT NOT NULL, proof TEXT NOT NULL, asked_at INTEGER NOT NULL,
    state TEXT NOT NULL, since INTEGER NOT NULL, failing_since INTEGER, problem TEXT, found TEXT NOT NULL DEFAULT '',
    proven INTEGER NOT NULL DEFAULT 0, pointed INTEGER NOT NULL DEFAULT 0, twin INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, answered INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL DEFAULT 0, next_at INTEGER,
    PRIMARY KEY (instance_key, base)
  ) STRICT;
  CREATE UNIQUE INDEX domains_held ON domains (base) WHERE state <> 'waiting';
  CREATE INDEX domains_of_base ON domains (base);
  CREATE INDEX domains_due ON domains (next_at) WHERE next_at IS NOT NULL;
  ALTER TABLE instances ADD COLUMN domain TEXT;
`;

/** In the order in which they came. */
export const LATER_SCHEMAS = [BACKUPS_SCHEMA, RESTORE_SCHEMA, SLEEP_SCHEMA, REMOVAL_SCHEMA, DOMAINS_SCHEMA];
