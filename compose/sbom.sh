#!/usr/bin/env bash
# Usage: compose/sbom.sh [--help] [FOLDER]
#
# Writes what the program is made of to FOLDER (default: sbom): the npm packages of the daemon as CycloneDX, and the
# Debian packages of each of our images that is on the engine, a line each: name, version, architecture.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  -h | --help)
    usage "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-sbom}
mkdir -p "$folder"
npm sbom --omit dev --sbom-format cyclonedx >"$folder/daemon.cdx.json"
echo "$folder/daemon.cdx.json: $(grep -c '"purl"' "$folder/daemon.cdx.json") packages"

if ! docker_cmd info >/dev/null 2>&1; then
  echo "No Docker engine answers: the images are left out." >&2
  exit 0
fi
images=$(docker_cmd image ls --format '{{.Repository}}:{{.Tag}}' --filter dangling=false | grep -E '^(odoo|postgres|saas-bridge/[a-z-]+):' || true)
for image in $images; do
  file=$folder/$(printf '%s' "$image" | tr '/:' '__').packages.txt
  # shellcheck disable=SC2016  # dpkg-query's own variables
  docker_cmd run --rm --network none --entrypoint dpkg-query "$image" \
    --show --showformat '${Package}\t${Version}\t${Architecture}\n' >"$file"
  echo "$file: $(wc -l <"$file") packages"
done
