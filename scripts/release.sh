#!/usr/bin/env bash
# release.sh: in .build-dist the archives of a version, which is the one at the top of CHANGELOG.md:
#   swift-fx-VERSION.tar.gz            the sources of the commit checked out
#   fx-VERSION-SYSTEM-MACHINE.tar.gz   fx, which needs no Swift on the machine, with its completions and the license
#   SHA256SUMS
# Both are packed twice and must be the same bytes: nothing of the time, the user or the folder is in them.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -1)
[ -n "$version" ] || { echo "error: CHANGELOG.md names no version" >&2; exit 1; }
[ -z "$(git status --porcelain)" ] || echo "warning: what is not committed is in fx, and not in the sources" >&2
time=$(git log -1 --format=%ct)
dist=.build-dist
rm -rf "$dist/stage"
mkdir -p "$dist"

# pack FOLDER NAME: a tar of what is in the folder, in an order and with owners and times that say nothing.
pack() {
  tar --create --directory "$1" --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w --format=gnu "$2" | gzip -n -9
}

# twice COMMAND...: the output of a command that must give the same bytes again.
twice() {
  local file=$1
  shift
  "$@" >"$dist/$file"
  "$@" | cmp - "$dist/$file" || { echo "error: $file differs when it is packed again" >&2; exit 1; }
}

sources() { git archive --format=tar --prefix="swift-fx-$version/" HEAD | gzip -n -9; }
twice "swift-fx-$version.tar.gz" sources

system=$(uname -s | tr '[:upper:]' '[:lower:]')
name=fx-$version-$system-$(uname -m)
static=()
# Apple's systems have Swift's libraries.
[ "$system" = darwin ] || static=(--static-swift-stdlib)
swift build -c release -j "${JOBS:-2}" --scratch-path .build-static "${static[@]}" --product fx
stage=$dist/stage/$name
mkdir -p "$stage/completions"
cp .build-static/release/fx "$stage/fx"
strip "$stage/fx"
[ "$("$stage/fx" --version)" = "fx $version" ] || { echo "error: fx says it is $("$stage/fx" --version), CHANGELOG.md $version" >&2; exit 1; }
cp LICENSE CHANGELOG.md "$stage/"
for shell in bash zsh fish; do "$stage/fx" --generate-completion-script $shell >"$stage/completions/fx.$shell"; done
if command -v ldd >/dev/null && ldd "$stage/fx" | grep -q 'libswift\|libFoundation'; then
  echo "error: fx needs Swift's libraries" >&2
  exit 1
fi
"$stage/fx" doctor | tail -1
twice "$name.tar.gz" pack "$dist/stage" "$name"
rm -r "$dist/stage"
(cd "$dist" && sha256sum ./*"$version"*.tar.gz | tee SHA256SUMS)
ls -l "$dist"
