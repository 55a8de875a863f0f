#!/usr/bin/env bash
# Makes a bare clone runnable: checks Node, installs the packages of package-lock.json when they are missing or old.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v node >/dev/null || ! node -e 'const [a,b]=process.versions.node.split(".");process.exit(a>20||(a==20&&b>=19)?0:1)'; then
  echo "Node.js 20.19 or later is needed; found: $(node --version 2>/dev/null || echo none). Install it and run this again." >&2
  exit 2
fi
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing packages (about a minute the first time) …" >&2
  # Of no package but one is a script run, whatever the version of npm makes of allowScripts.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  npm rebuild better-sqlite3 --loglevel=error >&2
  touch node_modules/.package-lock.json
fi
