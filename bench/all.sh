#!/bin/bash
# Every run of "meanwhile bench" for docs/performance.md: figures as bench/results/*.json, charts in docs/pictures.
#   bench/all.sh [--quick]   shorter rounds and smaller sizes, to see that it works
set -euo pipefail
cd "$(dirname "$0")/.."
out=bench/results
mkdir -p "$out" docs/pictures
dotnet build -c Release -v q --nologo src/Meanwhile
dotnet build -c Release -v q --nologo bench/Meanwhile.Obvious
meanwhile=src/Meanwhile/bin/Release/net10.0/meanwhile
obvious=bench/Meanwhile.Obvious/bin/Release/net10.0/obvious
if [ "${1:-}" = --quick ]; then
  rounds=(--seconds 0.3 --rounds 1) rows=1000,100000 topics=1,1000 restart=0,100000
else
  rounds=(--seconds 2 --rounds 5) rows=1000,100000,10000000 topics=1,1000,100000,1000000 restart=0,100000,1000000,10000000
fi

bench() { # NAME SCENARIO [OPTIONS]
  "$meanwhile" bench "${@:2}" "${rounds[@]}" --json "$out/$1.json"
}
bench ingest ingest --beside "$obvious" --svg docs/pictures
bench ingest-again ingest --beside "$obvious"
bench ingest-mosquitto ingest --broker mosquitto --beside "$obvious"
bench latency latency --svg docs/pictures
bench latency-mosquitto latency --broker mosquitto
bench series series --sizes "$topics" --svg docs/pictures
bench history history --sizes "$rows" --svg docs/pictures
bench clients clients --svg docs/pictures
bench payload payload --svg docs/pictures
bench restart restart --sizes "$restart" --svg docs/pictures
