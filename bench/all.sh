#!/bin/bash
# Every table of docs/performance.md, on a machine that has nothing else to do: in bench/results, charts in docs/pictures.
#   bench/all.sh [--quick]   short and small, to see that it works
set -euo pipefail
cd "$(dirname "$0")"
./scenarios.sh "$@"
./parts.sh "$@"
