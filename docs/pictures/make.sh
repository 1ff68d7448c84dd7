#!/bin/bash
# Makes the pictures of the dashboard anew, from a run of the program with readings of a fixed seed. Needs Chromium; with the font Inter they look as they do here.
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet test --project tests/Meanwhile.Tests -- --explicit only --filter-class '*.Pictures'
