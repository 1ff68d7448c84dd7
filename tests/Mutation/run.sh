#!/bin/bash
# Mutation tests, on demand: Stryker changes one operator after another and sees whether a test fails. "run.sh" alone lists the pieces, "run.sh receiver" runs one: a few minutes each.
# A piece fails when its score is below its floor. See docs/testing.md.
set -euo pipefail
cd "$(dirname "$0")"

# piece: package, file that is changed, tests that run for each change, floor in percent
pieces='
receiver: Mqtt Delivery/Receiver.cs Delivery/ReceiverTests.cs 95
tree: Mqtt Session/SubscriptionTree.cs Session/SubscriptionTreeTests.cs 75
statistic: Windows Statistic.cs StatisticTests.cs 100
'
if [ $# -eq 0 ]; then
  echo "$pieces"
  exit
fi
read -r package file tests floor < <(echo "$pieces" | sed -n "s/^$1: //p") || { echo "no piece '$1': expected one of $(echo "$pieces" | sed -n 's/:.*//p' | tr '\n' ' ')"; exit 1; }
dotnet tool restore
cd "$package"
rm -rf StrykerOutput
MutationTests=$tests nice -n 19 dotnet stryker --mutate "**/$file" --break-at "$floor" --threshold-low "$floor" --threshold-high 100
