#!/bin/bash
# Runs in a one-shot container on an instance's database volume, without a network, while no server runs on it. A constant.
# Also run by seed.sh (which says so: `seeding`) and compact.sh, with the folder of the cluster. Closes what every role may use beside its own database, once (the file .closed): connections to template1, and in `postgres`,
# where Odoo listens for notifications, large objects and temporary tables: what is stored there is in nobody's database.
set -euo pipefail
pgdata=${1:-/var/lib/postgresql/data}
if [[ -e $pgdata/.closed || -e $pgdata/.seeding && -z ${2-} || ! -s $pgdata/PG_VERSION ]]; then
  exit 0
fi
rm -f "$pgdata/postmaster.pid"
# No settings of the volume: they may name a program, or a file whose reading has no end.
rm -rf "$pgdata/postgresql.auto.conf" "$pgdata/recovery.signal" "$pgdata/standby.signal"
: >/tmp/postgresql.conf
single() {
  postgres --single -D "$pgdata" -c config_file=/tmp/postgresql.conf -c exit_on_error=on -c shared_buffers=4MB -c max_connections=4 "$1" >/dev/null
}
single template1 <<'SQL'
REVOKE ALL ON DATABASE template1, postgres FROM PUBLIC
GRANT CONNECT ON DATABASE postgres TO odoo
SQL
single postgres <<'SQL'
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC
SQL
: >"$pgdata/.closed"
