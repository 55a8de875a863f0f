#!/bin/bash
# shellcheck disable=SC2154
# Runs after targets.sh in a one-shot container of the backup image. A constant. Looks whether everything is there that any
# backup needs, and reads a twelfth of it, another one each month: in a year all of it.
timeout 21000 "${restic[@]}" check -q --no-lock --read-data-subset="$((10#$(date +%m)))/12" >/tmp/result 2>"$errors" ||
  target_failed $?
