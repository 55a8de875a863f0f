#!/usr/bin/env bash
# test/machine.sh [engine|images]...: the engine, and every image that a test needs; without an argument both.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
(($# > 0)) || set -- engine images
for part in "$@"; do
  case $part in
    engine) compose/engine.sh ;;
    images) compose/images.sh postgres odoo backup node mail browser targets edge acme ;;
    *)
      echo "unknown part '$part': choose among engine, images" >&2
      exit 2
      ;;
  esac
done
