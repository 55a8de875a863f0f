#!/bin/bash
# Runs in a one-shot container on an instance's database volume, without a network. A constant. Prints one line of JSON
# (what manifest.json needs of the database), then the dump; on standard error nothing but why it fails. Code 66: there is
# no database.
set -euo pipefail
trap 'exit 143' TERM
pgdata=/var/lib/postgresql/data
log=/tmp/server.log
if [[ ! -s $pgdata/PG_VERSION || -e $pgdata/.seeding ]]; then
  exit 66
fi

umask 077
echo 'local all all trust' >/dev/shm/hba.conf
: >/tmp/postgresql.conf
# The daemon has made sure that nothing runs on this volume: what a killed server has left would only be in the way.
rm -f "$pgdata/postmaster.pid"
# What would be read before any option of ours.
rm -rf "$pgdata/postgresql.auto.conf" "$pgdata/recovery.signal" "$pgdata/standby.signal"
dump=
finish() {
  [[ -z $dump ]] || kill "$dump" 2>/dev/null || true
  pg_ctl stop -D "$pgdata" -m fast -w -t 60 &>/dev/null || true
}
trap finish EXIT
# What the server logs is apart from what fails the dump: a customer can make it as long as they like.
started() {
  "$@" &>>"$log" && return
  echo "the database server does not start: $(tail -c 600 "$log")" >&2
  exit 1
}
options=(
  config_file=/tmp/postgresql.conf hba_file=/dev/shm/hba.conf listen_addresses= unix_socket_directories=/dev/shm
  wal_level=minimal max_wal_senders=0 max_connections=10 jit=off shared_buffers=64MB autovacuum=off
  # One for each table of the database.
  max_locks_per_transaction=4096
  log_statement=none log_min_error_statement=panic restart_after_crash=off
)
# Single-user mode asks nobody whether connections are allowed, and reads no settings of databases and roles: a customer may
# have set any that make each dump fail. What a dropped database has left (-2) stays.
reset() {
  timeout 900 postgres --single -D "$pgdata" "${options[@]/#/--}" template1 <<'SQL'
DELETE FROM pg_db_role_setting
UPDATE pg_database SET datallowconn = true, datconnlimit = -1 WHERE datname <> 'template0' AND datconnlimit <> -2
SQL
}
started reset
# On one line: pg_ctl has a shell read it.
started pg_ctl start -D "$pgdata" -w -t 600 -l "$log" -o "${options[*]/#/-c }"

export PGHOST=/dev/shm PGDATABASE=odoo
# As the customer's own role: this reads what may be a view that calls the customer's functions.
facts=$(PGOPTIONS='-c search_path=pg_catalog,pg_temp -c statement_timeout=30s' timeout 60 psql -U odoo -X -w -At \
  -v ON_ERROR_STOP=1 -f - 2>/dev/null <<'SQL'
SELECT json_build_object('pg_version', split_part(current_setting('server_version'), ' ', 1), 'modules',
  (SELECT json_object_agg(name, version) FROM (
    SELECT name::text AS name, left(latest_version::text, 64) AS version FROM public.ir_module_module
      WHERE state = 'installed' AND name::text ~ '^[a-z0-9_]{1,64}$' ORDER BY 1 LIMIT 5000) AS installed))::text;
SQL
) || facts='{}'
printf '%s\n' "$facts"
# The beginning of the first failure: what comes before it are warnings, and its end may be a command of any length.
exec {errors}> >(LC_ALL=C awk '/^pg_dump: error/ { on = 1 } on && n < 8 { n++; print substr($0, 1, 300) }' >&2)
filter=$!
# As the superuser, whom no row security of the customer's can keep from it. In the background, so that a signal is seen
# at once.
pg_dump -U postgres --no-owner 2>&"$errors" &
dump=$!
exec {errors}>&-
code=0
wait "$dump" || code=$?
dump=
wait "$filter" || true
if ((code > 0)); then exit "$code"; fi
