#!/bin/bash
# Put before each script that works on a repository of backups. A constant. The secrets come as a tar archive on standard
# input: repository (its address), password, and where the target needs them ca, s3, ssh_key with known_hosts, and others
# that the script itself uses. What ends the script because of the target says in its code why: 10 there is no repository, 11 it
# is locked, 12 another password, 70 it cannot be reached, 71 it refuses, 72 it is full, 73 it is damaged, 1 anything else.
set -euo pipefail
trap 'exit 143' TERM
umask 077
values=/dev/shm/values
errors=/tmp/errors
# What ssh says: restic may end before it has passed that on.
ssh_says=/tmp/ssh-says
mkdir "$values"
tar -x -C "$values" --no-same-owner
export RESTIC_REPOSITORY_FILE=$values/repository RESTIC_PASSWORD_FILE=$values/password
export GOGC=20 GOMAXPROCS=1 TMPDIR=/tmp HOME=/tmp
restic=(restic --no-cache)
if [[ -e $values/ca ]]; then export RESTIC_CACERT=$values/ca; fi
if [[ -e $values/s3 ]]; then export AWS_SHARED_CREDENTIALS_FILE=$values/s3; fi
if [[ -e $values/ssh_key ]]; then
  restic+=(-o "sftp.args=-i $values/ssh_key -o UserKnownHostsFile=$values/known_hosts -o StrictHostKeyChecking=yes
    -E $ssh_says -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=20 -o ServerAliveCountMax=3")
  restic[-1]=${restic[-1]//$'\n'/ }
fi

# What a target says that does not let the login in.
refusal='permission denied|access ?denied|InvalidAccessKeyId|access key id you provided|SignatureDoesNotMatch|signature we calculated|unauthorized|forbidden|read-only file system| 40[13]|host key|publickey'

# Ends with what the code of restic means; why, on one line of standard error.
target_failed() {
  if [[ -e $ssh_says ]]; then cat "$ssh_says" >>"$errors"; fi
  tr -s '[:space:]' ' ' <"$errors" | tail -c 600 >&2
  case $1 in
    10 | 11 | 12) exit "$1" ;;
  esac
  says() { grep -qiE "$1" "$errors"; }
  if (($1 == 124)) && ! says "$refusal"; then exit 70; fi
  if says 'no space left|quota|insufficient storage|507 |storagefull'; then exit 72; fi
  if says "$refusal"; then exit 71; fi
  if says 'ciphertext verification failed|invalid data returned|hash does not match|not found in (the )?index|damaged|corrupt|unexpected end|contains errors'; then exit 73; fi
  if says 'refused|no such host|time-?out|timed out|no route|unreachable|x509|connection reset|eof|resolv|deadline exceeded|client\.timeout'; then exit 70; fi
  exit 1
}

# ask SECONDS ARGUMENT...: restic, its output in /tmp/result. Nobody but the tasks of one daemon uses the repository, and
# one at a time: who has left a lock there is dead.
ask() {
  local seconds=$1 code=0
  shift
  timeout "$seconds" "${restic[@]}" "$@" >/tmp/result 2>"$errors" || code=$?
  if ((code == 11)); then
    timeout 120 "${restic[@]}" unlock -q --remove-all &>/dev/null || true
    code=0
    timeout "$seconds" "${restic[@]}" "$@" >/tmp/result 2>"$errors" || code=$?
  fi
  return "$code"
}

# As `ask`, for the first question: restic asks a target that refuses the login again and again, for a quarter of an hour.
ask_first() {
  local code=0 task
  ask "$@" &
  task=$!
  while kill -0 "$task" 2>/dev/null; do
    if grep -qiE "$refusal" "$errors" 2>/dev/null; then kill "$task" 2>/dev/null || true; fi
    sleep 0.1
  done
  wait "$task" || code=$?
  return "$code"
}
