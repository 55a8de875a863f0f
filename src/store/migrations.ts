import { LATER_SCHEMAS } from './later-schemas.js';

/**
 * The schema, as numbered steps: the database's `user_version` is how many of them it has. A step that was ever
 * released is never edited; changes are new steps at the end. Times are milliseconds since 1970.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE instances (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    slot INTEGER UNIQUE,
    customer TEXT NOT NULL,
    plan_id INTEGER NOT NULL,
    document TEXT NOT NULL,
    order_id INTEGER,
    hold TEXT NOT NULL,
    phase TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    suspended_at INTEGER,
    error_message TEXT
  ) STRICT;

  CREATE TABLE bad_slots (
    slot INTEGER PRIMARY KEY,
    until INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE purchases (
    key TEXT PRIMARY KEY,
    instance_key TEXT,
    content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX purchases_of_instance ON purchases (instance_key);

  CREATE TABLE plans (
    id INTEGER PRIMARY KEY,
    content TEXT NOT NULL
  ) STRICT;

  CREATE TABLE commands (
    id INTEGER PRIMARY KEY,
    instance_key TEXT NOT NULL,
    command TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    seen_at INTEGER NOT NULL,
    finished_at INTEGER
  ) STRICT;
  CREATE INDEX commands_pending ON commands (instance_key, id) WHERE state = 'pending';

  CREATE TABLE jobs (
    instance_key TEXT PRIMARY KEY,
    run_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    token TEXT,
    claimed_by TEXT,
    claimed_at INTEGER,
    again_at INTEGER,
    again_reason TEXT
  ) STRICT;
  CREATE INDEX jobs_due ON jobs (run_at) WHERE token IS NULL;

  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    lane TEXT NOT NULL,
    payload TEXT NOT NULL,
    in_flight INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (key, version)
  ) STRICT;
  CREATE INDEX outbox_lane ON outbox (lane, id);

  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    lane TEXT NOT NULL,
    payload TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    refused_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;
  `,
  // The whole life of a subscription. A deleted instance keeps its row and gives its name away.
  `
  CREATE TABLE instances_2 (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    slot INTEGER UNIQUE,
    customer TEXT NOT NULL,
    plan_id INTEGER NOT NULL,
    document TEXT NOT NULL,
    order_id INTEGER,
    hold TEXT NOT NULL,
    phase TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    suspended_at INTEGER,
    usage TEXT,
    measured_at INTEGER,
    storage_over_since INTEGER,
    told_paid_until INTEGER,
    warned_at INTEGER,
    rebuild INTEGER NOT NULL DEFAULT 0,
    limits TEXT,
    error_message TEXT
  ) STRICT;
  INSERT INTO instances_2 (key, name, slot, customer, plan_id, document, order_id, hold, phase, created_at, started_at,
      suspended_at, error_message)
    SELECT key, name, slot, customer, plan_id, document, order_id, hold, phase, created_at, started_at,
      suspended_at, error_message FROM instances;
  DROP TABLE instances;
  ALTER TABLE instances_2 RENAME TO instances;
  CREATE UNIQUE INDEX instances_name ON instances (name) WHERE phase <> 'deleted';
  CREATE INDEX instances_measured ON instances (measured_at) WHERE phase = 'running';

  ALTER TABLE commands ADD COLUMN plan_id INTEGER;

  CREATE TABLE events (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX events_at ON events (at);

  UPDATE purchases SET content = json_set(content, '$.unitPrice', 0, '$.listPrice', 0, '$.keepPlan', json('false'), '$.pendingSince', null);
  UPDATE plans SET content = json_set(content, '$.trial', json('false'));
  `,
  // A place is more than its number; what an instance runs is pinned; acts with an end have their progress kept.
  `
  ALTER TABLE instances ADD COLUMN placement TEXT;
  ALTER TABLE instances ADD COLUMN release TEXT;
  ALTER TABLE instances ADD COLUMN revision TEXT;
  CREATE TABLE operations (
    instance_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    progress TEXT NOT NULL,
    PRIMARY KEY (instance_key, kind)
  ) STRICT;
  INSERT INTO operations SELECT key, 'rebuild', 'recovery', 'remove' FROM instances WHERE rebuild = 1;
  ALTER TABLE instances DROP COLUMN rebuild;
  `,
  // Several companies of one master may sell: each instance knows its own.
  `
  ALTER TABLE instances ADD COLUMN seller TEXT;
  DELETE FROM meta WHERE name IN ('seller', 'shop_url');
  `,
  // Messages to the staff are codes. What is still owed as a sentence is said as it is.
  `
  UPDATE outbox SET payload = json_set(
      json_remove(payload, '$.message_en', '$.message_es'),
      '$.message', json_object('code', 'verbatim', 'params', json_object('text', json_extract(payload, '$.message_en'))))
    WHERE json_extract(payload, '$.message_en') IS NOT NULL;
  `,
  // A line is paid in parts. What was known is one; the poll after a start reads all lines anew.
  `
  UPDATE purchases SET content = json_remove(
    json_set(content, '$.parts', json_array(json_object(
      'key', 'known', 'quantity', json_extract(content, '$.quantity'), 'startsOn', json_extract(content, '$.startsOn'),
      'paidOn', json_extract(content, '$.paidOn'), 'vanishedOn', NULL))),
    '$.quantity', '$.paidOn');
  `,
  // A place that an instance has left rests before somebody else gets it.
  `
  CREATE TABLE left_slots (
    slot INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
  ) STRICT;
  `,
  // What is looked for on the way to an instance is found without looking at all of them. All is read anew once.
  `
  CREATE INDEX instances_of_customer ON instances (json_extract(customer, '$.id'));
  CREATE INDEX instances_of_plan ON instances (plan_id);
  CREATE INDEX instances_any_name ON instances (name);
  DELETE FROM meta WHERE name = 'cursor';
  `,
  // A write that fails where others do not is sent alone.
  `
  ALTER TABLE outbox ADD COLUMN alone INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX outbox_alone ON outbox (next_attempt_at) WHERE alone;
  `,
  // What is tried again tells a person when it has failed for long.
  `
  ALTER TABLE jobs ADD COLUMN failing_since INTEGER;
  CREATE INDEX jobs_failing ON jobs (failing_since) WHERE failing_since IS NOT NULL;
  `,
  // What a customer was told is kept, whatever the settings say later.
  `
  ALTER TABLE instances ADD COLUMN told_delete_at INTEGER;
  ALTER TABLE instances ADD COLUMN told_storage_at INTEGER;
  `,
  // An operation that fails again and again goes on in another way.
  `
  ALTER TABLE operations ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
  `,
  // What is done again and again looks at as little as is there to do.
  `
  CREATE INDEX instances_settled ON instances (key) WHERE phase IN ('running', 'suspended', 'stopped');
  CREATE INDEX instances_by_phase ON instances (phase);
  CREATE INDEX jobs_claimed ON jobs (run_at) WHERE token IS NOT NULL;
  CREATE INDEX outbox_age ON outbox (created_at);
  `,
  // Whose key was lost gets passwords that derive from another one.
  `
  ALTER TABLE instances ADD COLUMN secrets TEXT;
  `,
  // An id is no identity alone: a master that is restored from a backup gives its ids out again.
  `
  ALTER TABLE instances ADD COLUMN born_at INTEGER;
  ALTER TABLE commands ADD COLUMN created_at INTEGER;
  `,
  // Whoever fills the disk is stopped without any grace.
  `
  ALTER TABLE instances ADD COLUMN space_stopped_at INTEGER;
  `,
  // An address that changes is told to instances that exist.
  `
  ALTER TABLE instances ADD COLUMN settings TEXT;
  `,
  // What a person has to see to has one name.
  `
  UPDATE outbox SET payload = json_set(payload, '$.op', 'todo')
    WHERE payload ->> '$.op' IN ('problem', 'alert');
  `,
  // A record that the master refuses is told from one that waits for a master that is away.
  `
  ALTER TABLE outbox ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
  `,
  // Who cannot be measured for a day counts as over.
  `
  ALTER TABLE instances ADD COLUMN unreadable_since INTEGER;
  `,
  ...LATER_SCHEMAS,
];
