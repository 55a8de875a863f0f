#!/bin/bash
# Runs in a one-shot container on an instance's volumes. A constant: values come as a tar archive on standard input
# (personalise.sql, close.sh, odoo.conf, limits.json, addons/), after the copy has begun. The only argument is `fill` or `keep`: with `keep`, data must
# be there already. Code 78: nothing to copy from. Code 66: data that should be there is not.
#
# The copy is made while /instance/pgdata/.seeding exists. Volumes of which either holds anything without that file are
# a customer's data, wherever it came from, and are never cleared.
set -euo pipefail
pgdata=/instance/pgdata
filestore=/instance/filestore
config=/instance/config
values=/dev/shm/values

missing() {
  echo "$1: press Restore on its record" >&2
  exit 66
}

seeding=
if [[ -e $pgdata/.seeding || -z $(find "$pgdata" "$filestore" -mindepth 1 -print -quit) ]]; then
  seeding=yes
fi
if [[ $seeding ]]; then
  [[ ${1:-keep} == fill ]] || missing 'the data is gone'
  [[ -s /template/pgdata/PG_VERSION ]] || exit 78
  : >"$pgdata/.seeding"
  find "$pgdata" "$filestore" -mindepth 1 ! -path "$pgdata/.seeding" -delete
  # Thousands of small files: the databases side by side take half the time.
  mkdir "$pgdata/base"
  copies=()
  for database in /template/pgdata/base/*; do
    cp -a --reflink=auto "$database" "$pgdata/base/" &
    copies+=($!)
  done
  cp -a --reflink=auto /template/filestore/. "$filestore/" &
  copies+=($!)
  find /template/pgdata -mindepth 1 -maxdepth 1 ! -name base -exec cp -a --reflink=auto -t "$pgdata" {} +
  for copy in "${copies[@]}"; do wait "$copy"; done
  for folder in . base; do
    chown --reference="/template/pgdata/$folder" "$pgdata/$folder"
    chmod --reference="/template/pgdata/$folder" "$pgdata/$folder"
  done
elif [[ -z $(ls -A "$pgdata") ]]; then
  missing 'the filestore is there but the database is gone'
elif [[ -z $(ls -A "$filestore") ]]; then
  missing 'the database is there but the filestore is gone'
fi

mkdir "$values"
tar -x -C "$values" --no-same-owner
if [[ $seeding ]]; then
  # Without fsync: the sync below covers everything that was written. No statement in the log: they hold secrets.
  gosu postgres postgres --single -j -D "$pgdata" -c exit_on_error=on -c fsync=off \
    -c log_min_error_statement=panic \
    -c shared_buffers=4MB -c max_connections=4 odoo <"$values/personalise.sql"
  # Templates of former versions are not closed yet.
  gosu postgres bash "$values/close.sh" "$pgdata" seeding
fi
if ! cmp -s "$values/odoo.conf" "$config/odoo.conf"; then
  install -m 0400 "$values/odoo.conf" "$config/.odoo.conf"
  chown "$(stat -c %u:%g "$filestore")" "$config/.odoo.conf"
  mv -f "$config/.odoo.conf" "$config/odoo.conf"
fi
for name in limits.json addons; do
  if ! diff -rq "$values/$name" "$config/$name" >/dev/null 2>&1; then
    rm -rf "$config/.$name"
    cp -r --no-preserve=mode "$values/$name" "$config/.$name"
    chmod -R u=rwX,go=rX "$config/.$name"
    # A file is replaced at once: Odoo may be reading it.
    if [[ -d $config/$name ]]; then rm -rf "${config:?}/$name"; fi
    mv -fT "$config/.$name" "$config/$name"
  fi
done
if [[ $seeding ]]; then
  # All of it is on the disk before anything relies on it.
  sync -f "$pgdata" "$filestore" "$config"
  rm "$pgdata/.seeding"
fi
