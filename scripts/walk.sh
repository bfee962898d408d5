#!/usr/bin/env bash
# walk.sh FX: what somebody does who has nothing but the README, on the shipped model or MODEL: each step with its seconds. A
# step that fails ends the walk. Numbers are compared by the commands themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

fx=$1
model=${MODEL:-Models/digits/model.onnx}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
samples=$work/samples
mkdir -p "$samples"
cp Models/digits/images.npy "$samples/input_0.npy"

echo "| step | command | s |"
echo "|---|---|--:|"

# step WHAT COMMAND...: runs a command, and prints a row with the time that it took.
step() {
  local what=$1 start end shown
  shift
  start=$(date +%s%N)
  if ! "$@" >"$work/log" 2>&1; then
    cat "$work/log" >&2
    echo "error: $what failed: $*" >&2
    exit 1
  fi
  end=$(date +%s%N)
  shown="$*"
  shown=${shown//$work\//}
  shown=${shown//$fx/fx}
  shown=${shown//$model/model.onnx}
  printf '| %s | `%s` | %s |\n' "$what" "$shown" "$(awk "BEGIN { printf \"%.2f\", ($end - $start) / 1e9 }")"
}

step "look at it" "$fx" inspect "$model"
step "run it" "$fx" run "$model" --inputs "$samples" --outputs "$work/out"
step "optimize it, checked" "$fx" optimize "$model" -o "$work/small.onnx" --level aggressive --validate
step "quantize it" "$fx" quantize "$model" --calibration "$samples" -o "$work/int8.onnx" --report
step "how far off is it" "$fx" diff "$model" "$work/int8.onnx" --inputs "$samples" --min-db 20
step "as PyTorch" "$fx" codegen "$model" --target pytorch -o "$work/pytorch"
step "as C++" "$fx" codegen "$model" --target std_cpp --shape "${SHAPE:-images=1,1,8,8}" -o "$work/cpp"
step "as a library" "$fx" compile "$model" --shape "${SHAPE:-images=1,1,8,8}" -o "$work/libmodel.so"
if [ -z "${FX_WALK_WITHOUT_PACKAGES:-}" ]; then
  step "trace a module" scripts/examples.sh TinyTrace
  step "write a pass" scripts/examples.sh CustomPass
fi
