#!/bin/bash
# Makes terminal.svg: what the live view shows of a run with a broker, an aggregator and six publishers. Needs tmux and Python.
set -euo pipefail
cd "$(dirname "$0")"
program=${1:-../../src/Meanwhile/bin/Debug/net10.0/meanwhile}
program=$(realpath "$program")
scratch=$(mktemp -d)
port=${PORT:-21883}
pids=()
trap 'tmux -S "$scratch/tmux" kill-server 2> /dev/null; kill "${pids[@]}" 2> /dev/null; wait; rm -rf "$scratch"' EXIT

export BROKER=127.0.0.1:$port DB_FILE=$scratch/readings.db
"$program" aggregate --broker "embedded://127.0.0.1:$port" --topic 'plant/#' --windows 10s,1min,5min --ready-file "$scratch/ready" 2> "$scratch/log" &
pids+=($!)
until [ -e "$scratch/ready" ]; do sleep 0.1; done
interval=0.3
for topic in line-1/pressure line-1/temperature line-2/pressure line-2/temperature hall/humidity roof/wind; do
  "$program" publish --topic "plant/$topic" --interval "$interval-1" --seed "${#topic}" --client-id "$topic" 2> /dev/null &
  pids+=($!)
done
tmux -S "$scratch/tmux" -f /dev/null new-session -d -x 96 -y 16 env LANG=C.UTF-8 "$program" watch --live --stats-topic 'STATS/#'
screen() { tmux -S "$scratch/tmux" capture-pane -p "$@"; }
until [ "$(screen | grep -cE ' [2-9][0-9] +[0-9]+s  STATS/')" = 6 ]; do sleep 0.1; done
screen -e | python3 terminal.py 96 > terminal.svg
