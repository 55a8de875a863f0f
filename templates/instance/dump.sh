#!/bin/bash
# Runs in a one-shot container on an instance's database volume, without a network. A constant. Prints one line of JSON
# (what manifest.json needs of the database), then the dump. Code 66: there is no database.
set -euo pipefail
trap 'exit 143' TERM
pgdata=/var/lib/postgresql/data
if [[ ! -s $pgdata/PG_VERSION || -e $pgdata/.seeding ]]; then
  exit 66
fi

umask 077
echo 'local all all trust' >/dev/shm/hba.conf
# The daemon has made sure that nothing runs on this volume: what a killed server has left would only be in the way.
rm -f "$pgdata/postmaster.pid"
dump=
finish() {
  [[ -z $dump ]] || kill "$dump" 2>/dev/null || true
  pg_ctl stop -D "$pgdata" -m fast -w -t 60 >&2 || true
}
trap finish EXIT
pg_ctl start -D "$pgdata" -w -t 600 >&2 -o '-c listen_addresses= -c unix_socket_directories=/dev/shm
  -c hba_file=/dev/shm/hba.conf -c wal_level=minimal -c max_wal_senders=0 -c max_connections=10 -c jit=off
  -c shared_buffers=64MB -c autovacuum=off'

export PGHOST=/dev/shm PGDATABASE=odoo
# As the customer's own role: this reads what may be a view that calls the customer's functions.
facts=$(PGOPTIONS='-c search_path=pg_catalog,pg_temp -c statement_timeout=30s' psql -U odoo -X -w -At -v ON_ERROR_STOP=1 -f - <<'SQL'
SELECT json_build_object('pg_version', split_part(current_setting('server_version'), ' ', 1), 'modules',
  (SELECT json_object_agg(name, version) FROM (
    SELECT name::text AS name, left(latest_version::text, 64) AS version FROM public.ir_module_module
      WHERE state = 'installed' AND name::text ~ '^[a-z0-9_]{1,64}$' ORDER BY 1 LIMIT 5000) AS installed))::text;
SQL
) || facts='{}'
printf '%s\n' "$facts"
# As the superuser, whom no row security of the customer's can keep from it. In the background, so that a signal is seen
# at once.
pg_dump -U postgres --no-owner &
dump=$!
wait "$dump"
dump=
