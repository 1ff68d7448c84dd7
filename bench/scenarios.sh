#!/bin/bash
# Every run of "meanwhile bench" for docs/performance.md and docs/security.md: tables and figures in bench/results, charts in docs/pictures.
#   bench/scenarios.sh [--quick]   short rounds and smaller sizes, to see that it works: its charts stay in bench/results
set -euo pipefail
cd "$(dirname "$0")/.."
out=bench/results
mkdir -p "$out"
dotnet build -c Release -v q --nologo src/Meanwhile
dotnet build -c Release -v q --nologo bench/Meanwhile.Obvious
meanwhile=src/Meanwhile/bin/Release/net10.0/meanwhile
obvious=bench/Meanwhile.Obvious/bin/Release/net10.0/obvious
if [ "${1:-}" = --quick ]; then
  rounds=(--seconds 0.3 --rounds 1) charts=$out rows=1000,100000 topics=1,1000 publishers=1,1000 restart=0,100000 hostile=1
else
  rounds=(--seconds 1 --rounds 5) charts=docs/pictures rows=1000,100000,10000000 topics=1,1000,100000,1000000 publishers=1,100,1000,10000 restart=0,100000,1000000,10000000 hostile=100
fi

bench() { # NAME SCENARIO [OPTIONS]
  "$meanwhile" bench "${@:2}" "${rounds[@]}" --json "$out/$1.json" | tee "$out/$1.txt"
}

again() { # NUMBER: ingest, and latency at the rates of its first run
  bench "ingest-$1" ingest --beside "$obvious"
  bench "latency-$1" latency --highest "$highest"
}

# The first two come again and again between the others, so that a machine that is faster at one time than at another is so for all of them.
bench ingest ingest --beside "$obvious" --svg "$charts"
bench latency latency --svg "$charts"
highest=$(jq '[.scenarios[0].rows[] | select(.kind == "program" and .size == 10)][0].figures["messages/s"].median * 10 | round' "$out/latency.json")
bench ingest-mosquitto ingest --broker mosquitto --beside "$obvious"
bench latency-mosquitto latency --broker mosquitto
again 2
bench series series --sizes "$topics" --svg "$charts"
bench history history --sizes "$rows" --svg "$charts"
again 3
bench clients clients --sizes "$publishers" --svg "$charts"
bench payload payload --svg "$charts"
bench restart restart --sizes "$restart" --svg "$charts"
again 4
"$meanwhile" bench hostile --sizes "$hostile" --rounds 1 --json "$out/hostile.json" | tee "$out/hostile.txt" || true # What is missed is said in the table.
for name in ingest latency; do
  bench/agree.sh "$out/$name.json,$out/$name-3.json" "$out/$name-2.json,$out/$name-4.json"
done | tee "$out/agree.txt"
