#!/usr/bin/env bash
# validate-models.sh FX FOLDER...: every model below the folders through both pipelines, its outputs compared after every pass,
# on the inputs beside it where there are some. A line for each model and level, and last: N passed, N failed.
set -uo pipefail

fx=$1
shift
passed=0 failed=0
while IFS= read -r model; do
  inputs=$(find "$(dirname "$model")" -maxdepth 1 -type d -name 'test_data_set_*' | sort | head -n 1)
  for level in default aggressive; do
    if line=$("$fx" optimize "$model" --level "$level" --validate ${inputs:+--inputs "$inputs"} 2>&1); then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
    fi
    printf '%s, %s: %s\n' "$model" "$level" "$(tail -n 1 <<<"$line" | cut -c1-300)"
  done
done < <(find -L "$@" -name model.onnx | sort)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
