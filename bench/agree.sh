#!/bin/bash
# Two results of the same scenario side by side: medians of the first figure of each row, with the lowest and the highest round, and whether those spreads overlap.
#   bench/agree.sh bench/results/ingest.json bench/results/ingest-2.json
#   bench/agree.sh A1.json,A2.json B1.json,B2.json   rounds of several runs together, which have taken turns: then both have seen the machine at its best and at its worst
set -euo pipefail
read -ra one <<< "${1//,/ }"
read -ra two <<< "${2//,/ }"
jq -rn --slurpfile one <(cat "${one[@]}") --slurpfile two <(cat "${two[@]}") '
  def rows: [.[].scenarios[] | .name as $scenario | .rows[] | (.figures | to_entries[0]) as $first
    | { name: "\($scenario) \(.name)\(if .size then " at \(.size)" else "" end), \($first.key)", rounds: $first.value.rounds }]
    | reduce .[] as $row ({}; .[$row.name] += $row.rounds) | map_values(sort);
  def digits: if . >= 100 then round else . * 1000 | round / 1000 end | tostring;
  def show: "\(.[length / 2 | floor] | digits) (\(.[0] | digits)–\(.[-1] | digits))";
  ($two | rows) as $again | $one | rows | to_entries[] | .value as $one | $again[.key] as $two | select($two)
  | "\(.key): \($one | show), \($two | show), \(if ([$one, $two] | map(length) | min) < 3 then "too few rounds to say" elif $one[0] <= $two[-1] and $two[0] <= $one[-1] then "they agree" else "THEY DO NOT AGREE" end)"
'
