#!/usr/bin/env bash
# test.sh [swift test arguments]: runs the tests; the last line is `N passed, N failed`.
#
# A test counts once, whatever its number of arguments. One that started and never ended, because the
# process crashed, counts as failed, and so does a build that does not succeed or a run without tests.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Kernels in C are unusable without optimization; always the same flags, since a change rebuilds everything.
swift test -j "${JOBS:-2}" -Xcc -O2 "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

# Lines are "<symbol> Test <name> started.", "... passed after ...", "... failed after ..." and "... skipped: ...";
# a test that prints without a final newline may have left something before the symbol. Names are not unique.
awk -v status="$status" '
  !/(◇|✔|✘|━|➜) Test / { next }
  { sub(/\r$/, ""); sub(/^.*(◇|✔|✘|━|➜) Test /, "") }
  /^(run|case) / { next }
  / started\.$/ { sub(/ started\.$/, ""); running[$0]++; next }
  / passed after [0-9.]+ seconds/ {
    sub(/( with [0-9]+ test cases?)? passed after [0-9.]+ seconds.*$/, ""); running[$0]--; passed++; next
  }
  / failed after [0-9.]+ seconds/ {
    sub(/( with [0-9]+ test cases?)? failed after [0-9.]+ seconds.*$/, ""); running[$0]--; failed++; broken[$0] = 1; next
  }
  / was cancelled after [0-9.]+ seconds/ {
    skipped[$0] = 1; sub(/( with [0-9]+ test cases?)? was cancelled after .*$/, ""); running[$0]--; next
  }
  / skipped(: .*|\.)$/ { skipped[$0] = 1; next }
  END {
    # The exit status decides: after a clean run, a line that could not be read is no failure.
    for (name in running) if (running[name] > 0) {
      if (status == 0) passed += running[name]
      else { failed += running[name]; broken[name " (did not end)"] = 1 }
    }
    if (status != 0 && failed == 0) { failed = 1; broken["swift test ended with status " status] = 1 }
    if (passed + failed == 0) { failed = 1; broken["no test ran"] = 1 }
    print ""
    for (name in skipped) print "skipped: " name
    for (name in broken) print "failed: " name
    printf "%d passed, %d failed\n", passed, failed
    exit failed > 0
  }' "$log"
