"""decoding.py FX MODELS [--rounds 5] [--threads 1]: tokens per second with weights of 4 and 8 bits beside float32.

Language models of `make models` with weights that fx quantizes (`--scheme weights-int4` and `weights-int8`); one token at a
time. Those with a cache are run on their test data, the others on one token, for which weights are read all the same. The
models take turns, one process each; medians over the rounds. Exit status 1 if 4 bits are less than 1.8 times as fast as
float32."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import onnx

NAMES = ("gpt2", "llama_tiny", "llama_tiny_past", "gpt2_past")
SCHEMES = ("weights-int4", "weights-int8")


def tokens(folder, scratch):
    """A folder with inputs for one token."""
    inputs = onnx.load(folder / "model.onnx", load_external_data=False).graph.input
    if any(value.name.startswith("past") for value in inputs):
        return folder / "test_data_set_0"
    place = scratch / "tokens"
    place.mkdir(exist_ok=True)
    for index, value in enumerate(inputs):
        np.save(place / f"input_{index}.npy", np.full((1, 1), 1 if "mask" in value.name else 17, np.int64))
    return place


def milliseconds(fx, model, data, threads):
    command = [fx, "bench", model, "--inputs", data, "--threads", threads, "--iterations", 40, "--json"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])["median_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx")
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    slow = []
    print("| one token of | float32, ms | 4 bits | 8 bits | 4 bits, times as fast | 8 bits |\n|---|---|---|---|---|---|")
    for name in NAMES:
        folder = options.models / name
        if not (folder / "model.onnx").exists():
            continue
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            models = [folder / "model.onnx"]
            for scheme in SCHEMES:
                models.append(scratch / f"{scheme}.onnx")
                subprocess.run(
                    [options.fx, "quantize", models[0], "--scheme", scheme, "-o", models[-1]], check=True,
                    stdout=subprocess.DEVNULL)
            data = tokens(folder, scratch)
            rounds = [[milliseconds(options.fx, model, data, options.threads) for model in models] for _ in range(options.rounds)]
        times = [statistics.median(column) for column in zip(*rounds)]
        ratios = [statistics.median(row[0] / row[place] for row in rounds) for place in (1, 2)]
        print(
            f"| {name} | " + " | ".join(f"{time:.2f}" for time in times) + " | " + " | ".join(f"{r:.2f}" for r in ratios) + " |",
            flush=True)
        if ratios[0] < 1.8:
            slow.append(name)
    if slow:
        print("less than 1.8 times as fast as float32:", ", ".join(slow), file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
