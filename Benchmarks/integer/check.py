"""check.py FX MODELS QUANTIZED [NAME...]: quantized models of `quantize.py` beside ONNX Runtime.

Outputs: every model on COUNT inputs (--inputs, 200 by default); the largest difference in quanta of the output, where the
model ends in a quantized number, and how often the largest element is the same. Exit status 1 if a model that ends in a
quantized number differs by more than one quantum, or the largest element in more than 1 % of the inputs.

Time (--rounds above 0): one thread; ours on float32, ours on the quantized model and ONNX Runtime on both take turns, one
process each, and medians over the rounds are shown."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from quantize import inputs_of, sample  # noqa: E402

PEER = pathlib.Path(__file__).parent.parent / "onnxruntime_bench.py"


def quantum(model, output):
    """The scale of the `DequantizeLinear` that an output comes from, behind operators that only move; None without one."""
    producers = {name: node for node in model.graph.node for name in node.output}
    node = producers.get(output)
    while node is not None and node.op_type in ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Identity"):
        node = producers.get(node.input[0])
    if node is None or node.op_type != "DequantizeLinear":
        return None
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    scale = tensors.get(node.input[1])
    return None if scale is None else float(numpy_helper.to_array(scale).max())


def outputs(fx, folder, count):
    path = folder / "model.onnx"
    model = onnx.load(path, load_external_data=False)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    first, random = inputs_of(folder), np.random.default_rng(1)
    step, name = quantum(model, model.graph.output[0].name), session.get_outputs()[0].name
    worst, same, total = 0.0, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for index in range(count):
            arrays = first if index == 0 else [sample(array, random) for array in first]
            for place, array in enumerate(arrays):
                np.save(scratch / f"input_{place}.npy", array)
            command = [fx, "run", path, "--inputs", scratch, "--outputs", scratch / "out"]
            done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            if done.returncode != 0:
                raise RuntimeError((done.stderr + done.stdout).strip()[:300])
            ours = np.load(scratch / "out" / "output_0.npy").astype(np.float64)
            theirs = session.run([name], {i.name: a for i, a in zip(session.get_inputs(), arrays)})[0].astype(np.float64)
            worst = max(worst, float(np.abs(ours - theirs).max()))
            same += int((ours.argmax(-1) == theirs.argmax(-1)).sum())
            total += ours[..., 0].size
    return {"difference": worst, "quanta": None if step is None else worst / step, "top1": same / total}


def measure(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError((done.stderr + done.stdout).strip()[-300:])
    return json.loads(done.stdout.strip().splitlines()[-1])["median_ms"]


def times(fx, plain, folder, rounds, seconds):
    data = folder / "test_data_set_0"

    def theirs(model, iterations):
        return measure([sys.executable, PEER, model / "model.onnx", data, 1, iterations])

    def ours(model, iterations):
        return measure(
            [fx, "bench", model / "model.onnx", "--inputs", data, "--threads", 1, "--iterations", iterations, "--json"])

    iterations = max(3, min(500, int(seconds * 1e3 / theirs(folder, 3))))
    rows = [(ours(plain, iterations), ours(folder, iterations), theirs(plain, iterations), theirs(folder, iterations))
            for _ in range(rounds)]
    columns = [statistics.median(column) for column in zip(*rows)]
    names = ("ours_float", "ours", "theirs_float", "theirs")
    return dict(zip(names, columns), ratio=statistics.median(row[1] / row[3] for row in rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx")
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("quantized", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="folders of QUANTIZED, or beginnings of their names; all by default")
    parser.add_argument("--inputs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long each process runs the model")
    options = parser.parse_args()
    failed = []
    print(f"{'model':24} {'quanta':>7} {'difference':>11} {'top-1':>7}"
          "   float32 ms  int8 ms   ONNX Runtime float32 ms  int8 ms   time ×")
    for folder in sorted(path.parent for path in options.quantized.glob("*/model.onnx")):
        if options.names and not any(folder.name.startswith(name) for name in options.names):
            continue
        line = f"{folder.name:24}"
        try:
            if options.inputs:
                row = outputs(options.fx, folder, options.inputs)
                quanta = "–" if row["quanta"] is None else f"{row['quanta']:.2f}"
                line += f" {quanta:>7} {row['difference']:11.3g} {row['top1']:7.2%}"
                # A sum of float32 that ends between two quanta may fall to either.
                if (row["quanta"] or 0) > 1.01 or row["top1"] < 0.99:
                    failed.append(folder.name)
            if options.rounds:
                row = times(options.fx, options.models / folder.name.split(".")[0], folder, options.rounds, options.seconds)
                line += (f"   {row['ours_float']:10.3f} {row['ours']:8.3f}   {row['theirs_float']:23.3f} {row['theirs']:8.3f}"
                         f" {row['ratio']:8.2f}")
        except RuntimeError as reason:
            failed.append(folder.name)
            line += f" {reason}"
        print(line, flush=True)
    if failed:
        print("not as they should be:", ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
