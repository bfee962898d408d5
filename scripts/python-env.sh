#!/usr/bin/env bash
# python-env.sh NAME: prints the interpreter of the environment .cache/NAME, made from
# scripts/requirements/NAME.txt. pip runs only when that file or the system's Python has changed; a line `# pip: …` has more
# options for it.
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
  read -ra options <<<"$(sed -n 's/^# pip: //p' "$requirements")"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check ${options[@]+"${options[@]}"} -r "$requirements" >&2
  echo "$wanted" >"$stamp"
fi
echo "$environment/bin/python"
