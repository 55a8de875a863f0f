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
# writes, which is bounded. Each file takes one of the disk's inodes too: who has more than their part of them counts as having that
# part of the disk. A file with several names counts once. What is not seen within a minute is left out: so much it is at least.
size() {
  local disk
  disk=$(stat --file-system --format='%b %S %c' "/$1")
  timeout 60 find "/$1" -xdev -path /database/pg_wal -prune -o -printf '%y %b %n\n' 2>/dev/null |
    LC_ALL=C awk -v name="$1" -v disk="$disk" '
      { names = $1 == "d" || $3 < 1 ? 1 : $3; blocks += $2 / names; files += 1 / names }
      END {
        split(disk, all, " ")
        bytes = blocks * 512
        if (all[3] > 0 && bytes < files * all[1] * all[2] / all[3]) bytes = files * all[1] * all[2] / all[3]
        printf "%s %.0f\n", name, bytes
      }' || true
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
