#!/usr/bin/env bash
# npm test: everything, from a bare clone. Options are given to mocha: npm test -- --grep 'renewal'
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# On a bare machine images and packages take minutes each, on a core each. The suites "engine" and "images" wait for this
# run, do what it could not, and say so.
test/machine.sh >/dev/null 2>&1 &
compose/bootstrap.sh
exec node --import tsx test/run.ts "$@"
