#!/bin/bash
# The tables of docs/performance.md that "meanwhile bench" does not make, each in bench/results: of single parts, and beside other brokers.
#   bench/parts.sh [--quick] [NAME...]   short and small, to see that it works; only those that are named
# What needs a program that is not there (mosquitto, PostgreSQL, Chromium, perf) is left out, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/bench/results
scratch=$(mktemp -d)
as=() matched=0
mkdir -p "$out"
meanwhile=$PWD/src/Meanwhile/bin/Release/net10.0/meanwhile

if [ "${1:-}" = --quick ]; then
  shift
  windows=(--filter '*AddAndRead.Reading*') flat=1 micro=(--filter '*' --job Dry) count=50000 watched=(60000 1) messages=10 seconds=1 rounds=1 memory=31 page=(1 100 10) profile=5
else
  windows=(--filter '*') flat=6 micro=(--filter '*') count=300000 watched=(1000000 15) messages=150 seconds=3 rounds=3 memory=620 page=(3 10000 1000) profile=20
fi

clean_up() {
  stop_postgres
  rm -rf "$scratch"
}

program() { # NAME: by its own host, because some of them start themselves again
  echo "bench/Meanwhile.$1.Bench/bin/Release/net10.0/Meanwhile.$1.Bench"
}

measure() { # NAME NEEDED-PROGRAM COMMAND...
  if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $1 "* ]]; then
    return
  fi
  matched=$((matched + 1))
  if ! command -v "$2" > /dev/null; then
    echo "$1: left out, because $2 is not installed" | tee "$out/$1.txt"
    return
  fi
  echo "== $1: ${*:3}"
  "${@:3}" 2> "$scratch/$1.err" | sed -u "s#$PWD/##g" | tee "$out/$1.txt" || { tail -5 "$scratch/$1.err" >&2; exit 1; }
}

benchmarks() { # PROJECT OPTIONS...: the tables of BenchmarkDotNet
  "$(program "$1")" --artifacts "$scratch/$1" "${@:2}" > "$scratch/$1.log" || { tail -20 "$scratch/$1.log" >&2; return 1; }
  grep -h '^|' "$scratch/$1/results/"*-report-github.md | sed 's/\*\*//g; s/&quot;/"/g'
}

flatness() { # ROUNDS: the windows beside 1,000, 100,000 and 10,000,000 readings, all sizes in each round, because the machine is faster at one time than at another
  for ((round = 1; round <= $1; round++)); do
    benchmarks Windows --filter '*AddAndRead.Windows*'
  done | awk -F '|' '
    BEGIN { printf "%-14s %5s %9s %9s %11s   %s\n", "median, ns", "round", "1,000", "100,000", "10,000,000", "farthest from their middle" }
    $2 ~ /Windows/ {
      kind = $4 ~ /True/ ? "one in ten late" : "in order"
      sizes[kind] = sizes[kind] " " $8 + 0
      if (split(sizes[kind], ns, " ") < 3) next
      least = most = ns[1]
      for (i in ns) { if (ns[i] < least) least = ns[i]; if (ns[i] > most) most = ns[i] }
      printf "%-15s %4d %9.1f %9.1f %11.1f   %.0f%%\n", kind, ++rounds[kind], ns[1], ns[2], ns[3], 100 * (most - least) / (most + least)
      sizes[kind] = ""
    }'
}

windows_memory() {
  tests/Meanwhile.Windows.Tests/bin/Release/net10.0/Meanwhile.Windows.Tests --filter-class '*CostTests' --output Detailed | sed -n 's/^ *\(.* bytes, at most .*\)/\1/p' | sort
}

postgres() {
  local data=$scratch/postgres port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  mkdir "$data"
  if [ ${#as[@]} -gt 0 ]; then # PostgreSQL refuses to run as root.
    chmod 755 "$scratch"
    chown postgres "$data"
  fi
  "${as[@]}" "$postgres_bin/initdb" -D "$data" -U me --auth=trust -E UTF8 --locale=C --no-sync > /dev/null
  "${as[@]}" "$postgres_bin/pg_ctl" -D "$data" -w -l "$data/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=" start > /dev/null
  DB_FILE=postgres://me@127.0.0.1:$port/postgres "$(program Postgres)" || return 1
  stop_postgres
}

stop_postgres() {
  [ ! -f "$scratch/postgres/postmaster.pid" ] || (cd / && "${as[@]}" "$postgres_bin/pg_ctl" -D "$scratch/postgres" -m fast stop > /dev/null)
}

trap clean_up EXIT
dotnet build -c Release -v q --nologo > "$scratch/build.log" || { cat "$scratch/build.log" >&2; exit 1; }
wanted=("$@")
[ "$(id -u)" != 0 ] || as=(runuser -u postgres --)
postgres_bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | tail -1 || true)

measure windows dotnet benchmarks Windows "${windows[@]}"
measure windows-flat dotnet flatness "$flat"
measure windows-memory dotnet windows_memory
measure micro dotnet benchmarks Micro "${micro[@]}"
for part in path rows rebuild; do
  measure "pipeline-$part" dotnet "$(program Pipeline)" "$scratch" "$count" 5 "$part"
done
measure alone mosquitto "$(program Path)" latency "$messages" "$meanwhile"
measure alone-20ms mosquitto "$(program Path)" latency "$messages" "$meanwhile" 20
measure alone-20ms-nodelay mosquitto "$(program Path)" latency "$messages" "$meanwhile" 20 nodelay
for series in 1 10 1000; do
  measure "watched-$series" dotnet "$(program Path)" watched "${watched[@]}" "$series" "$meanwhile"
done
measure page chromium "$(program Path)" page "${page[@]}" "$meanwhile"
measure page-10 chromium "$(program Path)" page "${page[0]}" 10 10 "$meanwhile"
for scenario in ingest latency passthrough fanout idle; do
  measure "broker-$scenario" mosquitto "$(program Mqtt)" "$scenario" "$seconds" "$rounds"
done
measure broker-match dotnet "$(program Mqtt)" match
measure postgres "${postgres_bin:-/usr/lib/postgresql}/initdb" postgres
measure profile perf bench/profile.sh "$profile"
measure memory mosquitto "$(program Path)" memory "$memory" "$meanwhile"
[ "$matched" -ge ${#wanted[@]} ] || { echo "parts.sh: not all of '${wanted[*]}' are known: expected names of files in bench/results, without .txt" >&2; exit 2; }
