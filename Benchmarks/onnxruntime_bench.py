"""onnxruntime_bench.py MODEL INPUTS THREADS ITERATIONS: ONNX Runtime (see peer_bench.py)."""

import onnxruntime

from peer_bench import bench


def load(model, arrays, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {info.name: array for info, array in zip(session.get_inputs(), arrays)}
    return lambda: session.run(None, feed)


if __name__ == "__main__":
    onnxruntime.set_default_logger_severity(3)
    bench(load)
