#!/usr/bin/env python3
"""check-native.py FX MODEL_FOLDER...: compiles models with `fx compile`, runs the libraries, and compares them.

Each folder has model.onnx and test_data_set_0 in the layout of ONNX's backend tests. A library is called through its C
interface by ctypes: the results must be the expected ones to 1e-4 (relative, and of the largest element), and it may need
nothing but the C, C++ and mathematical libraries. With onnxruntime in the interpreter, times stand beside: one thread each.
--fx-bench also times FX's own runtime. The last line is `N passed, N failed`.
"""
import argparse
import ctypes
import glob
import os
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


def best_ms(run, seconds=2.0):
    """The least processor time of this thread that a run took: others on the machine do not count."""
    run()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or (time.perf_counter() < end and len(times) < 200):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return 1e3 * min(times)


def onnxruntime_ms(path, names, inputs):
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = dict(zip(names, inputs))
    return best_ms(lambda: session.run(None, feed))


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
        return False, f"{name}: {done.stderr.strip()[:600]}"
    compile_s = time.perf_counter() - start
    library = Library(library_path)
    results = library(inputs)
    worst = 0.0
    for result, truth in zip(results, expected):
        if result.shape != truth.shape or result.dtype != truth.dtype:
            return False, f"{name}: {result.dtype}{result.shape}, expected {truth.dtype}{truth.shape}"
        if truth.size:
            scale = max(1.0, float(np.max(np.abs(truth.astype(np.float64)))))
            error = np.abs(result.astype(np.float64) - truth.astype(np.float64)) / scale
            worst = max(worst, float(np.max(error))) if not np.isnan(error).any() else float("nan")
    needed = [line.split()[0] for line in subprocess.run(["ldd", library_path], capture_output=True, text=True).stdout.splitlines()]
    foreign = [n for n in needed if not any(a in n for a in ALLOWED)]
    text = (f"{name}: error {worst:.1e}, {os.path.getsize(library_path) / 1e6:.1f} MB, arena "
            f"{library.interface.arena_bytes / 1e6:.1f} MB, compiled in {compile_s:.1f} s")
    if not options.no_times:
        text += f", {best_ms(lambda: library(inputs)):.2f} ms"
        reference = onnxruntime_ms(path, names, inputs)
        if reference is not None:
            text += f", ONNX Runtime {reference:.2f} ms"
        if options.fx_bench:
            data = f"{scratch}/{name}-inputs"
            os.makedirs(data, exist_ok=True)
            for index, array in enumerate(inputs):
                np.save(f"{data}/input_{index}.npy", array)
            out = subprocess.run([fx, "bench", path, "--inputs", data, "--threads", "1", "--json"], capture_output=True, text=True)
            text += ", fx " + out.stdout.split('"min_ms"')[-1].split(",")[0].strip(' :\n}') + " ms"
    if foreign:
        return False, text + f"; it needs {', '.join(foreign)}"
    # NaN is never small enough.
    return worst <= options.tolerance, text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fx")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--no-times", action="store_true")
    parser.add_argument("--fx-bench", action="store_true")
    parser.add_argument("--compile", default="", help="more options of fx compile")
    options = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for folder in options.folders:
            try:
                good, text = check(options.fx, folder, options, scratch)
            except Exception as error:  # one model must not hide the others
                good, text = False, f"{folder}: {error}"
            print(("ok   " if good else "FAIL ") + text, flush=True)
            passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
