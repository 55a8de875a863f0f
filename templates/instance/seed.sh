#!/bin/bash
# Runs in a one-shot container on an instance's volumes. A constant: values come as a tar archive on standard input
# (personalise.sql, odoo.conf), after the copy has begun. Code 78: nothing to copy from.
set -euo pipefail
marker=/instance/config/.seeded
values=/dev/shm/values
mkdir "$values"

owner=
if [[ ! -e $marker ]]; then
  [[ -s /template/pgdata/PG_VERSION ]] || exit 78
  find /instance/pgdata /instance/filestore /instance/config -mindepth 1 -delete
  cp -a --reflink=auto /template/filestore/. /instance/filestore/ &
  files=$!
  cp -a --reflink=auto /template/pgdata/. /instance/pgdata/
  wait "$files"
fi
tar -x -C "$values" --no-same-owner
if [[ ! -e $marker ]]; then
  gosu postgres postgres --single -j -D /instance/pgdata -c exit_on_error=on -c log_checkpoints=off \
    -c shared_buffers=4MB -c max_connections=4 odoo <"$values/personalise.sql"
fi
owner=$(stat -c %u:%g /instance/filestore)
if ! cmp -s "$values/odoo.conf" /instance/config/odoo.conf; then
  install -m 0400 "$values/odoo.conf" /instance/config/.odoo.conf
  chown "$owner" /instance/config/.odoo.conf
  mv -f /instance/config/.odoo.conf /instance/config/odoo.conf
fi
chown root:root /instance/config
chmod 0755 /instance/config
[[ -e $marker ]] || : >"$marker"
