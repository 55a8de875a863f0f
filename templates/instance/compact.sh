#!/bin/bash
# The last step of building a template, in a one-shot container on its volumes: makes what every customer's copy
# consists of small, and puts it on the disk for good.
set -euo pipefail
cd /template/pgdata
for database in odoo postgres template1 template0; do
  gosu postgres postgres --single -j -D /template/pgdata -c exit_on_error=on "$database" <<'SQL'
VACUUM (FULL, ANALYZE);

CHECKPOINT;

SQL
done
# The only argument is close.sh.
gosu postgres bash -c "$1" close /template/pgdata
# Recycled segments would be copied to every customer.
gosu postgres pg_resetwal -D /template/pgdata >/dev/null
rm -rf /template/pgdata/postmaster.opts /template/filestore/sessions /template/filestore/.cache
sync
