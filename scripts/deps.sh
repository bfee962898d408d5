#!/usr/bin/env bash
# deps.sh build|test|bench|counts|views|distributed|serve|neon: makes sure that the system packages which a goal needs are there.
# Nothing happens when they are. Otherwise they are installed (root, or sudo without a password);
# where neither works, the command to run is printed and the exit status is 1.
set -euo pipefail

goal=${1:-build}
missing_apt=() missing_brew=()

# need PROBE APT BREW: PROBE is a command that succeeds when the thing is there.
need() {
  if ! bash -c "$1" >/dev/null 2>&1; then
    missing_apt+=("$2")
    missing_brew+=("$3")
  fi
}

# installed NAME: a shell test that dpkg knows the package; a machine without dpkg asks pkg-config alone.
installed() { echo "dpkg-query -W -f='\${Status}' $1 | grep -q 'ok installed'"; }

if ! command -v swift >/dev/null 2>&1; then
  echo "error: swift is not on the PATH; install Swift 6.1 or newer from https://www.swift.org/install" >&2
  exit 1
fi

need 'command -v git' git git
need 'command -v pkg-config' pkg-config pkgconf
need "pkg-config --exists openblas || $(installed libopenblas-dev)" libopenblas-dev openblas
need "pkg-config --exists libprotobuf-c || $(installed libprotobuf-c-dev)" libprotobuf-c-dev protobuf-c
if [ "$goal" != build ]; then
  need 'command -v python3' python3 python
  need 'python3 -c "import venv, ensurepip"' python3-venv python
  # Their headers are looked for when CImageShim is compiled; without them the tests of those formats fail.
  need "pkg-config --exists libturbojpeg || $(installed libturbojpeg0-dev)" libturbojpeg0-dev jpeg-turbo
  need "pkg-config --exists libpng || $(installed libpng-dev)" libpng-dev libpng
  need "pkg-config --exists libwebp || $(installed libwebp-dev)" libwebp-dev webp
  need "pkg-config --exists libtiff-4 || $(installed libtiff-dev)" libtiff-dev libtiff
  need "pkg-config --exists libopenjp2 || $(installed libopenjp2-7-dev)" libopenjp2-7-dev openjpeg
  # Judges the drawings of graphs.
  need 'command -v dot' graphviz graphviz
  need "[ -e /etc/ssl/certs/ca-certificates.crt ] || [ \"\$(uname)\" = Darwin ]" ca-certificates ca-certificates
fi
if [ "$goal" = counts ]; then
  need 'command -v valgrind || [ "$(uname)" = Darwin ]' valgrind valgrind
fi
if [ "$goal" = views ]; then
  need 'command -v chromium || command -v chromium-browser || command -v google-chrome' chromium chromium
  need 'fc-list | grep -q .' fonts-dejavu-core font-dejavu
fi
if [ "$goal" = serve ]; then
  need 'command -v wrk' wrk wrk
fi
if [ "$goal" = distributed ]; then
  need 'command -v mpirun' openmpi-bin open-mpi
  need "pkg-config --exists ompi-c || $(installed libopenmpi-dev)" libopenmpi-dev open-mpi
fi
if [ "$goal" = neon ] && [ "$(uname -m)" != aarch64 ] && [ "$(uname)" = Linux ]; then
  need 'command -v aarch64-linux-gnu-gcc' gcc-aarch64-linux-gnu gcc-aarch64-linux-gnu
  need '[ -e /usr/aarch64-linux-gnu/include/stdio.h ]' libc6-dev-arm64-cross libc6-dev-arm64-cross
  need 'command -v qemu-aarch64' qemu-user qemu
fi

[ ${#missing_apt[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  if command -v brew >/dev/null 2>&1; then
    hint="brew install ${missing_brew[*]}"
  else
    hint="with this system's package manager, the equivalents of Debian's ${missing_apt[*]}"
  fi
  echo "error: missing packages; install them with: $hint" >&2
  exit 1
fi

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  {
    echo "error: these packages are missing and installing them needs root: ${missing_apt[*]}"
    echo "run:   sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing_apt[*]}"
  } >&2
  exit 1
fi

echo "installing: ${missing_apt[*]}"
log=$(mktemp)
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends)
# A machine with fresh package lists needs no update; most fresh machines have none.
if ! "${install[@]}" "${missing_apt[@]}" >"$log" 2>&1; then
  if ! { "${as_root[@]}" apt-get update && "${install[@]}" "${missing_apt[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "error: apt-get could not install ${missing_apt[*]}" >&2
    exit 1
  fi
fi
rm -f "$log"
