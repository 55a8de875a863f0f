#!/bin/bash
# Runs in a one-shot container on an instance's network, with its filestore read-only. A constant: the password file
# comes on standard input. Prints lines of two words: `users <n>`, `database <bytes>`, `login <seconds>`
# (when the administrator logged in last, if ever), `module <name>` for each one, and
# `filestore <bytes>` last. The database is the customer's: whatever is in it can make this fail, but nothing else.
set -euo pipefail
umask 077
cat >/dev/shm/pgpass
export PGPASSFILE=/dev/shm/pgpass PGCONNECT_TIMEOUT=10
# Over what the role may have been given; no function of the customer's is found by these names.
export PGOPTIONS='-c search_path=pg_catalog,pg_temp -c statement_timeout=10s -c lock_timeout=3s -c default_transaction_read_only=on'

timeout 30 psql -X -w -h db -U odoo -d odoo -At -v ON_ERROR_STOP=1 -F ' ' -f - <<'SQL' | head -c 160000
SELECT 'users', count(*) FROM public.res_users WHERE active AND share IS NOT TRUE AND id <> 1;
SELECT 'database', pg_database_size(current_database());
SELECT 'login', extract(epoch FROM max(create_date))::bigint FROM public.res_users_log WHERE create_uid = 2;
SELECT 'module', name FROM public.ir_module_module
  WHERE state IN ('installed', 'to upgrade', 'to remove') AND name::text ~ '^[a-z0-9_]{1,64}$'
  ORDER BY name::text COLLATE "C" LIMIT 2000;
SQL
# Blocks on the disk, from what the folders say: no file is read.
# Files come and go meanwhile, which du calls a failure.
size=$(timeout 120 du -s -B1 /filestore 2>/dev/null | cut -f1) || true
echo "filestore $size"
