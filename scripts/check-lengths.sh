#!/usr/bin/env bash
# check-lengths.sh: no Swift or C file is longer than 600 lines, generated protobuf code aside.
set -euo pipefail
cd "$(dirname "$0")/.."

find Sources Tests \( -name '*.swift' -o -name '*.[ch]' \) ! -name '*.pb-c.[ch]' -exec awk -v limit=600 '
  FNR == limit + 1 { print FILENAME ":" FNR ": error: longer than " limit " lines"; long = 1 }
  END { exit long }' {} +
