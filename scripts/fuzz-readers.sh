#!/usr/bin/env bash
# fuzz-readers.sh FUZZER FX CASES RUNS [READER...]: libFuzzer on each reader, from the corpora that are kept, ONNX's own cases, and
# what earlier runs found (.cache/fuzz-readers). Ends with `N runs, N crashes`; what crashes stays in .cache/fuzz-readers/READER.crash.
set -uo pipefail
cd "$(dirname "$0")/.."

fuzzer=$1 fx=$2 cases=$3 runs=$4
shift 4
readers=("$@")
[ ${#readers[@]} -gt 0 ] || readers=(onnx text json binary npy npz safetensors)
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0
work=.cache/fuzz-readers
total=0 crashes=0
for reader in "${readers[@]}"; do
  mkdir -p "$work/$reader" "$work/$reader.seeds"
  # The formats of our own begin with what ONNX's cases are in them.
  case $reader in
  onnx) seeds=$cases/node ;;
  text | json | binary)
    seeds=$work/$reader.seeds
    suffix=$(case $reader in text) echo fxt ;; json) echo json ;; binary) echo fxb ;; esac)
    if [ -z "$(ls "$seeds")" ]; then
      find "$cases/node" -name model.onnx -size -2k | sort | awk 'NR % 12 == 1' | while read -r model; do
        "$fx" convert "$model" "$seeds/$(basename "$(dirname "$model")").$suffix" >/dev/null 2>&1
      done
    fi
    ;;
  *) seeds=$work/$reader.seeds ;;
  esac
  log=$work/$reader.log
  "$fuzzer" "$reader" -runs="$runs" -max_len=4096 -rss_limit_mb=2048 -timeout=10 -malloc_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$work/$reader.crash." "$work/$reader" "Tests/Fuzzing/Corpora/$reader" "$seeds" >"$log" 2>&1
  status=$?
  done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  total=$((total + ${done:-0}))
  if [ $status -ne 0 ]; then
    crashes=$((crashes + 1))
    grep -E 'ERROR|Fatal error|SUMMARY|Test unit written' "$log" | cut -c1-300
  fi
  coverage=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1)
  echo "$reader: ${done:-0} runs, ${coverage:-cov: 0}, status $status"
done
echo "$total runs, $crashes crashes"
[ "$crashes" -eq 0 ] && [ "$total" -gt 0 ]
