#!/usr/bin/env python3
"""check-pytorch.py FX FOLDER...: ONNX models as PyTorch source, beside ONNX Runtime.

Every NAME/model.onnx below the folders is written by `fx codegen --target pytorch`; the module loads its weights, all of
them and no others, and runs on the model's test data, as ONNX Runtime runs the model. Outputs must be of the same type and
shape, and equal to 1e-4 relative to the largest element. A model that PyTorch cannot express, or that fails, is named with
the reason. --markdown FILE puts the table between the marks of a document. The last line is `N passed, N failed`.
"""
import argparse
import glob
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

TOLERANCE = 1e-4
MARKS = "<!-- begin: PyTorch source -->\n", "<!-- end: PyTorch source -->\n"


def generated(fx, model, folder):
    """The module that fx writes, imported, and its number of lines."""
    command = [fx, "codegen", model, "--target", "pytorch", "--name", "generated", "-o", folder]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[:500])
    source = pathlib.Path(folder, "generated.py")
    specification = importlib.util.spec_from_file_location("generated", source)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.load(), source.read_text().count("\n")


def deviation(mine, truth):
    """The largest difference, relative to the largest element or to 1."""
    if mine.dtype != truth.dtype or mine.shape != truth.shape:
        raise RuntimeError(f"{mine.dtype}{list(mine.shape)}, expected {truth.dtype}{list(truth.shape)}")
    if truth.dtype == bool or truth.size == 0:
        return float((mine != truth).any())
    mine, truth = mine.astype(np.float64), truth.astype(np.float64)
    return float(np.abs(mine - truth).max() / max(1.0, np.abs(truth).max()))


def check(fx, folder):
    """Lines, elements of weights, and the largest deviation of a model's outputs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    files = sorted(glob.glob(f"{folder}/test_data_set_0/input_*.pb"), key=lambda p: int(p.rsplit("_", 1)[1][:-3]))
    inputs = [numpy_helper.to_array(onnx.load_tensor(path)) for path in files]
    expected = session.run(None, {info.name: array for info, array in zip(session.get_inputs(), inputs, strict=True)})
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        module, lines = generated(fx, folder / "model.onnx", scratch)
        outputs = module(*[torch.from_numpy(np.array(array)) for array in inputs])
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        elements = sum(tensor.numel() for tensor in module.state_dict().values())
    return lines, elements, max(deviation(o.numpy(), e) for o, e in zip(outputs, expected, strict=True))


def write_table(document, results):
    """A line per model, columns for the exporters; below, what could not be written or differs, with the reason."""
    before, rest = document.read_text().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    lines = ["| model | elements of weights | exported by torch.export: lines, largest error | by TorchScript |", "|---|---|---|---|"]
    failures = []
    for name in sorted({name.removesuffix("_ts") for name in results}):
        both = [results.get(name), results.get(name + "_ts")]
        for suffix, result in zip(("", " (TorchScript)"), both):
            if isinstance(result, str):
                failures.append(f"- {name}{suffix}: {result[:300]}")
        passed = [result for result in both if isinstance(result, tuple)]
        if passed:
            cells = [f"{r[0]:,}, {r[2]:.1e}" if isinstance(r, tuple) else "–" for r in both]
            lines.append(f"| {name} | {passed[0][1]:,} | {' | '.join(cells)} |")
    if failures:
        lines += ["", "Not written, or not equal:", ""] + failures
    document.write_text(before + MARKS[0] + "\n".join(lines) + "\n" + MARKS[1] + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fx")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--models", type=lambda text: text.split(","), help="names of folders, separated by commas")
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    models = [path.parent for folder in options.folders for path in sorted(folder.glob("*/model.onnx"))]
    models = [model for model in models if not options.models or model.name in options.models]
    results = {}
    for model in models:
        try:
            result = check(options.fx, model)
            if not result[2] <= TOLERANCE:  # so that NaN is never small enough
                raise RuntimeError(f"the largest error is {result[2]:.1e}")
            text = "{} lines, {} elements of weights, largest error {:.1e}".format(*result)
        except Exception as error:  # one model must not hide the others
            result = text = " ".join(str(error).split()).replace(f"fx: {model}/model.onnx: ", "")
        results[model.name] = result
        print(f"{'FAIL' if isinstance(result, str) else 'ok  '} {model.name:24} {text[:500]}", flush=True)
    if options.markdown:
        write_table(options.markdown, results)
    reasons = [result for result in results.values() if isinstance(result, str)]
    # Operators that PyTorch has nothing for are told of, and no fault of a program.
    refused = sum(reason.startswith("pytorch cannot express") for reason in reasons)
    failed = len(reasons) - refused
    print(f"{refused} refused\n{len(results) - refused - failed} passed, {failed} failed")
    return 1 if failed or not models else 0


if __name__ == "__main__":
    sys.exit(main())
