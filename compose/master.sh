#!/usr/bin/env bash
# Usage: compose/master.sh COMMAND [OPTION...]
#
# The demonstration master: the shop (Odoo), its database and a mail catcher, on 127.0.0.1 only.
#
#   up        start it; the first time the database is prepared (about two minutes), later copied
#   down      remove its containers, network and data; prepared templates stay
#   update    install new addons of the addon folder and update the others, in the data that is there
#   status    what runs, and where
#   shell     an Odoo shell in it; psql: an SQL prompt; logs: what its containers say
#
#   --project NAME     name of the containers, volumes and state file (default saas-master)
#   --port N           the shop (default 8069)
#   --mail-port N      web page and API of the mail catcher (default 1080)
#   --smtp-port N      SMTP of the mail catcher (default 1025)
#   --state-dir DIR    where up writes NAME.json and NAME.api-key (default .state/ in the repository)
#   --addons DIR       the folder with our addons (default odoo-addon-stub/ in the repository)
#   --fresh            up: throw the data of this project away and begin again
#   --templates        down: remove the prepared templates too
#
# The same as variables: MASTER_PROJECT, MASTER_PORT, MAIL_PORT, SMTP_PORT, STATE_DIR, ADDONS_DIR.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PROJECT=${MASTER_PROJECT:-saas-master}
STATE_DIR=${STATE_DIR:-$REPO_DIR/.state}
export MASTER_PORT=${MASTER_PORT:-8069} MAIL_PORT=${MAIL_PORT:-1080} SMTP_PORT=${SMTP_PORT:-1025}
export ADDONS_DIR=${ADDONS_DIR:-$REPO_DIR/odoo-addon-stub}
export ODOO_IMAGE=${ODOO_IMAGE:-odoo:19.0} POSTGRES_IMAGE=${POSTGRES_IMAGE:-postgres:17}
MAIL_IMAGE=saas-bridge/mail
VOLUMES=(db data secrets)
KEEP_TEMPLATES=2
START_SECONDS=180
COMMAND=
FRESH=
TEMPLATES=

while (($# > 0)); do
  case $1 in
    -h | --help)
      usage "$0"
      exit
      ;;
    --fresh) FRESH=yes ;;
    --templates) TEMPLATES=yes ;;
    --project | --port | --mail-port | --smtp-port | --state-dir | --addons)
      [[ -n ${2:-} ]] || die "$1 needs a value, see --help"
      case $1 in
        --project) PROJECT=$2 ;;
        --port) MASTER_PORT=$2 ;;
        --mail-port) MAIL_PORT=$2 ;;
        --smtp-port) SMTP_PORT=$2 ;;
        --state-dir) STATE_DIR=$2 ;;
        --addons) ADDONS_DIR=$2 ;;
      esac
      shift
      ;;
    -*) die "unknown option '$1', see --help" ;;
    *)
      [[ -z $COMMAND ]] || die "one command at a time, see --help"
      COMMAND=$1
      ;;
  esac
  shift
done
[[ $PROJECT =~ ^[a-z0-9][a-z0-9_-]*$ ]] || die "the project name '$PROJECT' may hold a-z, 0-9, _ and - only"
export MASTER_URL=http://127.0.0.1:$MASTER_PORT

# of PROJECT ARGUMENT...: Docker Compose for one project; what it says is shown only when it fails.
of() {
  local project=$1 output
  shift
  output=$(mktemp)
  if ! compose_cmd -p "$project" -f "$COMPOSE_DIR/master/docker-compose.yml" "$@" >"$output" 2>&1 </dev/null; then
    tail -n 40 "$output" >&2
    rm -f "$output"
    return 1
  fi
  rm -f "$output"
}

# in_master ARGUMENT...: the same for this project, talking to the terminal.
in_master() {
  compose_cmd -p "$PROJECT" -f "$COMPOSE_DIR/master/docker-compose.yml" "$@"
}

volume_exists() {
  docker_cmd volume inspect "$1" >/dev/null 2>&1
}

# create_volumes PROJECT LABEL: labelled the way Compose labels its own, so that it takes them for its own.
create_volumes() {
  local volume
  for volume in "${VOLUMES[@]}"; do
    docker_cmd volume create --label "com.docker.compose.project=$1" --label "com.docker.compose.volume=$volume" \
      --label "$2" "$1_$volume" >/dev/null
  done
}

# remove_project PROJECT: containers, network, volumes and markers. The markers go first: what has none
# counts as half made.
remove_project() {
  local volume
  for volume in "$1_ready" "$1_done"; do
    ! volume_exists "$volume" || docker_cmd volume rm "$volume" >/dev/null
  done
  of "$1" down --volumes --remove-orphans --timeout 5
  for volume in "${VOLUMES[@]}"; do
    ! volume_exists "$1_$volume" || docker_cmd volume rm "$1_$volume" >/dev/null
  done
}

# copy_volumes FROM TO
copy_volumes() {
  local mounts=() volume
  for volume in "${VOLUMES[@]}"; do
    mounts+=(-v "$1_$volume:/from/$volume:ro" -v "$2_$volume:/to/$volume")
  done
  # shellcheck disable=SC2016  # expanded in the container
  docker_cmd run --rm --network none --user root --entrypoint sh "${mounts[@]}" "$POSTGRES_IMAGE" -ec '
    for volume in "$@"; do
      find "/to/$volume" -mindepth 1 -delete
      cp -a --reflink=auto "/from/$volume/." "/to/$volume/"
    done' sh "${VOLUMES[@]}"
}

hash_of() {
  sha256sum | cut -c 1-12
}

# Sets BASE and SHOP, the names of the two templates this machine needs: they carry a hash of what went in.
name_templates() {
  local base_key
  base_key=$({
    docker_cmd image inspect --format '{{.Id}}' "$ODOO_IMAGE" "$POSTGRES_IMAGE"
    cd "$COMPOSE_DIR/master" && cat base.py db.sh && grep '^MODULES=' odoo.sh
  } | hash_of)
  BASE=saas-template-base-$base_key
  SHOP=saas-template-shop-$({
    printf '%s\n' "$base_key"
    cat "$COMPOSE_DIR/master/"{odoo.sh,seed.py,warm.py}
    [[ ! -d $ADDONS_DIR ]] || (cd "$ADDONS_DIR" && find -L . -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0r sha256sum)
  } | hash_of)
}

# shrink PROJECT: drops the used-up log segments of a database that was stopped cleanly: less to copy.
shrink() {
  docker_cmd run --rm --network none --user postgres --entrypoint pg_resetwal -v "$1_db:/var/lib/postgresql/data" \
    "$POSTGRES_IMAGE" -D /var/lib/postgresql/data >/dev/null
}

# prepare NAME STEP [FROM]: builds a template and marks it done as the last thing.
prepare() {
  local name=$1 step=$2 from=${3:-}
  remove_project "$name"
  create_volumes "$name" "saas-bridge.template=$step"
  [[ -z $from ]] || copy_volumes "$from" "$name"
  of "$name" up -d --no-deps db || die "the database of the template does not start"
  of "$name" run --rm -T --no-deps odoo "$step" || die "preparing the $step template failed: the reason is above"
  of "$name" down --timeout 30
  shrink "$name"
  docker_cmd volume create --label "saas-bridge.template=$step" "${name}_done" >/dev/null
}

# prune_templates: of each kind the newest ones and those in use now are kept, half-made ones go.
prune_templates() {
  local step name kept
  for step in base addons; do
    kept=0
    while read -r name; do
      if volume_exists "${name}_done" && [[ $name == "$BASE" || $name == "$SHOP" || $kept -lt $KEEP_TEMPLATES ]]; then
        kept=$((kept + 1))
      else
        log "removing the old template $name"
        remove_project "$name"
      fi
    done < <(templates "$step")
  done
}

# templates STEP: names of the templates of this kind, newest first.
templates() {
  docker_cmd volume ls -q --filter "label=saas-bridge.template=$1" |
    xargs -r "$(docker_bin)" volume inspect --format '{{.CreatedAt}} {{.Name}}' |
    sort -r | sed -E 's/^[^ ]+ //; s/_(db|data|secrets|done)$//' | awk '!seen[$0]++'
}

ensure_templates() {
  local empty
  ! volume_exists "${SHOP}_done" || return 0
  if ! volume_exists "${BASE}_done"; then
    log "preparing the shop's database (once, about a minute)"
    empty=$(mktemp -d)
    chmod 0755 "$empty"
    ADDONS_DIR=$empty prepare "$BASE" base
    rmdir "$empty"
    log "prepared $BASE"
  fi
  if compgen -G "$ADDONS_DIR/*/__manifest__.py" >/dev/null; then
    log "preparing the addons and the plans"
  else
    log "there is no addon in $ADDONS_DIR: preparing the plans without it"
  fi
  prepare "$SHOP" addons "$BASE"
  log "prepared $SHOP"
  prune_templates
}

ensure_images() {
  docker_cmd image inspect "$ODOO_IMAGE" "$POSTGRES_IMAGE" "$MAIL_IMAGE" >/dev/null 2>&1 ||
    "$COMPOSE_DIR/images.sh" postgres odoo mail
}

wait_for_http() {
  local until=$((SECONDS + START_SECONDS))
  until curl -fs -o /dev/null -m 5 "$1"; do
    if ((SECONDS >= until)); then
      in_master logs --tail 20 odoo >&2 || true
      die "$1 did not answer in $START_SECONDS s"
    fi
    sleep 0.2
  done
}

write_state() {
  mkdir -p "$STATE_DIR"
  chmod 0700 "$STATE_DIR"
  STATE_DIR=$(cd "$STATE_DIR" && pwd)
  docker_cmd run --rm --network none --user root --entrypoint python3 \
    -v "${PROJECT}_secrets:/secrets:ro" -v "$STATE_DIR:/state" -v "$COMPOSE_DIR/master:/start:ro" "$ODOO_IMAGE" \
    /start/state.py "$PROJECT" "$STATE_DIR" "$(id -u):$(id -g)" \
    "$MASTER_URL" "http://127.0.0.1:$MAIL_PORT" "127.0.0.1:$SMTP_PORT"
}

# The template that the data of this project was copied from.
source_template() {
  docker_cmd volume inspect --format '{{index .Labels "saas-bridge.source"}}' "${PROJECT}_ready" 2>/dev/null || true
}

# Data that plain `docker compose up` made is kept as it is; what we copied ourselves and did not finish is not.
adopt() {
  if volume_exists "${PROJECT}_db" && ! volume_exists "${PROJECT}_ready" &&
    [[ -z $(docker_cmd volume inspect --format '{{index .Labels "saas-bridge.source"}}' "${PROJECT}_db") ]]; then
    docker_cmd volume create --label saas-bridge.source=compose "${PROJECT}_ready" >/dev/null
  fi
}

up() {
  local state copied=
  need_engine
  need_curl
  ensure_images
  name_templates
  adopt
  if [[ -n $FRESH ]] || ! volume_exists "${PROJECT}_ready"; then
    ensure_templates
    remove_project "$PROJECT"
    create_volumes "$PROJECT" "saas-bridge.source=$SHOP"
    copy_volumes "$SHOP" "$PROJECT"
    docker_cmd volume create --label "saas-bridge.source=$SHOP" "${PROJECT}_ready" >/dev/null
    copied=yes
    log "copied $SHOP"
  elif [[ $(source_template) != "$SHOP" && $(source_template) != compose ]]; then
    log "note: the data is older than the addons or the images here; --fresh begins again, the command update keeps the data"
  fi
  of "$PROJECT" up -d || die "the master does not start: the reason is above (a port in use? see --help)"
  wait_for_http "$MASTER_URL/web/login"
  state=$STATE_DIR/$PROJECT.json
  if [[ -n $copied || ! -f $STATE_DIR/$PROJECT.api-key ]] || ! grep -qs "\"$MASTER_URL\"" "$state" ||
    ! grep -qs "\"http://127.0.0.1:$MAIL_PORT\"" "$state"; then
    write_state
  fi
  log "the master answers at $MASTER_URL, mails at http://127.0.0.1:$MAIL_PORT, logins in $state"
}

down() {
  local step name
  need_engine
  remove_project "$PROJECT"
  rm -f "$STATE_DIR/$PROJECT.json" "$STATE_DIR/$PROJECT.api-key"
  log "removed $PROJECT"
  if [[ -n $TEMPLATES ]]; then
    for step in base addons; do
      while read -r name; do
        remove_project "$name"
        log "removed $name"
      done < <(templates "$step")
    done
  fi
}

update() {
  need_engine
  volume_exists "${PROJECT}_ready" || die "there is no master '$PROJECT' yet: run $0 up"
  of "$PROJECT" stop odoo
  of "$PROJECT" up -d --no-deps db
  of "$PROJECT" run --rm -T --no-deps odoo update || die "the update failed: the reason is above"
  name_templates
  docker_cmd volume rm "${PROJECT}_ready" >/dev/null
  docker_cmd volume create --label "saas-bridge.source=$SHOP" "${PROJECT}_ready" >/dev/null
  up
}

status() {
  need_engine
  docker_cmd ps -a --filter "label=com.docker.compose.project=$PROJECT" --format 'table {{.Names}}\t{{.Status}}\t{{.Ports}}'
  printf 'data from: %s\ntemplates:\n' "$(source_template)"
  { templates base && templates addons; } | sed 's/^/  /'
  docker_cmd ps -q --filter "label=com.docker.compose.project=$PROJECT" --filter label=com.docker.compose.service=odoo | grep -q .
}

case $COMMAND in
  up | down | update) with_lock master "$COMMAND" ;;
  status) status ;;
  shell) in_master exec odoo odoo shell -c /secrets/odoo.conf -d master --no-http ;;
  psql) in_master exec db psql -U odoo master ;;
  logs) in_master logs --tail 200 ;;
  '') die "which command? up, down, update, status, shell, psql or logs; see --help" ;;
  *) die "unknown command '$COMMAND', see --help" ;;
esac
