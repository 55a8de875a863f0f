#!/bin/bash
# shellcheck disable=SC2154
# Runs after targets.sh in a one-shot container of the backup image. A constant. Removes all backups of a repository, and where it
# is a folder here the folder too. That there is none is as good.
address=$(<"$values/repository")
if [[ $address == /repository/?*/?* ]]; then
  rm -rf -- "$address"
  exit
fi
code=0
ask 20000 forget -q --host instance --unsafe-allow-remove-all --prune || code=$?
if ((code != 0 && code != 10)); then target_failed "$code"; fi
# A target that only takes what is new says so, and ends well.
if grep -qi 'unable to remove' "$errors"; then target_failed 1; fi
