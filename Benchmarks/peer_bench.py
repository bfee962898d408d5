"""What the *_bench.py scripts share: they measure a peer as `fx bench --json` measures ours.

Each is called with MODEL INPUTS THREADS ITERATIONS, INPUTS being a folder with input_I.pb, and prints one JSON object;
peak_rss_mb leaves out what Python held before the model."""

import json
import pathlib
import resource
import statistics
import sys
import time

import onnx
from onnx import numpy_helper


def milliseconds(action):
    start = time.perf_counter()
    result = action()
    return (time.perf_counter() - start) * 1e3, result


def peak_megabytes():
    """The largest resident size so far; Linux counts that of whoever started the process into rusage."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def input_files(folder):
    return sorted(pathlib.Path(folder).glob("input_*.pb"), key=lambda path: int(path.stem.removeprefix("input_")))


def bench(load):
    """load(model, arrays, threads) gives a function that runs once."""
    model, folder, threads, iterations = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    arrays = [numpy_helper.to_array(onnx.load_tensor(path)) for path in input_files(folder)]
    before = peak_megabytes()
    loading, run = milliseconds(lambda: load(model, arrays, threads))
    first, _ = milliseconds(run)
    times = sorted(milliseconds(run)[0] for _ in range(iterations))
    print(json.dumps({
        "load_ms": loading, "first_run_ms": first, "median_ms": statistics.median(times),
        "p90_ms": times[int(0.9 * (iterations - 1))], "min_ms": times[0],
        "peak_rss_mb": peak_megabytes() - before, "threads": threads, "iterations": iterations}))
