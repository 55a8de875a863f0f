#!/bin/bash
# Runs in a one-shot container of the PostgreSQL image, without a network, with an empty volume for the cluster and what
# fetch.sh has written at /filestore. A constant. Makes a cluster as those of templates are, loads the dump as the customer's own
# role, and compares. Prints `tables <n>`. Codes: 66 there is no dump, 75 the dump cannot be loaded, 76 rows are missing,
# 77 files are missing.
set -euo pipefail
trap 'exit 143' TERM
umask 077
pgdata=/var/lib/postgresql/data
from=/filestore/.backup
if [[ ! -s $from/odoo.sql ]]; then exit 66; fi
# What a killed try has left.
find "$pgdata" -mindepth 1 -delete
initdb -D "$pgdata" -U postgres --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 --wal-segsize=1 --auth-local=trust \
  --auth-host=scram-sha-256 --no-sync >/dev/null
printf 'host all all all scram-sha-256\n' >>"$pgdata/pg_hba.conf"
# As nobody but this script reaches it, and nothing relies on it before the end, it need not be safe yet.
pg_ctl start -D "$pgdata" -w -t 120 -l /dev/shm/log -o '-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses= -c unix_socket_directories=/dev/shm -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off -c max_locks_per_transaction=4096 -c maintenance_work_mem=64MB' >/dev/null
trap 'pg_ctl stop -D "$pgdata" -m immediate &>/dev/null || true' EXIT
export PGHOST=/dev/shm PGOPTIONS='-c client_min_messages=warning'
psql -X -q -w -U postgres -d postgres -v ON_ERROR_STOP=1 <<'SQL'
CREATE ROLE odoo LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE DATABASE odoo OWNER odoo TEMPLATE template0 ENCODING 'UTF8';
REVOKE CONNECT ON DATABASE odoo FROM PUBLIC;
SQL
# The customer's functions run as the customer.
if ! psql -X -q -w -U odoo -d odoo -v ON_ERROR_STOP=1 --single-transaction -f "$from/odoo.sql" >/dev/null 2>/tmp/errors; then
  LC_ALL=C awk 'n < 5 { n++; print substr($0, 1, 300) }' /tmp/errors >&2
  exit 75
fi
ask() { PGOPTIONS='-c search_path=pg_catalog,pg_temp -c row_security=off' psql -X -q -w -U postgres -d odoo -At -v ON_ERROR_STOP=1 -f -; }
ask >/tmp/rows <<'SQL'
SELECT format('SELECT %L || count(*) FROM ONLY %I.%I', nspname || '.' || relname || ' ', nspname, relname)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind = 'r' AND relpersistence <> 't' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
  ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec
SQL
if ! cmp -s /tmp/rows "$from/rows"; then
  echo "other rows than at the backup: $(diff "$from/rows" /tmp/rows | head -n 5 | tr '\n' ' ' | head -c 400)" >&2
  exit 76
fi
# As the customer's own role: this may be a view of theirs.
PGOPTIONS='-c search_path=pg_catalog,pg_temp' psql -X -q -w -U odoo -d odoo -At -v ON_ERROR_STOP=1 -f - 2>/dev/null >/tmp/names <<'SQL' || : >/tmp/names
SELECT DISTINCT store_fname::text COLLATE "C" FROM public.ir_attachment WHERE store_fname::text ~ '^[0-9a-f]{2}/[0-9a-f]{40}$' ORDER BY 1;
SQL
missing=$(LC_ALL=C comm -23 /tmp/names "$from/files")
if [[ $missing ]]; then
  echo "$(wc -l <<<"$missing") files are missing: $(head -n 3 <<<"$missing" | tr '\n' ' ')" >&2
  exit 77
fi
echo "tables $(wc -l </tmp/rows)"
trap - EXIT
pg_ctl stop -D "$pgdata" -m fast -w -t 300 >/dev/null
sync -f "$pgdata"
