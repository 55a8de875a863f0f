#!/bin/bash
# shellcheck disable=SC2154
# Runs after targets.sh in a one-shot container of the backup image, on an instance's network, with its filestore read-only
# at /data and an empty volume at /scratch. A constant; pgpass comes with the secrets. The first argument is `begin` or
# `keep`: with `keep` the repository must be there already. The second is how many bytes dump and files may be each, the third the tag of
# the backup, the fourth for how many days what there was before a restore is kept; all others are options of `restic forget`, none where nothing is to go. Prints a line `backup <JSON of restic>`, and `forgotten
# <moments of all that are there now>`, or `kept <why>`. Codes beside those of targets.sh: 66 there are no files, 67 dump or files are more than they may be, 68 the
# database cannot be read, 69 the engine's disk has no room for the dump.
begin=$1 most=$2 tag=$3 left_days=$4
shift 4
# restic puts what it sends together in files of 16 MB and more, before it sends them: /tmp has no room for one.
export TMPDIR=/scratch
renice -n 19 $$ >/dev/null
ionice -c 3 -p $$ 2>/dev/null || true

if [[ -z $(ls -A /data) ]]; then
  echo 'there are no files' >&2
  exit 66
fi

# All that will be read of the files, by each of their names, holes too: a sparse file of a terabyte is nothing on the disk, and
# keeps a processor busy for hours, and the disk of who restores it.
{ find /data -xdev \( -path /data/sessions -o -path /data/.cache \) -prune -o -type f -printf '%s\n' 2>/dev/null || true; } |
  awk -v most="$most" '{ bytes += $1 } END { exit bytes > most }' || {
  echo 'the files are more than they may be' >&2
  exit 67
}

# The target first: a dump for one that is away would be for nothing, and restic tries one for a quarter of an hour.
code=0
ask_first 60 cat config -q --no-lock || code=$?
if ((code == 10)) && [[ $begin == begin ]]; then
  code=0
  ask 120 init -q || code=$?
fi
if ((code > 0)); then target_failed "$code"; fi

# A tenth of the disk stays free: it is everybody's.
read -r free total < <(df -B1 --output=avail,size /scratch | tail -n 1)
room=$((free - total / 10))
no_room() {
  echo "the disk of the engine has no room for the dump: $((free >> 20)) MB are free" >&2
  exit 69
}
if ((room <= 0)); then no_room; fi
ulimit -S -f $(((most < room ? most : room) / 1024))

# What is counted is what the dump holds: both see the database at one moment, while its customer works on. Nothing of the
# customer's is found by the names in use.
export PGPASSFILE=$values/pgpass PGCONNECT_TIMEOUT=10 PGHOST=db PGUSER=odoo PGDATABASE=odoo
export PGOPTIONS='-c search_path=pg_catalog,pg_temp -c statement_timeout=0 -c lock_timeout=60s -c idle_in_transaction_session_timeout=0'
database_failed() {
  LC_ALL=C awk 'n < 8 { n++; print substr($0, 1, 300) }' "$errors" >&2
  exit 68
}
# It may have been started a moment ago.
until pg_isready -q -t 1 || ((SECONDS > 20)); do sleep 0.2; done
coproc database { timeout 20000 psql -X -q -w -At -v ON_ERROR_STOP=1 -f - 2>"$errors"; }
exec {answers}<&"${database[0]}" {questions}>&"${database[1]}"
echo 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT pg_export_snapshot();' >&"$questions" || database_failed
IFS= read -r -t 60 moment <&"$answers" || database_failed
[[ $moment =~ ^[0-9A-F-]+$ ]] || database_failed
code=0
timeout 20000 pg_dump -w --no-owner --snapshot="$moment" -f /scratch/odoo.sql 2>"$errors" || code=$?
# 153: the signal of the limit.
if ((code == 153)) || { ((code > 0)) && grep -qiE 'no space left|file too large' "$errors"; }; then
  if ((room < most)); then no_room; fi
  echo 'the dump is more than it may be' >&2
  exit 67
fi
if ((code > 0)); then database_failed; fi
cat >&"$questions" <<'SQL' || database_failed
SELECT format('SELECT %L || count(*) FROM ONLY %I.%I', nspname || '.' || relname || ' ', nspname, relname)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind = 'r' AND relpersistence <> 't' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
  ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec
\echo end
SQL
line=
while IFS= read -r -t 3600 line <&"$answers" && [[ $line != end ]]; do printf '%s\n' "$line"; done >/scratch/rows
[[ $line == end ]] || database_failed
exec {answers}<&- {questions}>&-
ulimit -S -f unlimited

# All as of one host, so that what is to go is chosen among all. What Odoo makes again is left out. Code 3: a file went
# meanwhile.
code=0
ask 20000 backup --json -q --host instance --tag "$tag" --one-file-system --exclude /data/sessions --exclude /data/.cache \
  /scratch/odoo.sql /scratch/rows /data || code=$?
if ((code != 0 && code != 3)); then
  if grep -q "$TMPDIR.*no space left" "$errors"; then no_room; fi
  target_failed "$code"
fi
printf 'backup %s\n' "$(tail -n 1 /tmp/result)"

# The backup is made, whether or not others can go.
if (($# > 0)); then
  # restic counts from the newest of them.
  if [[ $* == *--prune ]]; then
    ask 7200 forget -q --host instance --group-by host --tag before --keep-within "${left_days}d" || true
  fi
  if ask 7200 forget -q --json --host instance --group-by host "$@" && ! grep -qi 'unable to remove' "$errors"; then
    # What stays comes first, then what went and why the others stay.
    printf 'forgotten %s\n' "$(sed 's/"remove":.*//' /tmp/result | grep -oE '"time":"[^"]{10,40}"' | cut -d'"' -f4 | tail -n 200 | tr '\n' ' ')"
  else
    echo "kept $(tr -s '[:space:]' ' ' <"$errors" | tail -c 300)"
  fi
fi
