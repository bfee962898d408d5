"""check.py FX MODELS QUANTIZED [NAME...]: quantized models of `quantize.py` beside ONNX Runtime.

Outputs: every model on COUNT inputs (--inputs, 200 by default); the largest difference in quanta of the output, where the
model ends in a quantized number, the share of elements within one quantum, and how often the largest element is the same.
`own` are the same figures of ONNX Runtime with its optimizations beside itself without them: its kernels for sums round otherwise
than the standard says (layers.py shows where), deep models collect that, and random weights blow it up. A model of QOperators
takes the same kernels either way: there `own` is what ONNX Runtime gives if one element of the input moves by one quantum, as
much as one rounding to the other side does at the first layer. Exit status 1 if a model
that ends in a quantized number is more than one quantum off and more than one further than ONNX Runtime is from itself, or if the
largest element differs in more than 1 % of the inputs and in 3 % more than ONNX Runtime's own does.

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
from quantize import samples  # noqa: E402

PEER = pathlib.Path(__file__).parent.parent / "onnxruntime_bench.py"
SHIPPED = pathlib.Path(__file__).parent.parent.parent / "Models"


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


def session_of(path, optimizes):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if not optimizes:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def input_quantum(model):
    """The scale of the first input's `QuantizeLinear` in a model of QOperators; None in other models."""
    if not any(node.op_type.startswith("QLinear") for node in model.graph.node):
        return None
    scales = [node.input[1] for node in model.graph.node
              if node.op_type == "QuantizeLinear" and node.input[0] == model.graph.input[0].name]
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    return float(numpy_helper.to_array(tensors[scales[0]])) if scales else None


def nudged(array, step):
    """The array with the middle element of each of its rows moved by `step`."""
    moved = array.copy()
    rows = moved.reshape(len(moved), -1)
    rows[:, rows.shape[1] // 2] += step
    return moved


def outputs(fx, folder, source, count):
    path = folder / "model.onnx"
    model = onnx.load(path, load_external_data=False)
    session, literal = session_of(path, True), session_of(path, False)
    given = samples(source if (source / "images.npy").exists() else folder, count, 1)
    step, name = quantum(model, model.graph.output[0].name), session.get_outputs()[0].name
    input_step = input_quantum(model)
    # Several inputs at once where the model takes them: most of the time goes into starting fx.
    free = all(isinstance(i.shape[0], str) and a.shape[0] == 1 for i, a in zip(session.get_inputs(), given[0]) if i.shape)
    together = 8 if free else 1
    worst, own, near, same, elements, total, done = 0.0, 0.0, 0, 0, 0, 0, 0
    own_same = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        while done < count:
            batch = given[done:done + together]
            done += len(batch)
            arrays = [np.concatenate(column) if len(batch) > 1 else column[0] for column in zip(*batch)]
            for place, array in enumerate(arrays):
                np.save(scratch / f"input_{place}.npy", array)
            command = [fx, "run", path, "--inputs", scratch, "--outputs", scratch / "out"]
            ran = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            if ran.returncode != 0:
                raise RuntimeError((ran.stderr + ran.stdout).strip()[:300])
            feed = {i.name: a for i, a in zip(session.get_inputs(), arrays)}
            ours = np.load(scratch / "out" / "output_0.npy").astype(np.float64)
            theirs = session.run([name], feed)[0].astype(np.float64)
            off = np.abs(ours - theirs)
            worst = max(worst, float(off.max()))
            if input_step is None:
                other = literal.run([name], feed)[0]
            else:
                first = session.get_inputs()[0].name
                other = session.run([name], feed | {first: nudged(feed[first], input_step)})[0]
            own = max(own, float(np.abs(theirs - other).max()))
            own_same += int((other.argmax(-1) == theirs.argmax(-1)).sum())
            near += int((off <= 1.01 * (step or 0)).sum())
            elements += off.size
            same += int((ours.argmax(-1) == theirs.argmax(-1)).sum())
            total += ours[..., 0].size
    unit = step or 1.0
    return {
        "difference": worst, "quanta": worst / step if step else None, "own": own / unit, "near": near / elements if step else None,
        "top1": same / total, "own_top1": own_same / total}


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
    print(f"{'model':24} {'quanta':>7} {'own':>9} {'within 1':>9} {'difference':>11} {'top-1':>7} {'own':>7}"
          "   float32 ms  int8 ms   ONNX Runtime float32 ms  int8 ms   time ×")
    for folder in sorted(path.parent for path in options.quantized.glob("*/model.onnx")):
        if options.names and not any(folder.name.startswith(name) for name in options.names):
            continue
        name = folder.name.split(".")[0]
        plain = next((f / name for f in (options.models, SHIPPED) if (f / name).exists()), folder)
        line = f"{folder.name:24}"
        try:
            if options.inputs:
                row = outputs(options.fx, folder, plain, options.inputs)
                quanta = "–" if row["quanta"] is None else f"{row['quanta']:.2f}"
                near = "–" if row["near"] is None else f"{row['near']:.2%}"
                line += f" {quanta:>7} {row['own']:9.3g} {near:>9} {row['difference']:11.3g} {row['top1']:7.2%} {row['own_top1']:7.2%}"
                # A sum of float32 that ends between two quanta may fall to either.
                if (row["quanta"] or 0) > max(1, row["own"] + 1) + 0.01 or row["top1"] < min(0.99, row["own_top1"] - 0.03):
                    failed.append(folder.name)
            if options.rounds:
                row = times(options.fx, plain, folder, options.rounds, options.seconds)
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
