#!/usr/bin/env python3
"""check-native.py FX KIND FOLDER...: models as native programs, compiled with warnings as errors, run, and compared.

Each folder has model.onnx and test_data_set_0 in the layout of ONNX's backend tests. KIND is one of
  sanitized   std_cpp by g++ with the address and undefined-behaviour sanitizers
  shim        cuda by g++ through the stand-in for CUDA's run time, with threads forward, in reverse and in random order
  nvcc        cuda by nvcc for compute capabilities 8.0 and 9.0; run too where there is a device
Results must be the expected ones to 1e-4, relative and of the largest element. The last line is `N passed, N failed`.
"""
import argparse
import glob
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import numpy_helper

SHIM = pathlib.Path(__file__).resolve().parent.parent / "Tests/FXCodegenTests/Native/Shim"
WARNINGS = ["-std=c++17", "-Wall", "-Wextra", "-Werror"]
TOLERANCE = 1e-4


def tensors(folder, kind):
    paths = sorted(glob.glob(f"{folder}/test_data_set_0/{kind}_*.pb"), key=lambda p: int(p.rsplit("_", 1)[1][:-3]))
    return [numpy_helper.to_array(onnx.load_tensor(path)) for path in paths]


def compiler(kind, nvcc):
    """The compiler with its options."""
    if kind == "sanitized":
        return ["g++", *WARNINGS, "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    if kind == "shim":
        return ["g++", *WARNINGS, "-O2", f"-I{SHIM}"]
    architectures = [word for n in (80, 90) for word in ("-gencode", f"arch=compute_{n},code=sm_{n}")]
    return [nvcc, "-std=c++17", "-O3", "--expt-relaxed-constexpr", "-Werror", "all-warnings", *architectures]


def run(command, environment={}):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=os.environ | environment)
    if done.returncode:
        text = (done.stderr + done.stdout).strip()
        # What is wrong stands in the first line that says so.
        said = next((line for line in text.splitlines() if "error" in line.lower()), text[:300])
        raise RuntimeError(f"{pathlib.Path(str(command[0])).name}: status {done.returncode}: {said[:500]}")


def worst(results, expected):
    """The largest deviation, relative to the largest element or to 1; NaN where one is NaN alone."""
    deviations = [0.0]
    for result, truth in zip(results, expected, strict=True):
        if result.shape != truth.shape or result.dtype != truth.dtype:
            raise RuntimeError(f"{result.dtype}{result.shape}, expected {truth.dtype}{truth.shape}")
        if truth.size:
            result, truth = result.astype(np.float64), truth.astype(np.float64)
            deviations.append(float(np.max(np.abs(result - truth)) / max(1.0, np.max(np.abs(truth)))))
    return max(deviations, key=lambda x: float("inf") if np.isnan(x) else x)


def check(options, folder, scratch):
    """What is to be said of a model that is as it should be."""
    inputs, expected = tensors(folder, "input"), tensors(folder, "output")
    graph = onnx.load(f"{folder}/model.onnx", load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    names = [value.name for value in graph.input if value.name not in weights]
    target, suffix = ("std_cpp", "cpp") if options.kind == "sanitized" else ("cuda", "cu")
    command = [options.fx, "codegen", f"{folder}/model.onnx", "--target", target, "--name", "net", "-o", scratch]
    for name, array in zip(names, inputs, strict=True):
        if array.shape:
            command += ["--shape", f"{name}=" + ",".join(map(str, array.shape))]
    run(command)
    start = time.perf_counter()
    language = [] if options.kind == "nvcc" else ["-x", "c++"]
    run([*compiler(options.kind, options.nvcc), *language, f"{scratch}/net.{suffix}", f"{scratch}/net_main.cpp",
         "-o", f"{scratch}/program"])
    text = f"compiled in {time.perf_counter() - start:.0f} s"
    if options.kind == "nvcc" and not os.path.exists("/dev/nvidiactl"):
        return text + ", not run: no device"
    for index, array in enumerate(inputs):
        np.save(f"{scratch}/input_{index}.npy", array)
    weights_file = ["--weights", f"{scratch}/net.weights"] if os.path.exists(f"{scratch}/net.weights") else []
    files = [f"{scratch}/input_{index}.npy" for index in range(len(inputs))]
    for order in ("forward", "reverse", "random") if options.kind == "shim" else ("",):
        start = time.perf_counter()
        run([f"{scratch}/program", *weights_file, f"{scratch}/output_", *files], {"FX_THREAD_ORDER": order} if order else {})
        results = [np.load(f"{scratch}/output_{index}.npy") for index in range(len(expected))]
        error = worst(results, expected)
        if not error <= TOLERANCE:  # so that NaN is never small enough
            raise RuntimeError(f"{order} error {error:.1e}".strip())
        text += f", {order + ' ' if order else ''}error {error:.1e} in {time.perf_counter() - start:.0f} s"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fx")
    parser.add_argument("kind", choices=["sanitized", "shim", "nvcc"])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--nvcc", default=os.environ.get("FX_NVCC", "nvcc"))
    options = parser.parse_args()
    passed = failed = 0
    for folder in options.folders:
        name = os.path.basename(folder.rstrip("/"))
        with tempfile.TemporaryDirectory() as scratch:
            try:
                print(f"ok   {options.kind} {name}: {check(options, folder, scratch)}", flush=True)
                passed += 1
            except Exception as error:  # one model must not hide the others
                print(f"FAIL {options.kind} {name}: {error}", flush=True)
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
