#!/usr/bin/env bash
# Usage: npm run screens [-- OPTIONS OF MOCHA]
#
# Takes a picture of every page and mail that people see, in Spanish and English, 1280 and 390 pixels wide, into screens/,
# which git ignores. Runs the tests of pages to get there: what they complain of is printed, the pictures are taken all the same.
#
#   TEST_LOOKS   some of es-1280,es-390,en-1280,en-390 (default: all)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "${BASH_SOURCE[0]}"
  exit
fi
compose/bootstrap.sh
npm run --silent build
compose/engine.sh
compose/images.sh postgres odoo backup node mail browser
rm -rf screens
status=0
SCREENS=$PWD/screens npx mocha --spec 'test/pages/**/*.test.ts' "$@" || status=$?
echo "$(find screens -name '*.png' 2>/dev/null | wc -l) pictures in $PWD/screens"
exit "$status"
