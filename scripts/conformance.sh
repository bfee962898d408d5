#!/usr/bin/env bash
# conformance.sh FX DIR...: `fx conformance` over the cases below DIR... in every mode (MODES, or all four).
# With RESULTS, a folder, each mode leaves MODE.json there.
# All modes are run, whatever fails; a line per mode closes the output, and the exit status is 1 if any failed.
set -uo pipefail
[ -z "${RESULTS:-}" ] || mkdir -p "$RESULTS"

fx=$1
shift
summary=() bad=0
for mode in ${MODES:-run reference optimized roundtrip decomposed constant symbolic symbolic-decomposed shapes}; do
  echo "== $mode"
  log=$(mktemp)
  "$fx" conformance "$@" --mode "$mode" ${RESULTS:+--json "$RESULTS/$mode.json"} ${FILTER:+--filter "$FILTER"} | tee "$log"
  [ "${PIPESTATUS[0]}" -eq 0 ] || bad=1
  counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1)
  rm -f "$log"
  # A run that ended before its last line has not told what it did.
  [ -n "$counts" ] || bad=1
  summary+=("$(printf '%-10s %s' "$mode" "${counts:-did not finish}")")
done
echo
printf '%s\n' "${summary[@]}"
exit "$bad"
