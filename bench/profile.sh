#!/bin/bash
# Where the processor time of "aggregate with its broker" goes while "meanwhile bench" loads it, by part; needs perf.
#   bench/profile.sh [SECONDS] [OPTIONS OF BENCH PAYLOAD]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
out=$(mktemp -d)
trap 'rm -r "$out"' EXIT
dotnet build -c Release -v q --nologo src/Meanwhile > "$out/build.log" || { cat "$out/build.log" >&2; exit 1; }
meanwhile=$PWD/src/Meanwhile/bin/Release/net10.0/meanwhile

# So that perf finds the names of what the runtime has compiled.
DOTNET_PerfMapEnabled=1 DOTNET_EnableWriteXorExecute=0 \
  "$meanwhile" bench payload --sizes 41 --seconds "$seconds" --rounds 1 --db "$out/profile.db" "${@:2}" 2> "$out/progress" > "$out/table" &
bench=$!
until grep -q 'round 1 of 1, .*aggregate' "$out/progress"; do sleep 0.1; done # What is compiled at all is compiled.
pid=$(ps -C meanwhile -o pid=,args= | awk -v file="$out/profile.db" 'index($0, file) && / aggregate / { print $1; exit }')
perf record -q -e cpu-clock -F 1999 -g -p "$pid" -o "$out/perf.data" sleep "$((seconds - 1))"
wait "$bench"
cat "$out/table"
perf script -i "$out/perf.data" -F ip,sym,dso 2> /dev/null | awk -f bench/profile.awk
rm -f "/tmp/perf-$pid.map"
