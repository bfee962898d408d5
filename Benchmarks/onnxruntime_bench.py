"""onnxruntime_bench.py MODEL INPUTS THREADS ITERATIONS: ONNX Runtime, measured as `fx bench --json` measures ours.

INPUTS is a folder with input_I.pb. Prints one JSON object; peak_rss_mb leaves out what Python held before the model."""

import json
import pathlib
import resource
import statistics
import sys
import time

import onnx
import onnxruntime
from onnx import numpy_helper


def milliseconds(action):
    start = time.perf_counter()
    result = action()
    return (time.perf_counter() - start) * 1e3, result


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    model, inputs, threads, iterations = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    files = sorted(inputs.glob("input_*.pb"), key=lambda path: int(path.stem.removeprefix("input_")))
    arrays = [numpy_helper.to_array(onnx.load_tensor(path)) for path in files]
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    before = peak_megabytes()
    load, session = milliseconds(lambda: onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]))
    feed = {info.name: array for info, array in zip(session.get_inputs(), arrays)}
    first, _ = milliseconds(lambda: session.run(None, feed))
    times = sorted(milliseconds(lambda: session.run(None, feed))[0] for _ in range(iterations))
    print(json.dumps({
        "load_ms": load, "first_run_ms": first, "median_ms": statistics.median(times),
        "p90_ms": times[int(0.9 * (iterations - 1))], "min_ms": times[0],
        "peak_rss_mb": peak_megabytes() - before, "threads": threads, "iterations": iterations}))


if __name__ == "__main__":
    main()
