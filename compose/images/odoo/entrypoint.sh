#!/bin/bash
# HOST, PORT, USER, PASSWORD (or PASSWORD_FILE) say where the database is; what the configuration file
# says wins over them. The password goes to Odoo in PGPASSWORD, not in its arguments.
set -e

if [ -n "$PASSWORD_FILE" ]; then
  PASSWORD=$(<"$PASSWORD_FILE")
fi

: "${HOST:=${DB_PORT_5432_TCP_ADDR:=db}}"
: "${PORT:=${DB_PORT_5432_TCP_PORT:=5432}}"
: "${USER:=${DB_ENV_POSTGRES_USER:=${POSTGRES_USER:=odoo}}}"
: "${PASSWORD:=${DB_ENV_POSTGRES_PASSWORD:=${POSTGRES_PASSWORD:=odoo}}}"

# from_config NAME FALLBACK: the value in the configuration file, else FALLBACK.
from_config() {
  local value
  value=$(sed -n -E "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$ODOO_RC" 2>/dev/null | tail -n 1 | tr -d '"\r')
  printf '%s' "${value:-$2}"
}

db_host=$(from_config db_host "$HOST")
db_port=$(from_config db_port "$PORT")
db_user=$(from_config db_user "$USER")
db_password=$(from_config db_password "$PASSWORD")
args=(--db_host "$db_host" --db_port "$db_port" --db_user "$db_user")

run_odoo() {
  # these need no database
  case " $* " in
    *' scaffold '* | *' --version '* | *' --help '* | *' -h '*) exec odoo "$@" ;;
  esac
  PGPASSWORD=$db_password wait-for-psql.py "${args[@]}" --timeout 30
  # Odoo reads a password in its configuration file by itself.
  [ -n "$(from_config db_password '')" ] || export PGPASSWORD=$db_password
  exec odoo "$@" "${args[@]}"
}

case "$1" in
  -- | odoo)
    shift
    run_odoo "$@"
    ;;
  -*)
    run_odoo "$@"
    ;;
  *)
    exec "$@"
    ;;
esac
