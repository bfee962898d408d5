#!/usr/bin/env bash
# check-bits.sh FX FOLDER...: every model below the folders gives the same bits at 1, 2, 3, 4 and 8 threads, and in 100 runs on 2.
# A line for each model that does not, and last: N passed, N failed.
set -uo pipefail

fx=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
while IFS= read -r model; do
  inputs=$(find "$(dirname "$model")" -maxdepth 1 -type d -name 'test_data_set_*' | sort | head -n 1)
  rm -rf "${work:?}"/*
  fault=
  for run in 1 2 3 4 8; do
    mkdir -p "$work/now"
    if ! "$fx" run "$model" --threads "$run" --repeats $((run == 2 ? 99 : 0)) ${inputs:+--inputs "$inputs"} --outputs "$work/now" >"$work/log" 2>&1; then
      fault="does not run: $(tail -n 1 "$work/log" | cut -c1-200)"
      break
    fi
    if [ -d "$work/first" ]; then
      diff -rq "$work/first" "$work/now" >/dev/null || fault="${fault:+$fault; }other bits at $run threads"
      rm -rf "$work/now"
    else
      mv "$work/now" "$work/first"
    fi
  done
  if [ -z "$fault" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$model: $fault"
  fi
done < <(find -L "$@" -name model.onnx | sort)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
