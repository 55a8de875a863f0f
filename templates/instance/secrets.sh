#!/bin/bash
# Runs in a one-shot container on an instance's database volume, without a network, while no server runs on it. A
# constant: the statements come as a tar archive on standard input (role.sql, and admin.sql for one that nobody has used
# yet). May be repeated at will.
set -euo pipefail
trap 'exit 143' TERM
pgdata=/var/lib/postgresql/data
# Not filled yet: filling sets them.
if [[ ! -s $pgdata/PG_VERSION || -e $pgdata/.seeding ]]; then
  exit 0
fi
umask 077
values=/dev/shm/values
mkdir "$values"
tar -x -C "$values" --no-same-owner
# The daemon has made sure that nothing runs on this volume: what a killed server has left would only be in the way.
rm -f "$pgdata/postmaster.pid"
# No settings of the volume: they may name a program, or a file whose reading has no end.
rm -rf "$pgdata/postgresql.auto.conf" "$pgdata/recovery.signal" "$pgdata/standby.signal"
: >/tmp/postgresql.conf
# No statement in the log: they hold secrets.
run() {
  postgres --single -j -D "$pgdata" -c config_file=/tmp/postgresql.conf -c exit_on_error=on -c log_min_error_statement=panic -c max_connections=4 "$1"
}
# In a database that is not the customer's: nothing of theirs is in its search path.
run postgres <"$values/role.sql"
if [[ -e $values/admin.sql ]]; then run odoo <"$values/admin.sql"; fi
