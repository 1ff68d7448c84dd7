#!/bin/bash
# Puts what bench/all.sh has measured into docs/performance.md: each block of code that follows a comment with the name of its file.
set -euo pipefail
cd "$(dirname "$0")/.."
page=docs/performance.md
awk '
  /^<!-- bench\/results\/.*\.txt -->$/ {
    file = $2
    print
    print ""
    print "```"
    while ((getline line < file) > 0) { sub(/ +$/, "", line); print line }
    print "```"
    isOld = 1
    next
  }
  isOld && /^```$/ { if (++fences == 2) { isOld = 0; fences = 0 } next }
  isOld { next }
  { print }
' "$page" > "$page.new"
mv "$page.new" "$page"
