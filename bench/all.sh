#!/bin/bash
# Every table of docs/performance.md, on a machine that has nothing else to do: in bench/results and on the page, charts in docs/pictures.
#   bench/all.sh [--quick]   short and small, to see that it works; page and charts stay as they are
set -euo pipefail
cd "$(dirname "$0")"
./scenarios.sh "$@"
./parts.sh "$@"
[ "${1:-}" = --quick ] || ./fill.sh
