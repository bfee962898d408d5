"""check-exports.py FX FOLDER... [--filter RE] [--optimized]: what we write as ONNX, judged by others.

Every model below the folders is read and written again by `fx convert` (with --optimized, by `fx optimize`). The file must
pass onnx.checker in full, and ONNX Runtime must compute the same from it as from the original, on the inputs beside the
model (test_data_set_*/input_I.pb) within the tolerances of data.json. Where ONNX Runtime cannot run the original, or gives
random numbers, only the checker judges; where the checker refuses the original, the model is skipped. A line for each
failure, and last: N passed, N failed, N skipped."""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import OptionalProto, SequenceProto, TensorProto, numpy_helper


class Skipped(Exception):
    """The original cannot serve as a reference; the message says why."""


class Failed(Exception):
    """Our file is wrong; the message says how."""


def read_value(path, about):
    """The content of a .pb file, whose message type follows from the declared type of the input."""
    kind, data = about.type.WhichOneof("value"), path.read_bytes()
    if kind == "sequence_type":
        return numpy_helper.to_list(SequenceProto.FromString(data))
    if kind == "optional_type":
        return numpy_helper.to_optional(OptionalProto.FromString(data))
    return numpy_helper.to_array(TensorProto.FromString(data))


def data_sets(folder, model):
    held = {tensor.name for tensor in model.graph.initializer}
    inputs = [info for info in model.graph.input if info.name not in held]
    for data in sorted(folder.glob("test_data_set_*")):
        yield {info.name: read_value(data / f"input_{i}.pb", info)
               for i, info in enumerate(inputs) if (data / f"input_{i}.pb").exists()}


def run(path, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return [session.run(None, feed) for feed in feeds]


def same(a, b, tolerances):
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(same(x, y, tolerances) for x, y in zip(a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key], tolerances) for key in a)
    if a is None or b is None:
        return a is b
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return np.allclose(a, b, equal_nan=True, **tolerances) if a.dtype.kind in "fc" else bool((a == b).all())


def interface(model):
    """Names, types and shapes of the inputs and outputs, which must survive."""
    held = {tensor.name for tensor in model.graph.initializer}
    infos = [info for info in model.graph.input if info.name not in held] + list(model.graph.output)
    return [(info.name, info.type.WhichOneof("value"), info.type.tensor_type.elem_type) for info in infos]


def check(fx, folder, command, scratch):
    """Whether ONNX Runtime could be asked too."""
    original, written = folder / "model.onnx", scratch / "written.onnx"
    settings = {"rtol": 1e-3, "atol": 1e-7}
    if (folder / "data.json").exists():
        settings |= {k: v for k, v in json.loads((folder / "data.json").read_text()).items() if k in settings}
    try:
        onnx.checker.check_model(original, full_check=True)
        model = onnx.load(original)
    except Exception as reason:
        raise Skipped(" ".join(str(reason).split())[:160]) from None
    try:
        feeds = list(data_sets(folder, model))
        expected, again = run(original, feeds), run(original, feeds)
        comparable = same(expected, again, settings)
    except Exception:
        comparable = False

    done = subprocess.run([fx, *command(original, written)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"fx: {(done.stderr or done.stdout).strip()[-200:] or f'exit status {done.returncode}'}")
    try:
        onnx.checker.check_model(written, full_check=True)
    except Exception as reason:
        raise Failed(f"checker: {' '.join(str(reason).split())[:200]}") from None
    if interface(onnx.load(written, load_external_data=False)) != interface(model):
        raise Failed("names or types of inputs and outputs have changed")
    if not comparable:
        return False
    try:
        outputs = run(written, feeds)
    except Exception as reason:
        raise Failed(f"ONNX Runtime: {' '.join(str(reason).split())[:200]}") from None
    if not same(expected, outputs, settings):
        raise Failed("ONNX Runtime computes something else")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--filter", type=re.compile, default=re.compile(""))
    parser.add_argument("--optimized", action="store_true")
    options = parser.parse_args()

    def command(source, target):
        return ["optimize", source, "-o", target] if options.optimized else ["convert", source, target]

    passed = compared = failed = skipped = 0
    models = sorted(path.parent for folder in options.folders for path in folder.rglob("model.onnx"))
    for folder in (model for model in models if options.filter.search(str(model))):
        with tempfile.TemporaryDirectory() as scratch:
            try:
                compared += check(options.fx, folder, command, pathlib.Path(scratch))
                passed += 1
            except Failed as reason:
                failed += 1
                print(f"{folder}: {reason}", flush=True)
            except Skipped as reason:
                skipped += 1
                print(f"{folder}: skipped: {reason}", flush=True)
    print(f"{compared} of those that passed give the same in ONNX Runtime")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
