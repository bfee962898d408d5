#!/usr/bin/env python3
"""compare.py FX MODEL_FOLDER...: compiles models with `fx compile`, runs the libraries, compares and times them.

Each folder has model.onnx and test_data_set_0 in the layout of ONNX's backend tests. A library is called through its C
interface by ctypes: the results must be the expected ones to 1e-4 (relative, and of the largest element), and it may need
nothing but the C, C++ and mathematical libraries. With --times it takes turns with ONNX Runtime, in this process, and with
FX's own runtime, in processes of `fx bench`: one thread each, so that a machine that slows down hurts all three; what
counts is the median over the rounds of the medians. --markdown FILE puts the table between the marks of a document. The
last line is `N passed, N failed`.
"""
import argparse
import ctypes
import glob
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import numpy_helper

TYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "i64": np.int64, "i32": np.int32, "i16": np.int16,
         "i8": np.int8, "u64": np.uint64, "u32": np.uint32, "u16": np.uint16, "u8": np.uint8, "bool": np.bool_}
ALLOWED = ("libc.so", "libm.so", "libstdc++.so", "libgcc_s.so", "ld-linux", "linux-vdso")


class TensorInfo(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("type", ctypes.c_char_p), ("rank", ctypes.c_int),
                ("sizes", ctypes.POINTER(ctypes.c_int64)), ("bytes", ctypes.c_size_t)]


class Interface(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int), ("name", ctypes.c_char_p), ("input_count", ctypes.c_int),
                ("inputs", ctypes.POINTER(TensorInfo)), ("output_count", ctypes.c_int),
                ("outputs", ctypes.POINTER(TensorInfo)), ("arena_bytes", ctypes.c_size_t),
                ("weights_bytes", ctypes.c_size_t),
                ("create", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p))),
                ("destroy", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
                ("run", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p),
                                         ctypes.POINTER(ctypes.c_void_p))),
                ("message", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_int))]


class Library:
    """A compiled model."""

    def __init__(self, path):
        library = ctypes.CDLL(path)
        library.fx_model_interface.restype = ctypes.POINTER(Interface)
        self.interface = library.fx_model_interface().contents
        self.model = ctypes.c_void_p()
        self.check(self.interface.create(None, ctypes.byref(self.model)))

    def check(self, status):
        if status:
            raise RuntimeError(self.interface.message(status).decode())

    def __call__(self, inputs):
        i = self.interface
        arrays = []
        for array, info in zip(inputs, i.inputs[: i.input_count]):
            assert array.dtype == TYPES[info.type.decode()] and list(array.shape) == list(info.sizes[: info.rank]), info.name
            arrays.append(np.ascontiguousarray(array))
        outputs = [np.empty(info.sizes[: info.rank], TYPES[info.type.decode()]) for info in i.outputs[: i.output_count]]
        pointers = lambda list: (ctypes.c_void_p * max(len(list), 1))(*[array.ctypes.data for array in list])
        self.check(i.run(self.model, pointers(arrays), pointers(outputs)))
        return outputs


def tensors(folder, kind):
    paths = sorted(glob.glob(f"{folder}/test_data_set_0/{kind}_*.pb"), key=lambda p: int(p.rsplit("_", 1)[1][:-3]))
    return [numpy_helper.to_array(onnx.load_tensor(path)) for path in paths]


def median_ms(run, seconds):
    """The median time of a run, of as many as the time is good for."""
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 1000):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def fx_bench_ms(fx, path, data, iterations):
    """The median time of a run in FX's own runtime."""
    command = [fx, "bench", path, "--inputs", data, "--threads", "1", "--iterations", str(iterations), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])["median_ms"]


def times(library, fx, folder, names, inputs, options):
    """Milliseconds of the library, of FX's runtime and of ONNX Runtime, which take turns."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", settings, providers=["CPUExecutionProvider"])
    feed = dict(zip(names, inputs))
    runs = [lambda: library(inputs), lambda: session.run(None, feed)]
    for run in runs:
        run()
    iterations = max(3, min(1000, int(1e3 * options.seconds / max(median_ms(runs[0], 0), 1e-3))))
    rounds = [
        (median_ms(runs[0], options.seconds),
         fx_bench_ms(fx, f"{folder}/model.onnx", f"{folder}/test_data_set_0", iterations),
         median_ms(runs[1], options.seconds))
        for _ in range(options.rounds)]
    return tuple(statistics.median(column) for column in zip(*rounds))


def check(fx, folder, options, scratch):
    name = os.path.basename(folder.rstrip("/"))
    path = f"{folder}/model.onnx"
    model = onnx.load(path, load_external_data=False)
    weights = {w.name for w in model.graph.initializer}
    names = [v.name for v in model.graph.input if v.name not in weights]
    inputs, expected = tensors(folder, "input"), tensors(folder, "output")
    library_path = f"{scratch}/{name}.so"
    command = [fx, "compile", path, "-o", library_path]
    for input_name, array in zip(names, inputs):
        command += ["--shape", f"{input_name}=" + ",".join(map(str, array.shape))]
    start = time.perf_counter()
    done = subprocess.run(command + options.compile.split(), capture_output=True, text=True)
    if done.returncode:
        return False, f"{name}: {done.stderr.strip()[:600]}", None
    compile_s = time.perf_counter() - start
    library = Library(library_path)
    results = library(inputs)
    worst = 0.0
    for result, truth in zip(results, expected):
        if result.shape != truth.shape or result.dtype != truth.dtype:
            return False, f"{name}: {result.dtype}{result.shape}, expected {truth.dtype}{truth.shape}", None
        if truth.size:
            scale = max(1.0, float(np.max(np.abs(truth.astype(np.float64)))))
            error = np.abs(result.astype(np.float64) - truth.astype(np.float64)) / scale
            worst = max(worst, float(np.max(error))) if not np.isnan(error).any() else float("nan")
    needed = [line.split()[0] for line in subprocess.run(["ldd", library_path], capture_output=True, text=True).stdout.splitlines()]
    foreign = [n for n in needed if not any(a in n for a in ALLOWED)]
    row = {"model": name, "error": worst, "megabytes": os.path.getsize(library_path) / 1e6,
           "arena": library.interface.arena_bytes / 1e6, "compile_s": compile_s}
    text = (f"{name}: error {worst:.1e}, {row['megabytes']:.1f} MB, arena {row['arena']:.1f} MB, "
            f"compiled in {compile_s:.1f} s")
    if options.times:
        row["times"] = times(library, fx, folder, names, inputs, options)
        text += ", {:.2f} ms; fx {:.2f} ms, ONNX Runtime {:.2f} ms".format(*row["times"])
    if foreign:
        return False, text + f"; it needs {', '.join(foreign)}", None
    # NaN is never small enough.
    return worst <= options.tolerance, text, row


MARKS = "<!-- begin: compiled models -->\n", "<!-- end: compiled models -->\n"


def write_table(document, rows):
    """Puts a line per model between the marks of a document."""
    before, rest = document.read_text().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    lines = ["| model | largest error | library (MB) | arena (MB) | library (ms) | our runtime (ms) | ONNX Runtime (ms) |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in rows:
        cells = [f"{value:.3g}" for value in row.get("times", ())] or ["–"] * 3
        lines.append(f"| {row['model']} | {row['error']:.1e} | {row['megabytes']:.1f} | {row['arena']:.1f} | {' | '.join(cells)} |")
    document.write_text(before + MARKS[0] + "\n".join(lines) + "\n" + MARKS[1] + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fx")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--times", action="store_true", help="also time the libraries, FX's runtime and ONNX Runtime")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="about how long each runs in a round")
    parser.add_argument("--markdown", type=pathlib.Path, help="put the table between the marks of this document")
    parser.add_argument("--compile", default="", help="more options of fx compile")
    options = parser.parse_args()
    passed = failed = 0
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for folder in options.folders:
            try:
                good, text, row = check(options.fx, folder, options, scratch)
            except Exception as error:  # one model must not hide the others
                good, text, row = False, f"{folder}: {error}", None
            print(("ok   " if good else "FAIL ") + text, flush=True)
            passed, failed = passed + good, failed + (not good)
            rows += [row] if row else []
    if options.markdown:
        write_table(options.markdown, rows)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
