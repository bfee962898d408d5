#!/usr/bin/env bash
# Generates Sources/COnnx/onnx.pb-c.c and include/onnx.pb-c.h from Sources/COnnx/proto/onnx.proto.
# Needs protoc-c (Debian: protobuf-c-compiler); building the package does not.
# With --check it changes nothing and fails where the committed files differ.
set -euo pipefail
cd "$(dirname "$0")/../Sources/COnnx"
command -v protoc-c >/dev/null || { echo "protoc-c not found: apt install protobuf-c-compiler" >&2; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
protoc-c --proto_path=proto --c_out="$out" proto/onnx.proto
if [ "${1:-}" = --check ]; then
  diff -q "$out/onnx.pb-c.c" onnx.pb-c.c
  diff -q "$out/onnx.pb-c.h" include/onnx.pb-c.h
else
  cp "$out/onnx.pb-c.c" onnx.pb-c.c
  cp "$out/onnx.pb-c.h" include/onnx.pb-c.h
fi
