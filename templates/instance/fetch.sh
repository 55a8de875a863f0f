#!/bin/bash
# shellcheck disable=SC2154
# Runs after targets.sh in a one-shot container of the backup image, with an empty volume at /data. A constant. The argument
# is the id of a snapshot. Fills the volume with its files, and /data/.backup with its dump (odoo.sql), the rows of its tables
# (rows) and the names of all files that Odoo has stored (files). Code 74: a file is not what its name says.
# What a killed try has left.
find /data -mindepth 1 -delete
timeout 21000 "${restic[@]}" restore -q --no-lock --target /data "$1:/data" >/dev/null 2>"$errors" || target_failed $?
mkdir -p /data/.backup
timeout 21000 "${restic[@]}" restore -q --no-lock --target /data/.backup "$1:/scratch" >/dev/null 2>"$errors" || target_failed $?
# Whoever writes there, by a number that another image may give to another user.
if [[ -d /data/filestore ]]; then chown --reference=/data/filestore /data; fi
mkdir -p /data/filestore/odoo
cd /data/filestore/odoo || exit 1
# The name of each file is the SHA-1 of what it holds.
find . -type f -regextype posix-extended -regex '\./[0-9a-f]{2}/[0-9a-f]{40}' -print0 | xargs -0r sha1sum |
  awk -v files=/data/.backup/files '{ name = substr($2, length($2) - 39); if (name != $1) { print $2; exit 1 } print substr($2, 3) >files }' \
    >/tmp/wrong || {
  echo "$(head -c 200 /tmp/wrong) is not what its name says" >&2
  exit 74
}
LC_ALL=C sort -o /data/.backup/files /data/.backup/files 2>/dev/null || : >/data/.backup/files
chmod -R u=rwX,go=rX /data/.backup
echo "files $(wc -l </data/.backup/files)"
