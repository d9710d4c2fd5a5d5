#!/bin/sh
# Seconds for the same windows: one `backfill`, and a shell loop over `run`, in turn. Uses a project created for this.
#   sh bench/backfill.sh FOLDER 1997-W07 1997-W08 1997-W09      (first and last window first and last)
# FOLDER is a project whose job runs every week; every window is published again in each round.
set -eu
folder=$1
shift
cli="node $(dirname "$0")/../dist/cli.js -C $folder -q"
first=$1
for last in "$@"; do :; done
now() { date +%s.%N; }
for round in 1 2 3; do
  begin=$(now)
  for week in "$@"; do $cli --week "$week"; done
  middle=$(now)
  $cli backfill --from "$first" --to "$last" --redo
  end=$(now)
  echo "$round $begin $middle $end" | awk '{ printf "round %d: loop %.1f s, backfill %.1f s\n", $1, $3 - $2, $4 - $3 }'
done
