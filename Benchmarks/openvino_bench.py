"""openvino_bench.py MODEL INPUTS THREADS ITERATIONS: OpenVINO on the same file, in float32 (see peer_bench.py)."""

import openvino

from peer_bench import bench


def load(model, arrays, threads):
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    inputs = dict(enumerate(arrays))
    return lambda: request.infer(inputs)


if __name__ == "__main__":
    bench(load)
