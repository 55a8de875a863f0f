#!/bin/bash
# Runs in a one-shot container on an instance's volumes, read-only and without a network. A constant. Prints a gzipped tar
# archive of them as they lie on the disk: each file once, however many names it has, and no holes. The first argument is how
# many bytes the archive may be before it is zipped; with `left` as the second, what there is of the two is copied. Its last line on
# standard error tells how long the output is. Code 66: there is no database, with `left` nothing at all. Code 67: it is more than
# may be read.
set -euo pipefail
cd /volumes
if [[ ${2:-whole} == left ]]; then
  if [[ -z $(find . -mindepth 2 -print -quit) ]]; then exit 66; fi
elif [[ ! -s pgdata/PG_VERSION ]]; then
  exit 66
fi
mkfifo /tmp/counted
wc -c </tmp/counted >/tmp/length &
tar --create --sparse --hole-detection=seek --numeric-owner --warning=none --exclude=pgdata/postmaster.pid -- * |
  {
    head -c "$1"
    if [[ $(head -c 1 | wc -c) != 0 ]]; then exit 67; fi
  } | gzip -1 | tee /tmp/counted
wait
echo "bytes $(cat /tmp/length)" >&2
