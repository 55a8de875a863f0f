#!/usr/bin/env bash
# npm test: everything, from a bare clone. Options are given to mocha: npm test -- --grep 'renewal'
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compose/bootstrap.sh
exec node --import tsx test/run.ts "$@"
