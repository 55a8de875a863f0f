#!/usr/bin/env bash
# Usage: compose/lint.sh [--help] [shell|python]...
#
# Looks at every shell script (shellcheck) and every Python file (flake8) of this repository, those that git does not know
# yet too; without an argument at both. What they ask for is in .shellcheckrc and .flake8. A linter that is missing is
# installed from the distribution's packages, which needs root.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# files PATTERN...: what git has and does not ignore, and is still there.
files() {
  local file
  while IFS= read -r -d '' file; do
    [[ ! -f $file ]] || printf '%s\n' "$file"
  done < <(git ls-files -z --cached --others --exclude-standard -- "$@")
}

# shell_scripts: by their name, or by their first line.
shell_scripts() {
  local file first
  while IFS= read -r file; do
    IFS= read -r first <"$file" || true
    if [[ $file == *.sh || $first =~ ^#!.*[/\ ](ba|da)?sh([[:space:]]|$) ]]; then printf '%s\n' "$file"; fi
  done < <(files) 2>/dev/null
}

# need PROGRAM: the distribution's package has the same name.
need() {
  command -v "$1" >/dev/null && return
  need_root
  log "installing $1"
  apt_install "$1"
}

# look NAME PROGRAM FILE...
look() {
  local name=$1 program=$2
  shift 2
  (($# > 0)) || die "there is no $name to look at"
  "$program" "$@" || die "$program has something to say of $name"
  log "$program has nothing to say of $# files of $name"
}

lint_shell() {
  local scripts
  with_lock lint need shellcheck
  mapfile -t scripts < <(shell_scripts)
  look shell shellcheck "${scripts[@]}"
}

lint_python() {
  local sources
  with_lock lint need flake8
  mapfile -t sources < <(files '*.py')
  look Python flake8 "${sources[@]}"
}

cd "$REPO_DIR"
for argument in "$@"; do
  case $argument in
    -h | --help)
      usage "${BASH_SOURCE[0]}"
      exit
      ;;
    shell | python) ;;
    *) die "unknown argument '$argument', see --help" ;;
  esac
done
[[ $# -gt 0 ]] || set -- shell python
for argument in "$@"; do "lint_$argument"; done
