#!/usr/bin/env bash
# check-neon.sh FOLDER: builds Tests/kernels for this processor and for arm64, and compares what the kernels give.
#
# Expected are the kernels without any instruction set, whose results the tests compare with the reference kernels. arm64's run
# in QEMU, on a processor without dot products and on one with them; AVX2's and AVX-512's on this processor if it has them.
set -euo pipefail

folder=$1
if [ "$(uname)" != Linux ] || [ "$(uname -m)" != x86_64 ]; then
  echo "skipped: this check compares x86-64 with arm64 in QEMU, and this machine is $(uname) on $(uname -m)"
  exit 0
fi
clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
command -v "$clang" >/dev/null || clang=clang
mkdir -p "$folder"

# build TARGET FLAGS...: inputs are drawn without fused roundings, so that every build draws the same.
build() {
  local target=$1
  shift
  "$clang" "$@" -O2 -Wall -Wextra -Werror -ISources/CKernels/include -ffp-contract=off -c Tests/kernels/records.c \
    -o "$folder/$target-records.o"
  "$clang" "$@" -O2 -Wall -Wextra -Werror -Wno-unused-command-line-argument -ISources/CKernels/include \
    Sources/CKernels/*.c Tests/kernels/floats.c Tests/kernels/integers.c "$folder/$target-records.o" -static -lm -lpthread \
    -o "$folder/kernels-$target"
}

build x86-64
build arm64 --target=aarch64-linux-gnu --gcc-toolchain=/usr -isystem /usr/aarch64-linux-gnu/include \
  --ld-path="$(command -v aarch64-linux-gnu-ld)" -B/usr/aarch64-linux-gnu/lib -L/usr/aarch64-linux-gnu/lib \
  -Wno-unused-command-line-argument
"$folder/kernels-x86-64" write "$folder/expected"

status=0
# compare NAME COMMAND...: runs a command that writes its results to the file named last.
compare() {
  local name=$1
  shift
  echo "$name:"
  local code=0
  "$@" || code=$?
  if [ $code = 3 ]; then
    echo "skipped: this processor does not have it"
  elif [ $code != 0 ]; then
    echo "failed with status $code"
    status=1
  else
    "$folder/kernels-x86-64" compare "$folder/expected" "$folder/actual" || status=1
  fi
}
compare "arm64, NEON" qemu-aarch64 -cpu cortex-a53 "$folder/kernels-arm64" write "$folder/actual"
compare "arm64, NEON with dot products" qemu-aarch64 -cpu max "$folder/kernels-arm64" write "$folder/actual"
compare "AVX2" "$folder/kernels-x86-64" write "$folder/actual" avx2
compare "AVX-512" "$folder/kernels-x86-64" write "$folder/actual" avx512
exit $status
