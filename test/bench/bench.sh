#!/usr/bin/env bash
# npm run bench: packages, build, then bench.ts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
compose/bootstrap.sh
npm run --silent build
exec node --import tsx test/bench/bench.ts "$@"
