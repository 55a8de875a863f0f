#!/usr/bin/env bash
# Usage: compose/engine.sh [--help]
#
# Makes a Docker engine and Docker Compose answer on this machine (Debian 12, 13 or Ubuntu, as root).
# An engine that answers already is left alone. Otherwise the distribution's packages are installed and
# the engine is started: by systemd where it runs, by hand where it does not.
#
#   ENGINE_WAIT_SECONDS  how long to wait for the engine (default 60)
#   DOCKER               the Docker client to use (default /usr/bin/docker)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ENGINE_LOG=/var/log/dockerd-saas.log
ENGINE_WAIT_SECONDS=${ENGINE_WAIT_SECONDS:-60}

start_engine() {
  if [[ -d /run/systemd/system ]]; then
    log "starting the engine with systemd"
    systemctl enable --now docker >/dev/null 2>&1 || true
  elif pgrep -x dockerd >/dev/null; then
    log "an engine is starting already"
  else
    log "starting the engine by hand, its log is $ENGINE_LOG"
    setsid dockerd </dev/null >>"$ENGINE_LOG" 2>&1 9>&- &
    disown
  fi
  local until=$((SECONDS + ENGINE_WAIT_SECONDS))
  until engine_answers; do
    ((SECONDS < until)) || die "the engine did not answer in ${ENGINE_WAIT_SECONDS} s; last lines of its log: $(tail -n 5 "$ENGINE_LOG" 2>/dev/null || journalctl -u docker -n 5 --no-pager 2>/dev/null)"
    sleep 0.3
  done
}

# candidate PACKAGE: the version apt would install, empty if none.
candidate() {
  apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# Debian 12 packages Compose 1 only. Debian 13's package is one static program, so it runs here too:
# fetch it with apt (signature checked) from a private source list and keep nothing but the plugin.
plugin_from_trixie() {
  local work plugin
  work=$(mktemp -d)
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/out"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$(debian_mirror)" >"$work/sources.list"
  local options=(-q -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$work/lists"
    -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
  if (cd "$work/out" && apt-get "${options[@]}" update && apt-get "${options[@]}" download docker-compose &&
    dpkg-deb -x docker-compose_*.deb "$work/x") >>"$APT_LOG" 2>&1; then
    plugin=$(find "$work/x" -type f -name docker-compose -path '*cli-plugins*' | head -n 1)
    if [[ -n $plugin ]] && "$plugin" docker-cli-plugin-metadata >/dev/null 2>&1; then
      install -D -m 0755 "$plugin" /usr/local/lib/docker/cli-plugins/docker-compose
    fi
  fi
  rm -rf "$work"
  docker_cmd compose version >/dev/null 2>&1
}

install_compose() {
  [[ -n $(candidate docker.io) ]] || with_lock apt apt_refresh
  if [[ -n $(candidate docker-compose-v2) ]]; then
    apt_install docker-compose-v2
  elif [[ $(candidate docker-compose) == [2-9]* ]]; then
    apt_install docker-compose
  elif plugin_from_trixie; then
    log "installed Debian 13's compose plugin"
  else
    log "no compose plugin runs here, falling back to docker-compose 1"
    apt_install docker-compose
  fi
  compose_answers || die "Docker Compose was installed but does not answer"
}

main() {
  if ! engine_answers; then
    need_root
    if ! command -v dockerd >/dev/null || [[ ! -x $(docker_bin) ]]; then
      log "installing the Docker engine"
      if [[ -n $(candidate docker-cli) ]]; then
        apt_install docker.io docker-cli iptables procps ca-certificates
      else
        apt_install docker.io iptables procps ca-certificates
      fi
    fi
    start_engine
  fi
  if ! compose_answers; then
    need_root
    log "installing Docker Compose"
    install_compose
  fi
  log "engine $(docker_cmd version --format '{{.Server.Version}}'), compose $(compose_cmd version --short 2>/dev/null)"
}

case ${1:-} in
  -h | --help) usage "$0" ;;
  '') with_lock engine main ;;
  *) die "unknown argument '$1', see --help" ;;
esac
