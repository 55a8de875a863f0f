#!/bin/bash
# Runs in a one-shot container on an instance's network, with its volumes read-only. A constant: the password file
# comes on standard input. Prints lines of two words: `database <bytes>`, `filestore <bytes>`, `users <n>`, `login <seconds>`
# (when the administrator logged in last, if ever), and `module <name>` for each one. The database is the customer's: whatever
# is in it can make the second part fail, and nothing else.
set -euo pipefail
umask 077
cat >/dev/shm/pgpass
export PGPASSFILE=/dev/shm/pgpass PGCONNECT_TIMEOUT=10
# Over what the role may have been given; no function of the customer's is found by these names.
export PGOPTIONS='-c search_path=pg_catalog,pg_temp -c statement_timeout=10s -c lock_timeout=3s -c default_transaction_read_only=on'

# Blocks on the disk, from what the folders say: no file is read, and no query can hide any. All databases, without the log of
# writes, which is bounded. Files come and go meanwhile, which du calls a failure.
size() {
  local bytes
  bytes=$(timeout 60 du -s -B1 --exclude=pg_wal "/$1" 2>/dev/null | cut -f1) || true
  echo "$1 $bytes"
}
size database
size filestore

timeout 30 psql -X -w -h db -U odoo -d odoo -At -v ON_ERROR_STOP=1 -F ' ' -f - <<'SQL' | head -c 160000
-- Who is in the group of internal users works as one, whatever the column says.
WITH RECURSIVE internal (id) AS (
  SELECT res_id FROM public.ir_model_data WHERE module = 'base' AND name = 'group_user' AND model = 'res.groups'
  UNION SELECT gid FROM public.res_groups_implied_rel JOIN internal ON hid = internal.id)
SELECT 'users', count(*) FROM public.res_users WHERE active AND id <> 1 AND (share IS NOT TRUE
  OR id IN (SELECT uid FROM public.res_groups_users_rel WHERE gid IN (SELECT id FROM internal)));
SELECT 'login', extract(epoch FROM max(create_date))::bigint FROM public.res_users_log WHERE create_uid = 2;
SELECT 'module', name FROM public.ir_module_module
  WHERE state IN ('installed', 'to upgrade', 'to remove') AND name::text ~ '^[a-z0-9_]{1,64}$'
  ORDER BY name::text COLLATE "C" LIMIT 2000;
SQL
