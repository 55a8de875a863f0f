#!/usr/bin/env bash
# Runs in the odoo container of the master.
#   run      prepare whatever is missing, then serve
#   base     prepare the database: the shop's modules and settings
#   addons   install the addons in /mnt/extra-addons, seed the shop, visit its pages once
#   update   install the addons that are new, update the others, seed again
set -euo pipefail

DATABASE=master
MODULES=website_sale,account,sale_management,portal,payment_demo,mail
ADDONS=/mnt/extra-addons
ODOO_RC=${ODOO_RC:-/secrets/odoo.conf}
export ODOO_RC

write_config() {
  local password
  password=$(</secrets/db_password)
  umask 077
  printf 'db:5432:*:odoo:%s\n' "$password" >/secrets/pgpass
  cat >"$ODOO_RC" <<CONFIG
[options]
addons_path = $ADDONS
data_dir = /var/lib/odoo
db_host = db
db_port = 5432
db_user = odoo
db_password = $password
db_name = $DATABASE
db_maxconn = 16
dbfilter = ^$DATABASE$
list_db = False
admin_passwd = $(head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
proxy_mode = False
http_interface = 0.0.0.0
workers = 0
max_cron_threads = 1
log_handler = :INFO,odoo.addons.rpc.controllers.xmlrpc:ERROR
smtp_server = mail
smtp_port = 1025
without_demo = True
CONFIG
  umask 022
}

# query SQL: one value from the database; the statement comes over stdin.
query() {
  PGPASSFILE=/secrets/pgpass psql -h db -U odoo -d "${2:-$DATABASE}" -At -v ON_ERROR_STOP=1 <<<"$1"
}

wait_for_database() {
  local tries=600
  until [[ -s /secrets/db_password ]] && (exec 3<>/dev/tcp/db/5432) 2>/dev/null; do
    ((tries-- > 0)) || { echo 'the database server did not start in 60 s' >&2; exit 1; }
    sleep 0.1
  done
}

# done_step NAME: was this step of the preparation finished? (kept in the database itself)
done_step() {
  [[ $(query "select 1 from pg_database where datname = '$DATABASE'" postgres) == 1 ]] &&
    [[ $(query "select to_regclass('ir_config_parameter') is not null") == t ]] &&
    [[ $(query "select 1 from ir_config_parameter where key = 'saas_master.$1'") == 1 ]]
}

mark_step() {
  query "insert into ir_config_parameter (key, value) values ('saas_master.$1', '1') on conflict (key) do update set value = '1'" >/dev/null
}

# script FILE: runs it inside Odoo; an exception in it ends this script.
script() {
  odoo shell -c "$ODOO_RC" -d "$DATABASE" --no-http --log-level=warn <"/start/$1"
}

base() {
  echo "installing $MODULES"
  odoo -c "$ODOO_RC" -d "$DATABASE" --no-http --stop-after-init --load-language=es_ES -i "$MODULES" --log-level=warn
  script base.py
  mark_step base
}

# addon_names: folders of /mnt/extra-addons that are addons, comma separated.
addon_names() {
  find -L "$ADDONS" -mindepth 2 -maxdepth 2 -name __manifest__.py -printf '%h\n' | sed 's|.*/||' | LC_ALL=C sort | paste -sd, -
}

# installed: the addons among NAMES (comma separated) that the database has already, comma separated.
installed() {
  query "select string_agg(name, ',' order by name) from ir_module_module
    where state = 'installed' and name = any(string_to_array('$1', ','))"
}

update() {
  local names old
  names=$(addon_names)
  if [[ -n $names ]]; then
    old=$(installed "$names")
    echo "installing $names${old:+, updating $old}"
    odoo -c "$ODOO_RC" -d "$DATABASE" --no-http --stop-after-init -i "$names" ${old:+-u "$old"} --log-level=warn
  else
    echo "no addon in $ADDONS: the shop gets its plans, but nothing that makes instances of them"
  fi
  script seed.py
}

addons() {
  update
  warm
  mark_step addons
}

# warm: serve for a moment and visit the first pages.
warm() {
  local server status=0
  odoo -c "$ODOO_RC" --max-cron-threads=0 --log-level=warn &
  server=$!
  python3 /start/warm.py || status=$?
  kill "$server"
  wait "$server" || true
  return "$status"
}

run() {
  done_step base || base
  done_step addons || addons
  query "update ir_config_parameter set value = '${MASTER_URL:?}' where key = 'web.base.url' and value <> '$MASTER_URL'" >/dev/null
  exec odoo -c "$ODOO_RC"
}

case ${1:-run} in
  run | base | addons | update)
    # Odoo ignores its whole configuration when it cannot read a folder of addons_path.
    [[ -r $ADDONS && -x $ADDONS ]] || { echo "the addon folder cannot be read by user $(id -un): chmod it o+rx" >&2; exit 1; }
    wait_for_database
    write_config
    "${1:-run}"
    ;;
  *) exec "$@" ;;
esac
