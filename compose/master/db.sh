#!/usr/bin/env bash
# Starts the master's PostgreSQL with a password made on its first start. The volume /secrets is shared
# with the odoo service only.
set -euo pipefail

chmod 1777 /secrets
if [[ ! -s /secrets/db_password ]]; then
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >/secrets/db_password.new
  chmod 0444 /secrets/db_password.new
  mv /secrets/db_password.new /secrets/db_password
fi

export POSTGRES_USER=odoo POSTGRES_DB=postgres POSTGRES_PASSWORD_FILE=/secrets/db_password
# 1 MB log segments keep a fresh cluster small, and so the copy of it quick.
export POSTGRES_INITDB_ARGS='--encoding=UTF8 --locale=C.UTF-8 --wal-segsize=1'
exec docker-entrypoint.sh "$@"
