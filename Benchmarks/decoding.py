"""decoding.py FX MODEL...: tokens that `fx generate` decodes a second, beside the same loop over ONNX Runtime.

The two take turns; what counts is the median over the rounds. Both must find the same tokens: a model whose tokens differ
ends with exit status 1. --tokens N, --threads N, --rounds N."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime


def peer(model, tokens, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed, cache, token = {}, [], None
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(float16)": np.float16}
    for value in session.get_inputs():
        shape = [size if isinstance(size, int) else int(axis == 0) for axis, size in enumerate(value.shape)]
        feed[value.name] = np.zeros(shape, types[value.type])
        if "mask" in value.name or "position" in value.name:
            continue
        if token is None and value.type == "tensor(int64)":
            token = value.name
        else:
            cache.append(value.name)

    def step(value, length):
        feed[token] = np.full((1, 1), value, np.int64)
        for name in feed:
            if "mask" in name:
                feed[name] = np.ones((1, length + 1), feed[name].dtype)
            if "position" in name:
                feed[name] = np.full((1, 1), length, np.int64)
        scores, *states = session.run(None, feed)
        feed.update(zip(cache, states))
        return int(scores.reshape(-1, scores.shape[-1])[-1].argmax())

    found = [step(1, 0)]
    start = time.perf_counter()
    while len(found) < tokens:
        found.append(step(found[-1], len(found)))
    return found, (tokens - 1) / (time.perf_counter() - start)


def ours(fx, model, tokens, threads):
    done = subprocess.run(
        [fx, "generate", model, "--tokens", str(tokens), "--threads", str(threads), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    report = json.loads(done.stdout)
    return report["tokens"], report["tokens_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx")
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    same = True
    for model in options.models:
        pairs = []
        for _ in range(options.rounds):
            (mine, rate), (theirs, other) = ours(options.fx, model, options.tokens, options.threads), peer(
                model, options.tokens, options.threads)
            same &= mine == theirs
            pairs.append((rate, other))
        print(f"{model.parent.name}: {statistics.median(a for a, _ in pairs):.1f} tokens a second, "
              f"ONNX Runtime {statistics.median(b for _, b in pairs):.1f}, "
              f"× {statistics.median(a / b for a, b in pairs):.2f}; {'the same tokens' if mine == theirs else 'OTHER TOKENS'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
