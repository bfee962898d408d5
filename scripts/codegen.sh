#!/usr/bin/env bash
# codegen.sh FX PYTHON MODELS...: writes every model below the folders MODELS for every target, runs the programs, and
# prints a line per target and model. A stack that is not here is skipped by name; STRICT=1 makes that a failure.
set -uo pipefail
fx=$1
python=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
for target in ${TARGETS:-numpy pytorch xla libtorch}; do
  for model in $(find -L "$@" -name model.onnx | sort); do
    "$fx" codegen "$model" --target "$target" --verify --python "$python" --atol "${ATOL:-1e-4}" 2>&1 | tee "$work/log"
    # A program that nothing judged is told of, and is no failure.
    [ "${PIPESTATUS[0]}" -eq 0 ] || grep -q ': nothing was verified: ' "$work/log" || status=1
    cat "$work/log" >>"$work/all"
  done
done
if [ -n "${STRICT:-}" ] && grep -q 'skipped: ' "$work/all"; then status=1; fi
exit $status
