#!/bin/sh
# Builds the kernels as SwiftPM does in release (-O2, no -march) and runs a benchmark: run.sh elementwise|gemm|conv|counts,
# under another program if RUN names one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sources=$here/../../Sources
out=${TMPDIR:-/tmp}/fx-kernel-bench
mkdir -p "$out"
name=${1:-elementwise}
[ $# -gt 0 ] && shift
objects=""
for file in "$sources"/CKernels/*.c; do
  object=$out/$(basename "$file" .c).o
  objects="$objects $object"
  # The bodies are headers: any newer one rebuilds all.
  if [ ! -e "$object" ] || [ -n "$(find "$sources/CKernels" -newer "$object" -type f)" ]; then
    ${CC:-clang} -std=c11 -O2 -c "$file" -I "$sources/CKernels/include" -o "$object"
  fi
done
${CC:-clang} -std=gnu11 -O2 "$here/$name.c" "$sources/CBlasShim/CBlasShim.c" $objects ${BLAS:+-DFX_HAVE_OPENBLAS} \
  -I "$here" -I "$sources/CKernels/include" -I "$sources/CBlasShim/include" -o "$out/$name" ${BLAS:+-lopenblas} -lm -lpthread
# shellcheck disable=SC2086
${RUN:-} "$out/$name" "$@"
