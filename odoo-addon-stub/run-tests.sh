#!/usr/bin/env bash
# Usage: odoo-addon-stub/run-tests.sh [--help] [--keep] [TAGS]
#
# Installs saas_bridge in a fresh database of the real Odoo and runs its tests, then saas_bridge_website in another one
# that has a shop, in containers of their own that are gone afterwards. TAGS as in odoo --test-tags: those that name
# saas_bridge_website run in the shop, others without it; default: all tests of both. Then both are installed in a third
# one, used and uninstalled, and what is in that database afterwards is compared with what was there before; TAGS
# "uninstall": only that. TAGS "scale": instead of all that, 50,000 orders and 10,000 instances (ORDERS=… sets another
# number) are made by SQL, and a table says what lists, reports, pages and polls cost; each over 0.5 s has failed.
# The last line is "N passed, N failed".
#
# What the addons depend on is installed once, into a volume named after the image and the module lists; every run
# works on a copy of it.
#
#   --keep          keep the last log, and say where
#   ODOO_IMAGE      default odoo:19.0
#   POSTGRES_IMAGE  default postgres:17
#   DOCKER          the Docker client (default: the engine's own, /usr/bin/docker, if present)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ODOO_IMAGE=${ODOO_IMAGE:-odoo:19.0}
POSTGRES_IMAGE=${POSTGRES_IMAGE:-postgres:17}
MODULES=sale_management,account_payment,payment_stripe,portal
SHOP_MODULES=website_sale,website_sale_loyalty

keep=
tags=
for argument in "$@"; do
  case $argument in
    -h | --help)
      awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --keep) keep=yes ;;
    *) tags=$argument ;;
  esac
done

if [[ -f $here/../compose/lib.sh ]]; then
  # shellcheck source-path=SCRIPTDIR source=../compose/lib.sh
  source "$here/../compose/lib.sh"
else
  docker_cmd() {
    if [[ -n ${DOCKER:-} ]]; then "$DOCKER" "$@"; elif [[ -x /usr/bin/docker ]]; then /usr/bin/docker "$@"; else docker "$@"; fi
  }
fi

fail() {
  printf '%s\n' "$*" >&2
  echo "0 passed, 1 failed"
  exit 1
}

run=addontest-$$
log=$(mktemp "${TMPDIR:-/tmp}/addontest.XXXXXX")
docker_cmd info >/dev/null 2>&1 || fail "no Docker engine answers: run compose/engine.sh"
ids=$(docker_cmd image inspect --format '{{.Id}}' "$ODOO_IMAGE" "$POSTGRES_IMAGE") ||
  fail "the images $ODOO_IMAGE and $POSTGRES_IMAGE are needed: run compose/images.sh"
prepared=addontest-prepared-$(printf '%s %s %s' "$ids" "$MODULES" "$SHOP_MODULES" | sha256sum | cut -c 1-16)

# shellcheck disable=SC2329  # called by the trap
clean_up() {
  docker_cmd rm -f -v "$run-odoo" "$run-db" >/dev/null 2>&1 || true
  docker_cmd volume rm -f "$run-data" >/dev/null 2>&1 || true
  docker_cmd network rm "$run" >/dev/null 2>&1 || true
  [[ -n $keep ]] || rm -f "$log"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

start_db() {
  docker_cmd run -d --name "$run-db" --network "$run" -v "$1:/var/lib/postgresql/data" \
    -e POSTGRES_USER=odoo -e POSTGRES_PASSWORD=odoo -e POSTGRES_DB=postgres "$POSTGRES_IMAGE" \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off >/dev/null
  local tries=0
  # Over TCP: the temporary server of a first start listens on its socket only.
  until docker_cmd exec "$run-db" pg_isready -q -h 127.0.0.1 -U odoo; do
    ((++tries < 120)) || fail "the database does not start"
    sleep 0.5
  done
}

# run_odoo DATABASE ARGUMENT...
run_odoo() {
  local database=$1
  shift
  docker_cmd run --rm --name "$run-odoo" --network "$run" -e HOST="$run-db" -e USER=odoo -e PASSWORD=odoo \
    -v "$here:/mnt/extra-addons:ro" "$ODOO_IMAGE" odoo -d "$database" --no-http --stop-after-init "$@" >>"$log" 2>&1
}

# copy FROM TO SCRIPT: runs SCRIPT in a container with one volume at /from and the other at /to.
copy() {
  docker_cmd run --rm -u 0 -v "$1:/from:ro" -v "$2:/to" --entrypoint sh "$POSTGRES_IMAGE" -c "$3"
}

docker_cmd network create "$run" >/dev/null
docker_cmd volume create "$run-data" >/dev/null
# Without the mark there is nothing, or what a run that was cut short left.
if ! copy "$prepared" "$run-data" 'test -e /from/.prepared && cp -a /from/. /to/ && rm /to/.prepared'; then
  echo "preparing databases with $MODULES and with $SHOP_MODULES (once)" >&2
  start_db "$run-data"
  # The second is the first with a shop on top.
  if ! { run_odoo test -i "$MODULES" --without-demo=1 &&
    docker_cmd exec "$run-db" createdb -U odoo -T test shop &&
    run_odoo shop -i "$SHOP_MODULES" --without-demo=1; }; then
    tail -n 20 "$log" >&2
    fail "the databases could not be prepared"
  fi
  docker_cmd stop -t 30 "$run-db" >/dev/null
  docker_cmd rm "$run-db" >/dev/null
  copy "$run-data" "$prepared" 'find /to -mindepth 1 -delete && cp -a /from/. /to/ && touch /to/.prepared'
fi

start_db "$run-data"
passed=0
bad=0
# test_addon DATABASE ADDON TAGS: adds to passed and bad.
test_addon() {
  local result failed errors total wrong status=0 begin
  begin=$(wc -l <"$log")
  run_odoo "$1" -i "$2" --test-tags "$3" --load=base,rpc,web,saas_quick_tests \
    --addons-path=/mnt/extra-addons,/mnt/extra-addons/server_wide || status=$?
  # Odoo's own words: "… WARNING/ERROR test odoo.tests.result: 2 failed, 1 error(s) of 90 tests when loading database".
  result=$(tail -n "+$begin" "$log" | grep -oE '[0-9]+ failed, [0-9]+ error\(s\) of [0-9]+ tests' | tail -n 1 || true)
  read -r failed errors total < <(sed -E 's/^([0-9]+) failed, ([0-9]+) error\(s\) of ([0-9]+) tests$/\1 \2 \3/' <<<"${result:-0 failed, 0 error(s) of 0 tests}")
  wrong=$((failed + errors))
  if ((total == 0)); then
    tail -n 40 "$log" >&2
    fail "no test of $2 ran"
  fi
  if ((wrong > 0 || status != 0)); then
    tail -n "+$begin" "$log" | grep -vE ' (INFO|DEBUG) ' | tail -n 200 >&2 || true
    ((wrong > 0)) || wrong=1
    # At the end what failed alone: a line of the log, and its traceback.
    echo "what failed in $2:" >&2
    tail -n "+$begin" "$log" | awk '/^[0-9]{4}-/ { told = / (FAIL|ERROR): | CRITICAL / } told' | tail -n 60 >&2
  fi
  bad=$((bad + wrong))
  ((wrong >= total)) || passed=$((passed + total - wrong))
}

# What an addon can leave behind in a database, one line each.
trace() {
  docker_cmd exec -i "$run-db" psql -U odoo -d "$1" -v ON_ERROR_STOP=1 -At <"$here/uninstall/trace.sql"
}

# Adds one to passed or bad.
test_uninstall() {
  local before after left
  docker_cmd exec "$run-db" createdb -U odoo -T shop uninstall
  before=$(trace uninstall)
  if run_odoo uninstall -i saas_bridge_website &&
    run_shell uninstall "$here/uninstall/use.py" used &&
    run_shell uninstall "$here/uninstall/uninstall.py" uninstalled; then
    after=$(trace uninstall)
    left=$(diff <(echo "$before") <(echo "$after")) || true
  else
    left="the addons could not be installed, used and uninstalled: $(tail -n 20 "$log")"
  fi
  if [[ -z $left ]]; then
    passed=$((passed + 1))
  else
    printf 'the uninstalled addons leave (>) or miss (<):\n%s\n' "$left" >&2
    bad=$((bad + 1))
  fi
}

# Adds one for each thing measured to passed or bad.
measure_scale() {
  local measured slow
  if ! { run_odoo test -i saas_bridge && run_shell test "$here/scale/fill.py" filled && run_shell test "$here/scale/measure.py" measured; }; then
    tail -n 30 "$log" >&2
    fail "the orders could not be made and measured"
  fi
  sed -n '/seconds  queries$/,/ over 0.5 s$/p' "$log"
  read -r measured slow < <(sed -nE 's/^([0-9]+) measured, ([0-9]+) over 0.5 s$/\1 \2/p' "$log")
  passed=$((passed + measured - slow))
  bad=$((bad + slow))
}

# run_shell DATABASE SCRIPT WORD: the shell goes on after an error, so that the script has to say the word at its end.
run_shell() {
  docker_cmd run --rm -i --name "$run-odoo" --network "$run" -e HOST="$run-db" -e USER=odoo -e PASSWORD=odoo -e ORDERS="${ORDERS:-50000}" \
    -v "$here:/mnt/extra-addons:ro" "$ODOO_IMAGE" odoo shell -d "$1" --no-http <"$2" 2>&1 |
    tee -a "$log" | grep -x "$3" >/dev/null
}

[[ -n $tags && $tags != uninstall ]] || test_uninstall
[[ $tags != scale ]] || measure_scale
[[ $tags == uninstall || $tags == scale || $tags == *saas_bridge_website* ]] || test_addon test saas_bridge "${tags:-/saas_bridge}"
[[ -n $tags && $tags != *saas_bridge_website* ]] || test_addon shop saas_bridge_website "${tags:-/saas_bridge_website}"

[[ -z $keep ]] || echo "log: $log" >&2
echo "$passed passed, $bad failed"
((bad == 0))
