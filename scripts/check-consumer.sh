#!/usr/bin/env bash
# check-consumer.sh: the package as its users meet it. A fresh package that depends on a tagged version of this one builds
# and runs a program on FXCore, FXShapes, FXTrace and FXPasses, and that program links neither OpenBLAS nor libprotobuf-c.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/.build-consumer
package=$work/swift-fx
program=$work/program
rm -rf "$package" "$program/Package.resolved"
mkdir -p "$package" "$program/Sources/program"

# The working tree as a repository with a version, since only versioned dependencies are refused unsafe flags.
git ls-files --cached --others --exclude-standard -z | tar --null --files-from - --create | tar --extract --directory "$package"
git -C "$package" init --quiet
git -C "$package" add --all
git -C "$package" -c user.name=check -c user.email=check@localhost commit --quiet --message snapshot
# A new version for every state, or SwiftPM would serve the one it has fetched before.
version=0.0.$(date +%s)
git -C "$package" tag "$version"

cat >"$program/Package.swift" <<EOF
// swift-tools-version: 6.1
import PackageDescription
let products = ["FXCore", "FXShapes", "FXTrace", "FXPasses"]
let package = Package(
  name: "program",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: "file://$package", exact: "$version")],
  targets: [
    .executableTarget(name: "program", dependencies: products.map { .product(name: \$0, package: "swift-fx") })
  ]
)
EOF
cat >"$program/Sources/program/main.swift" <<'EOF'
import FXCore
import FXPasses
import FXShapes
import FXTrace

var graph = Graph(name: "consumer")
let x = try graph.addInput("x", .tensor(.float32, [4]))
try graph.addOutput(try graph.call(.abs, [.value(x)]))
print("a graph of \(graph.nodeCount) nodes")
EOF

swift build -j "${JOBS:-2}" --package-path "$program" --quiet
binary=$(swift build --package-path "$program" --show-bin-path)/program
[ "$("$binary")" = "a graph of 3 nodes" ]
if command -v readelf >/dev/null; then
  needed=$(readelf -d "$binary" | grep NEEDED)
else
  needed=$(otool -L "$binary")
fi
if grep -i -E 'blas|protobuf' <<<"$needed"; then
  echo "error: a program without FXRuntime and FXOnnx links the libraries above" >&2
  exit 1
fi
echo "a package that depends on version $version builds and runs; its program links neither OpenBLAS nor libprotobuf-c"
