"""check-big-model.py FX [--megabytes 500]: a model of half a gigabyte opens without being read.

Writes an ONNX model whose weights fill the file, of which the graph uses a small part, and measures the peak resident memory of
`fx inspect` (must stay below 0.2 of the file: weights are mapped, not read) and of `fx convert` to another ONNX file (below
1.3 of it). Last line: N passed, N failed."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_model(path, megabytes):
    """Ten equal weights of which the graph multiplies by one."""
    rows = megabytes * 1_000_000 // 10 // 4 // 1000
    weights = [numpy_helper.from_array(np.full((1000, rows), i, np.float32), f"w{i}") for i in range(10)]
    nodes = [helper.make_node("Gather", ["w0", "row"], ["y"], axis=0)]
    graph = helper.make_graph(
        nodes, "big", [helper.make_tensor_value_info("row", TensorProto.INT64, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, rows])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)


def peak_bytes(command):
    """Peak resident bytes of a command, in a process of its own so that earlier children do not count."""
    code = (
        "import resource, subprocess, sys; status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024); sys.exit(status)")
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"{command[1]} failed")
    return int(done.stdout)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("fx")
    arguments.add_argument("--megabytes", type=int, default=500)
    options = arguments.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        model, copy = (str(pathlib.Path(folder) / name) for name in ("big.onnx", "copy.onnx"))
        write_model(model, options.megabytes)
        size = os.path.getsize(model)
        for command, limit in ((["inspect", model], 0.2), (["convert", model, copy], 1.3)):
            peak = peak_bytes([options.fx, *command])
            verdict = "passed" if peak < limit * size else "FAILED"
            passed, failed = passed + (verdict == "passed"), failed + (verdict == "FAILED")
            print(f"{verdict} fx {command[0]}: {peak / 1e6:.0f} MB peak for a file of {size / 1e6:.0f} MB ({peak / size:.2f}, allowed {limit})")
        same = os.path.getsize(copy) >= size * 0.99
        print(f"{'passed' if same else 'FAILED'} the copy holds all weights ({os.path.getsize(copy) / 1e6:.0f} MB)")
        passed, failed = passed + bool(same), failed + (not same)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
