#!/usr/bin/env bash
# check-consumer.sh: the package as its users meet it. The manifest and the first program of docs/Tutorial.md, which name one
# product of a tagged version of this package, build and run; so does a program on FXCore, FXShapes, FXTrace and FXPasses.
# Neither links OpenBLAS or libprotobuf-c. A program that takes a traced value for a truth value does not compile.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/.build-consumer
package=$work/swift-fx
program=$work/program
rm -rf "$package" "$program/Package.resolved" "$program/Sources"
mkdir -p "$package" "$program/Sources/my-model"

# The working tree as a repository with a version, since only versioned dependencies are refused unsafe flags.
git ls-files --cached --others --exclude-standard -z | tar --null --files-from - --create | tar --extract --directory "$package"
git -C "$package" init --quiet
git -C "$package" add --all
git -C "$package" -c user.name=check -c user.email=check@localhost commit --quiet --message snapshot
# A new version for every state, or SwiftPM would serve the one it has fetched before.
version=0.1.$(date +%s)
git -C "$package" tag "$version"

# block N: the N-th Swift block of the tutorial.
block() {
  awk -v wanted="$1" '/^```swift$/ { count++; inside = count == wanted; next } /^```$/ { inside = 0 } inside' docs/Tutorial.md
}

# links_nothing: fails if the program links a library that only FXRuntime and FXOnnx need.
links_nothing() {
  local needed
  if command -v ldd >/dev/null; then needed=$(ldd "$1"); else needed=$(otool -L "$1"); fi
  if grep -i -E 'blas|protobuf' <<<"$needed"; then
    echo "error: a program without FXRuntime and FXOnnx links the libraries above" >&2
    return 1
  fi
}

# says LINE: fails unless the program prints the line.
says() {
  local output
  output=$("$binary")
  grep -qx "$1" <<<"$output" || { printf 'error: the program does not say "%s":\n%s\n' "$1" "$output" >&2; return 1; }
}

build() {
  swift build -j "${JOBS:-2}" --package-path "$program" --quiet
  binary=$(swift build --package-path "$program" --show-bin-path)/my-model
}

block 1 | sed "s|url: \"[^\"]*\", from: \"[^\"]*\"|url: \"file://$package\", exact: \"$version\"|" >"$program/Package.swift"
grep -q "file://$package" "$program/Package.swift"
{
  block 3
  block 4
} >"$program/Sources/my-model/main.swift"
build
says "Graph has 4 nodes and 3 edges"
links_nothing "$binary"

sed -i.bak 's|\[.product(name: "FXTrace", package: "swift-fx")\]|["FXCore", "FXShapes", "FXTrace", "FXPasses"].map { .product(name: $0, package: "swift-fx") }|' \
  "$program/Package.swift"
cat >"$program/Sources/my-model/main.swift" <<'END'
import FXCore
import FXPasses
import FXShapes
import FXTrace

var graph = try trace(.tensor(.float32, ["batch", 4], name: "x")) { (x: SymbolicTensor) in abs(x * 1) }
try PassManager.aggressiveOptimizationPasses().run(&graph)
var context = DynamicShapeInferenceContext()
try context.infer(&graph)
print("a graph of \(graph.nodeCount) nodes")
END
build
says "a graph of 3 nodes"
links_nothing "$binary"

cat >"$program/Sources/my-model/main.swift" <<'END'
import FXCore
import FXTrace

let graph = try trace(.tensor(.float32, [], name: "x")) { (x: SymbolicTensor) -> SymbolicTensor in
  if x .> 0 { return x }
  return -x
}
END
if errors=$(swift build -j "${JOBS:-2}" --package-path "$program" 2>&1); then
  echo "error: a traced value was taken for a truth value" >&2
  exit 1
fi
grep -q "'SymbolicTensor' to expected condition type 'Bool'" <<<"$errors" || { echo "$errors" >&2; exit 1; }
echo "packages that depend on version $version build and run; their programs link neither OpenBLAS nor libprotobuf-c"
