#!/bin/bash
# Runs in a container of the PostgreSQL image that has no network, on a restored cluster that is thrown away afterwards: the
# server for prove.py, which shares its loopback with it and needs no password there.
set -euo pipefail
umask 077
printf 'host all odoo 127.0.0.1/32 trust\n' >/dev/shm/hba.conf
exec postgres -D /var/lib/postgresql/data -c hba_file=/dev/shm/hba.conf -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories=/dev/shm -c fsync=off -c wal_level=minimal -c max_wal_senders=0 -c jit=off
