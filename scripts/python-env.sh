#!/usr/bin/env bash
# python-env.sh NAME: prints the interpreter of the environment .cache/NAME, made from
# scripts/requirements/NAME.txt. pip runs only when that file or the system's Python has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
requirements=scripts/requirements/$name.txt
environment=$PWD/.cache/$name
stamp=$environment/.stamp
wanted="$(cksum <"$requirements") $(python3 --version 2>&1) $environment"

if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  echo "making the Python environment .cache/$name from $requirements" >&2
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" >&2
  echo "$wanted" >"$stamp"
fi
echo "$environment/bin/python"
