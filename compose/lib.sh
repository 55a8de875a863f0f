# shellcheck shell=bash
# Functions shared by the scripts of this folder. Source it, do not run it.

COMPOSE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034  # read by the scripts that source this file
REPO_DIR=$(dirname "$COMPOSE_DIR")
LOG_STARTED=$SECONDS

# log TEXT: a progress line on stderr with the seconds since the script began.
log() {
  if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
    printf '\033[2m[%3ds]\033[0m %s\n' $((SECONDS - LOG_STARTED)) "$*" >&2
  else
    printf '[%3ds] %s\n' $((SECONDS - LOG_STARTED)) "$*" >&2
  fi
}

# die TEXT: says what went wrong and ends the script.
die() {
  log "error: $*"
  exit 1
}

# usage FILE: prints the comment block at the head of a script as its help.
usage() {
  awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$1"
}

need_root() {
  [[ $(uname -s) == Linux ]] || die "this needs Linux (Debian 12, 13 or Ubuntu); on another system install Docker Desktop yourself"
  [[ $(id -u) == 0 ]] || die "this needs root: run it again as root or with sudo"
}

# docker_bin: the Docker client that belongs to the engine. Distributions put it in /usr/bin; a client
# earlier on PATH may come from somewhere else and lack the compose plugin. DOCKER overrides the choice.
docker_bin() {
  if [[ -n ${DOCKER:-} ]]; then
    printf '%s\n' "$DOCKER"
  elif [[ -x /usr/bin/docker ]]; then
    printf '/usr/bin/docker\n'
  else
    command -v docker || printf 'docker\n'
  fi
}

docker_cmd() {
  "$(docker_bin)" "$@"
}

# compose_cmd: Docker Compose, the plugin where there is one.
compose_cmd() {
  if docker_cmd compose version >/dev/null 2>&1; then
    docker_cmd compose "$@"
  elif command -v docker-compose >/dev/null; then
    docker-compose "$@"
  else
    die "Docker Compose is missing: run compose/engine.sh"
  fi
}

compose_answers() {
  docker_cmd compose version >/dev/null 2>&1 || docker-compose version >/dev/null 2>&1
}

engine_answers() {
  [[ -x $(docker_bin) ]] && timeout 10 "$(docker_bin)" info >/dev/null 2>&1
}

need_engine() {
  engine_answers || die "no Docker engine answers: run compose/engine.sh first (or start the engine you have)"
}

need_curl() {
  command -v curl >/dev/null || die "curl is missing: apt-get install curl"
}

# apt_install PACKAGE...: installs without recommended packages and without questions.
apt_install() {
  command -v apt-get >/dev/null || die "this system has no apt-get: install these yourself: $*"
  with_lock apt apt_install_alone "$@"
}

# The lists have no time-out of their own when another run refreshes them.
apt_install_alone() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o DPkg::Lock::Timeout=300 --no-install-recommends "$@" >"$APT_LOG" 2>&1 && return
  log "refreshing the package lists"
  apt_refresh
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o DPkg::Lock::Timeout=300 --no-install-recommends "$@" >"$APT_LOG" 2>&1 ||
    die "could not install $*, see $APT_LOG"
}

apt_refresh() {
  apt-get update -q >"$APT_LOG" 2>&1 || die "apt-get update failed, see $APT_LOG"
}
APT_LOG=/var/log/saas-apt.log

# debian_mirror: the Debian archive that apt uses here, or Debian's default.
debian_mirror() {
  local uri=''
  if [[ -n ${DEBIAN_MIRROR:-} ]]; then
    printf '%s\n' "${DEBIAN_MIRROR%/}"
    return
  fi
  if command -v apt-get >/dev/null; then
    # shellcheck disable=SC2016  # apt's own field syntax
    uri=$(apt-get indextargets --format '$(SITE)|$(ORIGIN)|$(LABEL)' 'Created-By: Packages' 2>/dev/null |
      awk -F'|' '$2 == "Debian" && $3 == "Debian" { print $1; exit }') || uri=''
  fi
  uri=${uri%/}
  printf '%s\n' "${uri:-http://deb.debian.org/debian}"
}

# extra_ca: certificates this machine's owner added to those it trusts (a network that inspects TLS).
extra_ca() {
  cat /usr/local/share/ca-certificates/*.crt 2>/dev/null || true
}

# with_lock NAME COMMAND...: one run at a time; a second one waits for the first. A command that fails ends the script.
with_lock() {
  local name=$1 dir=/run/lock file
  shift
  [[ -w $dir ]] || dir=${TMPDIR:-/tmp}
  file=$dir/saas-bridge-$name.lock
  [[ -e $file ]] || : >"$file"
  # Opened for reading: the file may belong to another user.
  exec 9<"$file"
  if ! flock -n 9; then
    log "another run holds the lock '$name', waiting for it"
    flock -w 1800 9 || die "the lock $file is still held after 30 minutes"
  fi
  "$@" 9>&-
  exec 9<&-
}
