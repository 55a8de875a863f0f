#!/usr/bin/env bash
# npm run demo: packages, build, then demo.ts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
compose/bootstrap.sh
npm run --silent build
exec node --import tsx compose/demo/demo.ts "$@"
