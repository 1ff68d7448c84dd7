#!/bin/bash
# Two results of the same scenario side by side: medians of the first figure of each row, with the lowest and the highest round, and whether those spreads overlap.
#   bench/agree.sh bench/results/ingest.json bench/results/ingest-again.json
set -euo pipefail
jq -rs '
  def rows: [.scenarios[] | .name as $scenario | .rows[] | (.figures | to_entries[0]) as $first
    | { key: "\($scenario) \(.name)\(if .size then " at \(.size)" else "" end), \($first.key)", value: $first.value }] | from_entries;
  def digits: if . >= 100 then round else . * 1000 | round / 1000 end | tostring;
  def show: "\(.median | digits) (\(.lowest | digits)–\(.highest | digits))";
  (.[1] | rows) as $again | .[0] | rows | to_entries[] | .value as $one | $again[.key] as $two | select($two)
  | "\(.key): \($one | show), \($two | show), \(if ([$one, $two] | map(.rounds | length) | min) < 3 then "too few rounds to say" elif $one.lowest <= $two.highest and $two.lowest <= $one.highest then "they agree" else "THEY DO NOT AGREE" end)"
' "$1" "$2"
