#!/usr/bin/env bash
# Usage: compose/images.sh [--help] [--node-image] [NAME...]
#
# Makes the images of the machine present: odoo, postgres, backup, node, mail (these without NAME), edge for https;
# browser, acme (a certificate authority) and targets (of backups) for the tests.
# An image that is here is kept; else it is pulled; else it is built from Debian's packages with the
# Dockerfiles in compose/images/, to the same contract as the official one. A locally built image is
# built again when its folder changes; a pulled one never is.
#
#   --node-image         print the name of the Node image that is present, for NODE_IMAGE build arguments
#
#   ODOO_IMAGE           default odoo:19.0
#   POSTGRES_IMAGE       default postgres:17
#   IMAGE_PULL_SECONDS   time limit for one pull (default 600; 0 = never pull)
#   DEBIAN_MIRROR        Debian archive to build from (default: the one apt uses here)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ODOO_IMAGE=${ODOO_IMAGE:-odoo:19.0}
POSTGRES_IMAGE=${POSTGRES_IMAGE:-postgres:17}
DEBIAN_IMAGE=debian:trixie-slim
NODE_OFFICIAL=node:22-trixie-slim
NODE_LOCAL=saas-bridge/node
MAIL_IMAGE=saas-bridge/mail
BROWSER_IMAGE=saas-bridge/browser
EDGE_IMAGE=saas-bridge/edge
ACME_IMAGE=saas-bridge/acme
BACKUP_IMAGE=saas-bridge/backup
TARGETS_IMAGE=saas-bridge/targets
IMAGE_PULL_SECONDS=${IMAGE_PULL_SECONDS:-600}
LABEL=saas-bridge.build
PULLS_FAIL=

present() {
  docker_cmd image inspect "$1" >/dev/null 2>&1
}

# pull IMAGE: false when it cannot be had. A registry that cannot be reached is not asked twice.
pull() {
  [[ -z $PULLS_FAIL && $IMAGE_PULL_SECONDS != 0 ]] || return 1
  log "pulling $1"
  local reason
  reason=$(timeout "$IMAGE_PULL_SECONDS" "$(docker_bin)" pull -q "$1" 2>&1 >/dev/null) && return
  log "cannot pull $1 (${reason##*: }), building it from Debian's packages"
  PULLS_FAIL=yes
  return 1
}

# folder_hash FOLDER [SALT...]: changes when a file of the folder or one of the salts does.
folder_hash() {
  local folder=$1
  shift
  {
    printf '%s\n' "$@"
    (cd "$folder" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
  } | sha256sum | cut -c 1-16
}

# build TAG FOLDER [ARGUMENT=VALUE...]: builds unless the image was built from the same folder and base.
build() {
  local tag=$1 name=$2 folder=$COMPOSE_DIR/images/$2 hash options=() pair
  shift 2
  hash=$(folder_hash "$folder" "$@")
  [[ $(docker_cmd image inspect --format "{{index .Config.Labels \"$LABEL\"}}" "$tag" 2>/dev/null) != "$hash" ]] || return 0
  for pair in "$@" DEBIAN_MIRROR="$(debian_mirror)" EXTRA_CA="$(extra_ca)"; do
    grep -q "^ARG ${pair%%=*}\b" "$folder/Dockerfile" && options+=(--build-arg "$pair")
  done
  for pair in http_proxy https_proxy no_proxy; do
    [[ -z ${!pair:-} ]] || options+=(--build-arg "$pair=${!pair}")
  done
  local build_log
  build_log=$(mktemp)
  log "building $tag"
  # The classic builder is everywhere; the host's network reaches the mirrors the host reaches.
  if ! DOCKER_BUILDKIT=0 docker_cmd build --force-rm --network host --label "$LABEL=$hash" "${options[@]}" -t "$tag" "$folder" >"$build_log" 2>&1; then
    tail -n 30 "$build_log" >&2
    die "building $tag failed, the whole output is in $build_log"
  fi
  rm -f "$build_log"
  log "built $tag"
}

# built_here TAG: it carries our label, so we made it.
built_here() {
  [[ -n $(docker_cmd image inspect --format "{{index .Config.Labels \"$LABEL\"}}" "$1" 2>/dev/null) ]]
}

build_debian() {
  local mirror security root
  ! present "$DEBIAN_IMAGE" || return 0
  ! pull "$DEBIAN_IMAGE" || return 0
  need_root
  command -v debootstrap >/dev/null || apt_install debootstrap debian-archive-keyring
  mirror=$(debian_mirror)
  security=${mirror%/debian}/debian-security
  root=$(mktemp -d "${TMPDIR:-/var/tmp}/saas-debian.XXXXXX")
  chmod 0755 "$root"
  log "building $DEBIAN_IMAGE with debootstrap"
  if ! debootstrap --variant=minbase --include=ca-certificates --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    trixie "$root" "$mirror" >"$root.log" 2>&1; then
    tail -n 5 "$root.log" >&2
    rm -rf "$root"
    die "debootstrap failed, its output is in $root.log"
  fi
  {
    printf 'deb %s trixie main\n' "$mirror"
    printf 'deb %s trixie-updates main\n' "$mirror"
    printf 'deb %s trixie-security main\n' "$security"
  } >"$root/etc/apt/sources.list"
  # What the official image does as well: no services at install, no kept downloads, no documentation.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 0755 "$root/usr/sbin/policy-rc.d"
  printf 'Acquire::Languages "none";\nAPT::Install-Recommends "false";\nAcquire::Retries "3";\n' >"$root/etc/apt/apt.conf.d/80small"
  printf 'path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\n' >"$root/etc/dpkg/dpkg.cfg.d/small"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb \
    "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/var/log/*.log
  tar -C "$root" --numeric-owner --one-file-system -c . |
    docker_cmd import -c 'CMD ["bash"]' -c "LABEL $LABEL=debootstrap" - "$DEBIAN_IMAGE" >/dev/null
  rm -rf "$root" "$root.log"
  log "built $DEBIAN_IMAGE"
}

# ensure TAG FOLDER: here and not ours → keep; here and ours → build if changed; absent → pull or build.
ensure() {
  local tag=$1 name=$2
  if present "$tag"; then
    built_here "$tag" || return 0
  elif pull "$tag"; then
    return
  fi
  build_debian
  build "$tag" "$name" DEBIAN_IMAGE="$DEBIAN_IMAGE"
}

node_image() {
  if present "$NODE_OFFICIAL"; then printf '%s\n' "$NODE_OFFICIAL"; else printf '%s\n' "$NODE_LOCAL"; fi
}

ensure_node() {
  present "$NODE_OFFICIAL" && return
  present "$NODE_LOCAL" || ! pull "$NODE_OFFICIAL" || return 0
  build_debian
  build "$NODE_LOCAL" node DEBIAN_IMAGE="$DEBIAN_IMAGE"
}

ensure_one() {
  case $1 in
    odoo) ensure "$ODOO_IMAGE" odoo ;;
    postgres) ensure "$POSTGRES_IMAGE" postgres ;;
    node) ensure_node ;;
    mail) ensure_node && build "$MAIL_IMAGE" mail NODE_IMAGE="$(node_image)" ;;
    browser) build_debian && build "$BROWSER_IMAGE" browser DEBIAN_IMAGE="$DEBIAN_IMAGE" ;;
    edge) build_debian && build "$EDGE_IMAGE" edge DEBIAN_IMAGE="$DEBIAN_IMAGE" ;;
    acme) build_debian && build "$ACME_IMAGE" acme DEBIAN_IMAGE="$DEBIAN_IMAGE" ;;
    backup) build_debian && build "$BACKUP_IMAGE" backup DEBIAN_IMAGE="$DEBIAN_IMAGE" ;;
    targets) build_debian && build "$TARGETS_IMAGE" targets DEBIAN_IMAGE="$DEBIAN_IMAGE" ;;
    *) die "unknown image '$1': choose among odoo, postgres, backup, node, mail, browser, edge, acme, targets" ;;
  esac
}

main() {
  local name
  need_engine
  for name in "$@"; do ensure_one "$name"; done
  log "images ready: $*"
}

NAMES=()
for argument in "$@"; do
  case $argument in
    -h | --help)
      usage "$0"
      exit
      ;;
    --node-image)
      node_image
      exit
      ;;
    -*) die "unknown option '$argument', see --help" ;;
    *) NAMES+=("$argument") ;;
  esac
done
[[ ${#NAMES[@]} -gt 0 ]] || NAMES=(postgres odoo backup node mail)
with_lock images main "${NAMES[@]}"
