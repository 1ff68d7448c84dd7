#!/bin/bash
# Puts what has been measured into docs/performance.md and docs/security.md: each block of code that follows a comment with the name of its file, if that file is there.
set -euo pipefail
cd "$(dirname "$0")/.."
for page in docs/performance.md docs/security.md; do
  awk '
    /^<!-- bench\/results\/.*\.txt -->$/ {
      file = $2
      print
      if ((getline line < file) <= 0) next
      print ""
      print "```"
      do { sub(/ +$/, "", line); print line } while ((getline line < file) > 0)
      print "```"
      isOld = 1
      next
    }
    isOld && /^```$/ { if (++fences == 2) { isOld = 0; fences = 0 } next }
    isOld { next }
    { print }
  ' "$page" > "$page.new"
  mv "$page.new" "$page"
done
