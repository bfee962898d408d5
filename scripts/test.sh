#!/usr/bin/env bash
# test.sh [swift test arguments]: runs the tests; the last line is `N passed, N failed`.
#
# A test counts once, whatever its number of arguments. One that started and never ended, because the
# process crashed, counts as failed, and so does a build that does not succeed or a run without tests. Tests that were
# skipped are named with the reason. With STRICT=1 a skip is a failure, unless its reason names another goal than GOAL, the
# one that runs this, that would run the test.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Kernels in C are unusable without optimization; always the same flags, since a change rebuilds everything.
swift test -j "${JOBS:-2}" -Xcc -O2 "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

awk -v status="$status" -v goal="${GOAL:-test}" -v strict="${STRICT:-}" -f scripts/test-report.awk "$log"
