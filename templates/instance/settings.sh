#!/bin/bash
# Runs in a one-shot container on an instance's network. A constant: the password file comes as the first line of standard
# input, the statements as the rest. The database is the customer's: what is in it can make this fail, and nothing else.
set -euo pipefail
umask 077
IFS= read -r password
printf '%s\n' "$password" >/dev/shm/pgpass
export PGPASSFILE=/dev/shm/pgpass PGCONNECT_TIMEOUT=10
# Over what the role may have been given; no function of the customer's is found by these names.
export PGOPTIONS='-c search_path=pg_catalog,pg_temp -c statement_timeout=10s -c lock_timeout=5s'
# It may have been started a moment ago.
for ((tries = 0; tries < 300; tries++)); do
  if pg_isready -q -h db -U odoo -d odoo -t 1; then break; fi
  sleep 0.1
done
timeout 30 psql -X -q -w -h db -U odoo -d odoo -v ON_ERROR_STOP=1 --single-transaction -f - >/dev/null
