#!/usr/bin/env python3
"""Writes Tests/FXConformanceTests/Cases/opsets: the same four networks in the forms of every operator set from 1 to 28.

Each folder has the layout of ONNX's backend tests. onnx.checker must accept every file in full; the expected outputs are
ONNX Runtime's of one operator set, and it must give the same for every other set that it can run. `NAME_ir1` is the
network of operator set 1 as files of IR version 1 had it: no operator sets, attributes without types. Needs numpy, onnx
and onnxruntime (made with 1.32). Run it from the package's root.
"""
import json
import pathlib
import shutil

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from opset_forms import Writer

ROOT = pathlib.Path("Tests/FXConformanceTests/Cases/opsets")
OPSETS = range(1, 29)
JUDGED = 17  # whose results in ONNX Runtime are what all sets are compared with
TOLERANCES = {"rtol": 1e-3, "atol": 1e-5}
FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


class Random:
    """The same numbers for every operator set."""

    def __init__(self, seed):
        self.source = np.random.default_rng(seed)

    def __call__(self, *shape, low=-1.0, high=1.0):
        return self.source.uniform(low, high, shape).astype(np.float32)

    def indices(self, below, *shape):
        return self.source.integers(0, below, shape)


def cnn(w):
    """An image classifier with a gate, a resized branch and attention over the plane."""
    f = Random(1)
    inputs = {"image": f(2, 3, 12, 12)}
    x = w.pad("image", [1, 1, 1, 1], 0.5)
    x = w.conv(x, f(6, 3, 3, 3), f(6), strides=[1, 1], dilations=[1, 1])
    x = w.batch_normalization(x, f(6, low=0.5, high=2), f(6), f(6), f(6, low=0.5, high=2))
    x = w.clip(x, -1.5, 2.0)
    x = w.pool("MaxPool", x, [3, 3], strides=[2, 2], pads=[1, 1, 1, 1])  # 2 6 6 6
    x = w.binary("Add", x, f(6), axis=1, rank=4)
    x = w.prelu(x, f(6), 4)
    left, right = w.split(x, [2, 4], 1, 4)
    left = w.same("Mul", w.resize(left, "nearest", [2, 2, 6, 6]), w.resize(left, "linear", [2, 2, 6, 6]))
    left = w.pool("AveragePool", left, [3, 3], strides=[2, 2], pads=[1, 1, 1, 1])  # 2 2 6 6
    right = w.conv(right, f(4, 2, 3, 3), f(4), group=2, pads=[1, 1, 1, 1])
    x = w.concat([left, w.node("Sigmoid", [right])], 1, 4)
    x = w.node("InstanceNormalization", [x, f(6), f(6)], epsilon=1e-3)
    x = w.slice(x, [1, 0], [6, -1], [2, 3], 4)  # 2 6 5 5
    x = w.same("Mul", x, w.softmax(x, 2, [2, 6, 5, 5]))
    total = w.squeeze(w.reduce("ReduceSum", x, [2, 3], 4, keepdims=1), [2, 3], 4)
    mean = w.squeeze(w.unsqueeze(w.reduce("ReduceMean", x, [2, 3], 4), [1], 3), [1], 3)
    x = w.dropout(w.reshape(w.concat([total, mean], 1, 2), [0, -1]))
    logits = w.gemm(x, f(5, 12), f(5))
    values, indices = w.topk(logits, 3)
    return inputs, {"probabilities": (w.softmax(logits, 1, [2, 5]), FLOAT, [2, 5]), "values": (values, FLOAT, [2, 3]),
                    "places": (w.cast(indices, FLOAT), FLOAT, [2, 3])}


def rnn(w):
    """Tokens through a bidirectional LSTM with peepholes, a GRU backwards and an RNN, sequences of two lengths."""
    f = Random(2)
    inputs = {"tokens": f.indices(20, 5, 2), "lengths": np.array([5, 3], np.int32)}
    x = w.node("Gather", [f(20, 4), "tokens"], axis=0)  # time batch width
    lstm = [f(2, 12, 4), f(2, 12, 3), f(2, 24), f(2, 9)]
    y, hidden, cell = w.recurrent(
        "LSTM", x, lstm, "lengths", [f(2, 2, 3), f(2, 2, 3)], 3, direction="bidirectional", clip=3.0, input_forget=0,
        activations=["Sigmoid", "Tanh", "Tanh"] * 2)
    x = w.reshape(w.node("Transpose", [y], perm=[0, 2, 1, 3]), [0, 0, -1])
    y, _ = w.recurrent("GRU", x, [f(1, 9, 6), f(1, 9, 3), f(1, 18)], "lengths", [f(1, 2, 3)], 3, direction="reverse")
    x = w.squeeze(y, [1], 4)
    y, last = w.recurrent(
        "RNN", x, [f(1, 4, 3), f(1, 4, 4), f(1, 8)], "lengths", [f(1, 2, 4)], 4, direction="forward",
        activations=["LeakyRelu"], activation_alpha=[0.2])
    most = w.reduce("ReduceMax", w.squeeze(y, [1], 4), [0], 3)
    norm = w.reduce("ReduceL2", hidden, [0], 3)
    x = w.concat([most, norm, w.reduce("ReduceSum", cell, [0], 3), w.squeeze(last, [0], 3)], 1, 2)  # 2 14
    logits = w.gemm(x, f(4, 14), f(4))
    return inputs, {"log_probabilities": (w.softmax(logits, 1, [2, 4], "LogSoftmax"), FLOAT, [2, 4]),
                    "best": (w.argmax(logits, 1, 2), INT64, [2])}


def transformer(w):
    """One block: rotated queries and keys, a padded sentence, normalizations, and the tanh form of gelu."""
    f = Random(3)
    inputs = {"ids": f.indices(20, 2, 5), "mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int64)}
    x = w.node("Gather", [f(20, 8), "ids"], axis=0)
    places = w.slice(w.weight(f(1, 9, 8)), [0], [5], [1], 3)
    x = w.same("Add", x, w.repeat(places, 0, [1, 5, 8], 2))
    y = w.layer_normalization(x, f(8), f(8))
    y = w.binary("Add", w.node("MatMul", [y, f(8, 24)]), f(24))
    q, k, v = (heads(w, part) for part in w.split(y, [8, 8, 8], 2, 3))
    angles = np.outer(np.arange(5), [1.0, 0.3]).astype(np.float32)
    q, k = (rotated(w, part, np.cos(angles), np.sin(angles)) for part in (q, k))
    y = attention(w, q, k, v)
    y = w.reshape(w.node("Transpose", [y], perm=[0, 2, 1, 3]), [0, 0, 8])
    x = w.same("Add", x, w.node("MatMul", [y, f(8, 8)]))
    y = w.layer_normalization(x, f(8), f(8))
    y = w.gelu(w.binary("Add", w.node("MatMul", [y, f(8, 12)]), f(12)))
    x = w.same("Add", x, w.node("MatMul", [y, f(12, 8)]))
    x = w.rms_normalization(x, f(8))
    first = w.squeeze(w.slice(x, [0], [1], [1], 3), [1], 3)
    return inputs, {"states": (x, FLOAT, [2, 5, 8]), "logits": (w.gemm(first, f(3, 8), f(3)), FLOAT, [2, 3])}


def assorted(w):
    """What the others leave out: float64, comparisons, operators of many operands, blocks, other pools and reductions."""
    f = Random(4)
    inputs = {"table": f(2, 3, 4).astype(np.float64), "plane": f(1, 8, 6, 6)}
    column, number = f(3).astype(np.float64), np.array([0.2])
    x = w.clip(w.binary("Div", "table", column, axis=1, rank=3), -1.5, 2.0, np.float64)
    inside = w.node("Not", [w.binary("Less", x, number)])
    outside = w.binary("Greater", x, np.abs(column), axis=1, rank=3)
    chosen = w.cast(w.same("Xor", w.same("And", inside, outside), w.same("Or", inside, outside)), TensorProto.DOUBLE)
    x = w.binary("Pow", w.same("Sub", x, chosen), np.array([2.0]))
    x = w.reshape(w.pad(w.unsqueeze(x, [0], 3), [0, 1, 1, 0], 0.25, np.float64), [2, 20])
    y = w.cast(x, FLOAT)
    y = w.several("Max", y, f(20), (2, 20))
    y = w.several("Mean", w.several("Sum", w.several("Min", y, f(1), (2, 20)), f(2, 1), (2, 20)), f(20), (2, 20))
    y = w.node("Selu", [y], alpha=1.5, gamma=1.1)
    y = w.binary("PRelu", y, np.float32([0.3])) if w.opset >= 7 else w.node("PRelu", [y, np.float32([0.3])])
    most = w.softmax(y, 1, [2, 20], "Hardmax")

    z = w.blocks("SpaceToDepth", w.node("LRN", ["plane"], size=3, alpha=0.5, beta=0.7, bias=1.2))  # 1 32 3 3
    z = w.node("Elu", [w.blocks("DepthToSpace", z)], alpha=0.7)
    a, b, c = w.thirds(w.lp_pool(z, [2, 2]), 3, 4)  # 1 8 3 1
    z = w.node("ConvTranspose", [w.concat([a, c], 3, 4), f(8, 3, 2, 2), f(3)], strides=[2, 2], output_padding=[1, 0])
    z = w.node("HardSigmoid", [z], alpha=0.3, beta=0.4)  # 1 3 7 4
    pooled = w.squeeze(w.node("GlobalMaxPool", [z]), [0, 2, 3], 4)
    flat = w.node("Flatten", [b], axis=w.axes([1], 4)[0])
    parts = [pooled, w.squeeze(flat, [0], 2)] + [
        w.reshape(w.reduce(op, z, axes, 4, keepdims=1), [-1])
        for op, axes in (
            ("ReduceLogSumExp", [1, 2, 3]), ("ReduceSumSquare", [0, 1]), ("ReduceL1", [2, 3]), ("ReduceProd", [1, 2]))]
    return inputs, {"most": (most, FLOAT, [2, 20]), "scores": (y, FLOAT, [2, 20]), "sums": (w.concat(parts, 0, 1), FLOAT, [63]),
                    "least": (w.argmax(z, 2, 4, "ArgMin"), INT64, [1, 3, 4])}


def heads(w, x):
    return w.node("Transpose", [w.reshape(x, [0, 0, 2, 4])], perm=[0, 2, 1, 3])


def rotated(w, x, cos, sin):
    if w.opset >= 23:
        return w.node("RotaryEmbedding", [x, cos, sin, np.tile(np.arange(5), (2, 1))], interleaved=0)
    a, b = w.split(x, [2, 2], 3, 4)
    turned = [w.same("Sub", w.binary("Mul", a, cos), w.binary("Mul", b, sin)),
              w.same("Add", w.binary("Mul", b, cos), w.binary("Mul", a, sin))]
    return w.concat(turned, 3, 4)


def attention(w, q, k, v):
    """By the operator of set 23; by Where (9); by subtracting from the scores of masked places."""
    mask = w.unsqueeze("mask", [1, 2], 4)
    if w.opset >= 23:
        return w.node("Attention", [q, k, v, w.cast(mask, TensorProto.BOOL)], scale=0.5)
    scores = w.node("MatMul", [q, w.node("Transpose", [k], perm=[0, 1, 3, 2])])
    scores = w.binary("Mul", scores, np.array([0.5], np.float32))
    if w.opset >= 9:
        scores = w.node("Where", [w.cast(mask, TensorProto.BOOL), scores, np.array(-1e9, np.float32)])
    else:
        penalty = w.binary("Mul", w.binary("Sub", w.cast(mask, FLOAT), np.float32([1])), np.float32([1e9]))
        penalty = w.repeat(w.repeat(penalty, 1, [2, 1, 1, 5], 2), 2, [2, 2, 1, 5], 5)
        scores = w.same("Add", scores, penalty)
    return w.node("MatMul", [w.softmax(scores, 3, [2, 2, 5, 5]), v])


def model(network, opset):
    w = Writer(opset)
    inputs, outputs = network(w)
    names = {value: name for name, (value, _, _) in outputs.items()}
    for node in w.nodes:
        for names_of in (node.input, node.output):
            names_of[:] = [names.get(name, name) for name in names_of]
    infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for n, x in inputs.items()]
    ir = helper.find_min_ir_version_for([helper.make_opsetid("", max(opset, 5))])
    if ir < 4:  # initializers were default values of inputs
        infos += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in w.weights]
    results = [helper.make_tensor_value_info(name, kind, shape) for name, (_, kind, shape) in outputs.items()]
    graph = helper.make_graph(w.nodes, network.__name__, infos, results, w.weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    onnx.checker.check_model(made, full_check=True)
    return made, inputs


def first_ir(made):
    """As files of IR version 1: they say neither operator sets nor the types of attributes."""
    old = onnx.ModelProto.FromString(made.SerializeToString())
    old.ir_version = 1
    del old.opset_import[:]
    onnx.checker.check_model(old)  # it does not know attributes without types
    for node in old.graph.node:
        for attribute in node.attribute:
            attribute.ClearField("type")
    return old


def run(made, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def write(name, made, inputs, outputs):
    data = ROOT / name / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(made, ROOT / name / "model.onnx")
    (ROOT / name / "data.json").write_text(json.dumps(TOLERANCES) + "\n")
    for kind, values in (("input", inputs.values()), ("output", outputs)):
        for i, value in enumerate(values):
            (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(value).SerializeToString())


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    for network in (cnn, rnn, transformer, assorted):
        expected, agreed = run(*model(network, JUDGED)), []
        for opset in OPSETS:
            made, inputs = model(network, opset)
            try:
                outputs = run(made, inputs)
            except Exception:  # a form that it does not implement
                outputs = []
            for mine, theirs in zip(outputs, expected):
                np.testing.assert_allclose(mine, theirs, **TOLERANCES)
            agreed += [opset] if outputs else []
            write(f"{network.__name__}_{opset:02}", made, inputs, expected)
            if opset == 1:
                write(f"{network.__name__}_ir1", first_ir(made), inputs, expected)
        print(f"{network.__name__}: ONNX Runtime agrees in", *agreed)
    folders = sorted(ROOT.iterdir())
    print(len(folders), "cases,", sum(p.stat().st_size for p in ROOT.rglob("*") if p.is_file()), "bytes")


if __name__ == "__main__":
    main()
