#!/usr/bin/env python3
"""Writes Tests/FXConformanceTests/Cases/versions: operators as earlier operator sets defined them.

A case for each operator and operator set at which attributes, operands or meaning changed. Each folder has the layout of
ONNX's backend tests. The expected outputs are ONNX Runtime's where it has the version, else those of ONNX's reference
evaluator, or computed with NumPy here where neither has it (operator sets before 7). Needs numpy, onnx and onnxruntime
(made with 1.32). Run it from the package's root.
"""
import json
import pathlib
import shutil
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from version_recipes import UNTIL, ints, recipes, scalar

ROOT = pathlib.Path("Tests/FXConformanceTests/Cases/versions")
# The file format that goes with an operator set, as far as ONNX Runtime asks for it.
IR_VERSIONS = [(9, 3), (11, 5), (15, 7), (19, 8), (21, 9), (23, 10)]


def value_info(name, value):
    if isinstance(value, list):
        return helper.make_tensor_sequence_value_info(name, helper.np_dtype_to_tensor_dtype(value[0].dtype), None)
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)


def message(value, name=""):
    return (numpy_helper.from_list if isinstance(value, list) else numpy_helper.from_array)(value, name).SerializeToString()


def model_of(name, opset, nodes, inputs, outputs, constants):
    graph = helper.make_graph(
        nodes, name, [value_info(n, x) for n, x in inputs.items()],
        [helper.make_tensor_value_info(n, t, None) if t else helper.make_empty_tensor_value_info(n) for n, t in outputs],
        [numpy_helper.from_array(x, n) for n, x in constants.items()])
    ir_version = next((ir for last, ir in IR_VERSIONS if opset <= last), 10)
    if ir_version < 4:  # initializers had to be inputs
        graph.input.extend(value_info(n, x) for n, x in constants.items())
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


def results_of(model, feeds):
    """What ONNX Runtime gives, or ONNX's reference evaluator."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return "onnxruntime", session.run(None, feeds)
    except Exception:
        return "reference", ReferenceEvaluator(model).run(None, feeds)


def case(opset, op, inputs, outputs=(TensorProto.FLOAT,), label="", expected=None, constants=(), atol=1e-5, nodes=None,
         **attributes):
    """Writes one case.

    An input is a function of the random generator, an array, or None where it is left out; `constants` are the positions of
    inputs that the model holds. An output is an element type. `expected` computes the outputs from the inputs."""
    name = f"{op.lower()}_{opset}" + (f"_{label}" if label else "")
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = [x(rng) if callable(x) else x for x in inputs]
    names = ["" if x is None else f"x{i}" for i, x in enumerate(values)]
    results = [(f"y{i}", t) for i, t in enumerate(outputs)]
    feeds = {n: x for i, (n, x) in enumerate(zip(names, values)) if n and i not in constants}
    if nodes is None:
        nodes = [helper.make_node(op, names, [n for n, _ in results], name=name, **attributes)]
    model = model_of(name, opset, nodes, feeds, results, {names[i]: values[i] for i in constants})
    if expected is None:
        source, wanted = results_of(model, feeds)
    else:
        source, wanted = "numpy", expected(*values)
        wanted = list(wanted) if isinstance(wanted, tuple) else [wanted]
    for (n, t), x in zip(results, wanted):
        if t and not isinstance(x, list):
            assert helper.np_dtype_to_tensor_dtype(np.asarray(x).dtype) == t, (name, n, np.asarray(x).dtype)
    folder = ROOT / name
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    (folder / "data.json").write_text(json.dumps({"rtol": 1e-3, "atol": atol, "source": source}) + "\n")
    for i, (n, x) in enumerate(feeds.items()):
        (data / f"input_{i}.pb").write_bytes(message(x, n))
    for i, x in enumerate(wanted):
        (data / f"output_{i}.pb").write_bytes(message(x if isinstance(x, list) else np.asarray(x)))


def by_runtime(opset, op, count, **attributes):
    """What ONNX Runtime gives for another operator set, as a function of the inputs."""
    def results(*values):
        names, outputs = [f"x{i}" for i in range(len(values))], [(f"y{i}", TensorProto.FLOAT) for i in range(count)]
        node = helper.make_node(op, names, [n for n, _ in outputs], **attributes)
        feeds = dict(zip(names, values))
        source, results = results_of(model_of("other", opset, [node], feeds, outputs, {}), feeds)
        assert source == "onnxruntime"
        return tuple(results)
    return results


FLOAT, INT32, INT64, BOOL, UINT8, INT8 = (
    TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT8)


def f(*shape, low=-2.0, high=2.0):
    return lambda rng: rng.uniform(low, high, shape).astype(np.float32)


def flags(*shape):
    return lambda rng: rng.integers(0, 2, shape).astype(bool)


def elementwise():
    unary = {
        "Abs": np.abs, "Ceil": np.ceil, "Exp": np.exp, "Floor": np.floor, "Neg": np.negative,
        "Reciprocal": np.reciprocal, "Relu": lambda x: np.maximum(x, 0), "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "Tanh": np.tanh, "Log": np.log, "Sqrt": np.sqrt}
    for op, function in unary.items():
        positive = op in ("Log", "Sqrt", "Reciprocal")
        case(1, op, [f(2, 3, low=0.1 if positive else -2.0)], consumed_inputs=[0],
             expected=lambda x, function=function: function(x).astype(np.float32))
    case(1, "LeakyRelu", [f(2, 3)], consumed_inputs=[0], alpha=0.2, expected=lambda x: np.where(x < 0, x * np.float32(0.2), x))
    case(1, "Elu", [f(2, 3)], consumed_inputs=[0], expected=lambda x: np.where(x < 0, np.expm1(x), x))
    case(1, "HardSigmoid", [f(2, 3)], consumed_inputs=[0],
         expected=lambda x: np.clip(np.float32(0.2) * x + np.float32(0.5), 0, 1))
    for opset, (alpha, gamma) in ((1, (1.6732, 1.0507)), (6, (1.67326319217681884765625, 1.05070102214813232421875))):
        case(opset, "Selu", [f(2, 3)], expected=lambda x, a=alpha, g=gamma: np.where(
            x > 0, g * x.astype(np.float64), g * (a * np.exp(x.astype(np.float64)) - a)).astype(np.float32), atol=1e-6)
    case(1, "Clip", [f(2, 5)], min=-0.5, max=0.75, expected=lambda x: np.clip(x, np.float32(-0.5), np.float32(0.75)))
    case(1, "Clip", [f(2, 5)], label="below", max=0.75, expected=lambda x: np.minimum(x, np.float32(0.75)))
    case(6, "Clip", [f(2, 5)], min=-0.5)
    case(11, "Clip", [f(2, 5), None, scalar(0.5)])
    arithmetic = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}
    for op, function in arithmetic.items():
        case(1, op, [f(2, 3, 4), f(2, 3, 4, low=0.5)], label="equal", consumed_inputs=[0, 0],
             expected=lambda a, b, function=function: function(a, b))
        case(6, op, [f(2, 3, 4, 5), f(3, 4, low=0.5)], label="axis", axis=1, broadcast=1,
             expected=lambda a, b, function=function: function(a, b[:, :, None]))
        case(6, op, [f(2, 3, 4), f(3, 4, low=0.5)], label="suffix", broadcast=1,
             expected=lambda a, b, function=function: function(a, b))
        case(6, op, [f(2, 3, 4), f(3, low=0.5)], label="negative", axis=-2, broadcast=1,
             expected=lambda a, b, function=function: function(a, b[:, None]))
        case(7, op, [f(2, 1, 4), f(3, 1, low=0.5)])
    case(1, "Pow", [f(2, 3, low=0.1), f(2, low=0.5)], axis=0, broadcast=1, expected=lambda a, b: np.power(a, b[:, None]))
    case(7, "Pow", [f(2, 3, low=0.1), f(3, low=0.5)])
    case(12, "Pow", [f(2, 3, low=0.1), ints(1, 2, 3)])
    for op, function in {"And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}.items():
        case(1, op, [flags(2, 3, 4), flags(3)], [BOOL], axis=1, broadcast=1,
             expected=lambda a, b, function=function: function(a, b[:, None]))
        case(7, op, [flags(2, 3, 4), flags(3, 1)], [BOOL])
    for op, function in {"Greater": np.greater, "Less": np.less}.items():
        case(1, op, [f(2, 3, 4), f(2, 3)], [BOOL], axis=0, broadcast=1,
             expected=lambda a, b, function=function: function(a, b[:, :, None]))
        case(7, op, [f(2, 3, 4), f(3, 1)], [BOOL])
    case(1, "Equal", [np.arange(24, dtype=np.int32).reshape(2, 3, 4) % 5, ints(1, 2, 3, dtype=np.int32)], [BOOL], axis=1,
         broadcast=1, expected=lambda a, b: a == b[:, None])
    case(7, "Equal", [np.arange(24, dtype=np.int64).reshape(2, 3, 4) % 5, ints(1, 2, 3, 4)], [BOOL])
    for op, function in {
            "Sum": lambda *x: sum(x), "Mean": lambda *x: (sum(x) / np.float32(3)).astype(np.float32),
            "Max": lambda *x: np.max(x, axis=0), "Min": lambda *x: np.min(x, axis=0)}.items():
        case(1, op, [f(2, 3), f(2, 3), f(2, 3)], consumed_inputs=[0, 0, 0], expected=function)
        case(6, op, [f(2, 3), f(2, 3), f(2, 3)], expected=function)
        case(8, op, [f(2, 3), f(3), f(2, 1)])
    case(6, "PRelu", [f(2, 3, 2, 2), f(3)], expected=lambda x, s: np.where(x < 0, x * s[:, None, None], x))
    case(1, "PRelu", [f(2, 3, 2, 2), f(1)], consumed_inputs=[0, 0], expected=lambda x, s: np.where(x < 0, x * s, x))
    case(7, "PRelu", [f(2, 3, 2, 2), f(3, 1, 1)])
    case(1, "Cast", [f(2, 3)], [INT32], to="INT32", expected=lambda x: x.astype(np.int32))
    case(6, "Cast", [f(2, 3)], [INT64], to=INT64)
    case(10, "Mod", [ints(-4, 7, 5), ints(3, -3, 8)], [INT64])
    case(10, "Mod", [f(2, 3), f(2, 3, low=0.5)], label="fmod", fmod=1)
    case(11, "BitShift", [ints(1, 2, 255, dtype=np.uint8), ints(1, 3, 1, dtype=np.uint8)], [UINT8], direction="LEFT")
    case(11, "CumSum", [f(2, 3), scalar(-1, np.int32)], exclusive=1, reverse=1)
    case(15, "CastLike", [f(2, 3), ints(1)], [INT64])


def activations():
    for op in ("Softmax", "LogSoftmax", "Hardmax"):
        case(1, op, [f(2, 3, 4)], label="default")
        case(1, op, [f(2, 3, 4)], label="last", axis=2)
        case(11, op, [f(2, 3, 4)], label="negative", axis=-2)
        case(11, op, [f(2, 3, 4)], label="first", axis=0)
        case(13, op, [f(2, 3, 4)], label="default")
        case(13, op, [f(2, 3, 4)], label="middle", axis=1)
    for opset in (1, 6, 7, 10):
        extra = {"is_test": 1} if opset < 7 else {}
        case(opset, "Dropout", [f(2, 3)], ratio=0.4, expected=lambda x: x, **extra)
    case(7, "Dropout", [f(2, 3)], [FLOAT], label="default")
    case(12, "Dropout", [f(2, 3), scalar(0.3)], [FLOAT, BOOL])


def normalizations():
    def normalized(x, scale, bias, mean, var, epsilon=1e-5):
        shape = (1, -1) + (1,) * (x.ndim - 2)
        scale, bias, mean, var = (v.reshape(shape) for v in (scale, bias, mean, var))
        return ((x - mean) / np.sqrt(var + epsilon) * scale + bias).astype(np.float32)

    def per_element(x, scale, bias, mean, var):
        return ((x - mean) / np.sqrt(var + np.float32(1e-5)) * scale + bias).astype(np.float32)

    def trained(x, scale, bias, mean, var, momentum=0.8):
        batch = (x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3)))
        running = [(old * momentum + new * (1 - momentum)).astype(np.float32) for old, new in zip((mean, var), batch)]
        return (normalized(x, scale, bias, *batch), *running, *batch)

    channels = [f(3, low=0.5), f(3), f(3), f(3, low=0.5)]
    elements = [f(3, 2, 2, low=0.5), f(3, 2, 2), f(3, 2, 2), f(3, 2, 2, low=0.5)]
    x = f(2, 3, 2, 2)
    case(1, "BatchNormalization", [x, *channels], is_test=1, consumed_inputs=[0, 0, 0, 1, 1], expected=normalized)
    case(6, "BatchNormalization", [x, *channels], is_test=1, expected=normalized)
    case(6, "BatchNormalization", [x, *elements], label="elements", is_test=1, spatial=0, expected=per_element)
    case(7, "BatchNormalization", [x, *channels], epsilon=1e-3)
    case(7, "BatchNormalization", [x, *elements], label="elements", spatial=0, expected=per_element)
    case(9, "BatchNormalization", [x, *channels])
    for opset in (7, 9):
        case(opset, "BatchNormalization", [x, *channels], [FLOAT] * 5, label="training", momentum=0.8, expected=trained)
    case(9, "BatchNormalization", [x, *channels], [FLOAT] * 3, label="running", momentum=0.8,
         expected=lambda *v: trained(*v)[:3])
    case(14, "BatchNormalization", [x, *channels], [FLOAT] * 3, label="training", momentum=0.8, training_mode=1,
         expected=lambda *v: trained(*v)[:3])
    case(1, "InstanceNormalization", [x, f(3), f(3)], consumed_inputs=[0, 0, 0], expected=lambda x, s, b: (
        (x - x.mean((2, 3), keepdims=True)) / np.sqrt(x.var((2, 3), keepdims=True) + 1e-5) * s[:, None, None]
        + b[:, None, None]).astype(np.float32))
    case(18, "GroupNormalization", [f(2, 4, 3), f(2), f(2)], num_groups=2, expected=lambda x, s, b: (
        (g := x.reshape(2, 2, -1), (g - g.mean(-1, keepdims=True)) / np.sqrt(g.var(-1, keepdims=True) + 1e-5)
         * s[:, None] + b[:, None])[1].reshape(x.shape).astype(np.float32)))
    case(9, "MeanVarianceNormalization", [x])
    case(1, "LpNormalization", [f(2, 3)], p=1, axis=0)
    case(1, "LRN", [f(2, 5, 2, 2)], size=3)


def pooling():
    x = f(1, 2, 5, 6)
    case(1, "AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 1, 1],
         expected=by_runtime(7, "AveragePool", 1, kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 1, 1]))
    case(7, "AveragePool", [x], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    case(10, "AveragePool", [x], kernel_shape=[2, 3], strides=[2, 2], ceil_mode=1)
    case(19, "AveragePool", [x], kernel_shape=[2, 2], dilations=[2, 2])
    case(1, "MaxPool", [x], kernel_shape=[3, 2], auto_pad="SAME_UPPER", strides=[2, 2])
    case(8, "MaxPool", [x], [FLOAT, INT64], kernel_shape=[2, 2], storage_order=1)
    case(10, "MaxPool", [x], [FLOAT, INT64], kernel_shape=[2, 2], dilations=[2, 1], ceil_mode=1, strides=[2, 2])
    case(1, "GlobalAveragePool", [x])
    case(1, "GlobalMaxPool", [x])
    norm = lambda x, p: ((np.abs(x) ** p).sum((2, 3), keepdims=True) ** (1 / p)).astype(np.float32)
    case(1, "GlobalLpPool", [x], p=3.0, expected=lambda x: norm(x, 3))
    case(2, "GlobalLpPool", [x], p=3)
    case(1, "LpPool", [f(1, 1, 2, 2)], p=3.0, kernel_shape=[2, 2], expected=lambda x: norm(x, 3))
    case(2, "LpPool", [x], kernel_shape=[2, 2], p=1)
    case(11, "LpPool", [x], kernel_shape=[2, 2], strides=[2, 3])
    case(18, "LpPool", [x], kernel_shape=[2, 2], dilations=[2, 2], ceil_mode=0)
    pooled, places = f(1, 1, 2, 2), ints(5, 7, 13, 15).reshape(1, 1, 2, 2)
    case(9, "MaxUnpool", [pooled, places], kernel_shape=[2, 2], strides=[2, 2])
    case(1, "MaxRoiPool", [x, ints([0, 0, 0, 3, 3], [0, 1, 1, 5, 4], dtype=np.float32)], pooled_shape=[2, 2])
    case(1, "Conv", [x, f(3, 2, 3, 3)], auto_pad="SAME_LOWER", strides=[2, 2])
    for opset in (1, 11):
        for pad in ("SAME_UPPER", "SAME_LOWER"):
            case(opset, "ConvTranspose", [f(1, 2, 3, 3), f(2, 1, 3, 3)], label=pad.lower(), auto_pad=pad, strides=[2, 2])
        case(opset, "ConvTranspose", [f(1, 2, 3, 3), f(2, 1, 3, 3)], label="shape", output_shape=[6, 6], strides=[2, 2])


def reductions():
    for op in ("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
               "ReduceProd", "ReduceSum", "ReduceSumSquare"):
        case(1, op, [f(2, 3, 4, low=0.1)], axes=[0, 2])
        case(1, op, [f(2, 3, low=0.1)], label="all", keepdims=0)
        case(11, op, [f(2, 3, 4, low=0.1)], axes=[-2], keepdims=0)
        operand = 13 if op == "ReduceSum" else 18
        case(operand, op, [f(2, 3, 4, low=0.1), ints(1)], constants=[1])
        case(operand, op, [f(2, 3, low=0.1)], label="noop", noop_with_empty_axes=1)
    for op in ("ArgMax", "ArgMin"):
        case(1, op, [f(2, 3)], [INT64])
        case(11, op, [f(2, 3)], [INT64], axis=-1, keepdims=0)
        case(12, op, [ints(3, 1, 3, 1, dtype=np.float32)], [INT64], select_last_index=1)
    case(1, "TopK", [f(2, 5)], [FLOAT, INT64], k=2, axis=1)
    case(10, "TopK", [f(2, 5), ints(3)], [FLOAT, INT64])
    case(11, "TopK", [f(5, 2), ints(3)], [FLOAT, INT64], axis=0, largest=0)


def linear_algebra():
    for opset in (1, 6):
        case(opset, "Gemm", [f(2, 3), f(3, 4), f(4)], broadcast=1, alpha=0.5, beta=2.0,
             expected=lambda a, b, c: np.float32(0.5) * (a @ b) + 2 * c)
        case(opset, "Gemm", [f(3, 2), f(4, 3), f(2, 4)], label="transposed", transA=1, transB=1,
             expected=lambda a, b, c: a.T @ b.T + c)
    case(7, "Gemm", [f(2, 3), f(3, 4), f(2, 1)])
    case(11, "Gemm", [f(2, 3), f(3, 4)])
    case(1, "MatMul", [f(2, 3, 4), f(4, 2)])
    case(12, "Einsum", [f(2, 3), f(3, 4)], equation="ij,jk->ki")


def reshaping():
    x = f(2, 3, 4)
    case(1, "Reshape", [x], shape=[0, -1], consumed_inputs=[0], expected=lambda x: x.reshape(2, 12))
    case(5, "Reshape", [x, ints(4, -1)], constants=[1], expected=lambda x, _: x.reshape(4, 6))
    case(14, "Reshape", [np.zeros((0, 3), np.float32), ints(3, 0)], allowzero=1, constants=[1])
    case(1, "Concat", [f(2, 3), f(2, 1)], label="default", expected=lambda a, b: np.concatenate([a, b], 1))
    case(4, "Concat", [f(2, 3), f(1, 3)], axis=0)
    case(11, "Concat", [f(2, 3), f(2, 1)], axis=-1)
    case(1, "Split", [f(4, 3)], [FLOAT, FLOAT], axis=0, split=[1, 3], expected=lambda x: (x[:1], x[1:]))
    case(1, "Split", [f(2, 4), ints(3, 1, dtype=np.float32)], [FLOAT, FLOAT], label="operand", axis=1, constants=[1],
         expected=lambda x, _: (x[:, :3], x[:, 3:]))
    case(2, "Split", [f(4, 3)], [FLOAT, FLOAT])
    case(11, "Split", [f(2, 4)], [FLOAT, FLOAT], axis=-1, split=[3, 1])
    case(13, "Split", [f(2, 4), ints(1, 3)], [FLOAT, FLOAT], axis=1, constants=[1])
    case(18, "Split", [f(2, 5)], [FLOAT, FLOAT], axis=1, num_outputs=2)
    case(1, "Squeeze", [f(1, 3, 1)], axes=[0])
    case(1, "Squeeze", [f(1, 3, 1)], label="all")
    case(11, "Squeeze", [f(1, 3, 1)], axes=[-1])
    case(13, "Squeeze", [f(1, 3, 1), ints(0, 2)], constants=[1])
    case(1, "Unsqueeze", [f(2, 3)], axes=[0, 3])
    case(11, "Unsqueeze", [f(2, 3)], axes=[-1])
    case(13, "Unsqueeze", [f(2, 3), ints(1)], constants=[1])
    case(1, "Slice", [x], axes=[1, 2], starts=[1, -3], ends=[1000, -1])
    case(1, "Slice", [x], label="all", starts=[0, 1], ends=[1, 3])
    case(10, "Slice", [x, ints(1, 0), ints(3, 4), ints(1, 2), ints(1, 2)], constants=[1, 2, 3, 4])
    case(11, "Slice", [x, ints(-1), ints(-100), ints(-1), ints(-2)], constants=[1, 2, 3, 4])
    case(1, "Pad", [f(2, 3)], paddings=[0, 1, 1, 0], value=1.5,
         expected=lambda x: np.pad(x, [(0, 1), (1, 0)], constant_values=1.5))
    case(2, "Pad", [f(2, 3)], pads=[0, 1, 1, -1], mode="constant", value=-1.0)
    case(2, "Pad", [f(3, 4)], label="reflect", pads=[1, 2, 0, 1], mode="reflect")
    case(11, "Pad", [f(2, 3), ints(0, 1, 1, 0), scalar(2.0)], constants=[1])
    case(18, "Pad", [f(2, 3), ints(1, 2), None, ints(-1)], constants=[1, 3], mode="edge")
    case(19, "Pad", [f(2, 3), ints(0, 1, 0, 2)], constants=[1], mode="wrap")
    case(1, "Tile", [f(2, 3), scalar(3, np.float32), scalar(1, np.float32)], constants=[1, 2],
         expected=lambda x, *_: np.tile(x, (1, 3)))
    case(6, "Tile", [f(2, 3), ints(2, 1)], constants=[1])
    case(1, "Transpose", [x])
    case(1, "Flatten", [x], axis=2)
    case(11, "Flatten", [x], axis=-2)
    case(1, "DepthToSpace", [f(1, 8, 2, 3)], blocksize=2)
    case(11, "DepthToSpace", [f(1, 8, 2, 3)], blocksize=2, mode="CRD")
    case(1, "SpaceToDepth", [f(1, 2, 4, 6)], blocksize=2)
    case(1, "Shape", [x], [INT64])
    case(15, "Shape", [x], [INT64], start=-2, end=2)
    case(1, "Size", [x], [INT64])
    case(8, "Expand", [f(3, 1), ints(2, 1, 4)], constants=[1])
    case(10, "ReverseSequence", [f(4, 3), ints(4, 2, 1)])


def indexing():
    x = f(3, 4)
    case(1, "Gather", [x, ints(2, 0)], axis=1)
    case(11, "Gather", [x, ints([-1, 0])], axis=-1)
    case(11, "GatherND", [x, ints([0, 1], [2, -1])])
    case(12, "GatherND", [f(2, 3, 4), ints([1], [0])], batch_dims=1)
    case(9, "Scatter", [x, ints([0, 2, 1, 0]), f(1, 4)])
    case(11, "ScatterElements", [x, ints([-1, 0], [1, 2], [0, -2]), f(3, 2)], axis=1)
    case(16, "ScatterElements", [x, ints([1, 1], [2, 2]), f(2, 2)], axis=0, reduction="add")
    case(11, "ScatterND", [x, ints([0], [2]), f(2, 4)])
    case(16, "ScatterND", [x, ints([0], [0]), f(2, 4)], reduction="mul")
    case(9, "OneHot", [ints(0, 2, 5), scalar(3, np.int64), ints(1, 4, dtype=np.float32)])
    case(11, "OneHot", [ints(0, -1, 5), scalar(3, np.int64), ints(1, 4, dtype=np.float32)], axis=0)
    case(9, "Compress", [x, np.array([True, False, True])], axis=0)
    case(9, "NonZero", [ints([0, 1], [2, 0], dtype=np.float32)], [INT64])
    case(11, "Range", [scalar(1.0), scalar(7.0), scalar(2.0)])
    case(11, "Unique", [ints(2, 1, 2, 3, dtype=np.float32)], [FLOAT, INT64, INT64, INT64])
    case(9, "Where", [flags(2, 3), f(2, 3), f(3)])
    case(9, "ConstantOfShape", [ints(2, 3)])
    case(9, "EyeLike", [f(3, 4)], k=1)


def images():
    x = f(1, 2, 3, 4)
    def repeated(x, height, width): return x.repeat(height, 2).repeat(width, 3)
    case(1, "Upsample", [x], height_scale=2.0, width_scale=3.0, expected=lambda x: repeated(x, 2, 3))
    case(7, "Upsample", [x], scales=[1.0, 1.0, 2.0, 3.0], mode="nearest")
    case(7, "Upsample", [x], label="linear", scales=[1.0, 1.0, 2.0, 2.0], mode="linear")
    case(9, "Upsample", [x, ints(1, 1, 2, 2, dtype=np.float32)], constants=[1], mode="linear")
    case(10, "Resize", [x, ints(1, 1, 0.6, 0.5, dtype=np.float32)], constants=[1], mode="nearest")
    case(10, "Resize", [x, ints(1, 1, 2, 1.5, dtype=np.float32)], label="linear", constants=[1], mode="linear")
    empty = np.zeros(0, np.float32)
    case(11, "Resize", [x, empty, ints(1, 1, 2, 2, dtype=np.float32)], constants=[1, 2], mode="cubic")
    case(11, "Resize", [x, empty, empty, ints(1, 2, 5, 3)], label="sizes", constants=[1, 2, 3], mode="linear",
         coordinate_transformation_mode="align_corners")
    case(11, "Resize", [x, ints(0, 0, 0.2, 0.1, 1, 1, 0.9, 0.8, dtype=np.float32), empty, ints(1, 2, 5, 3)], label="crop",
         constants=[1, 2, 3], mode="linear", coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=5.0)
    case(11, "Resize", [x, empty, ints(1, 1, 2, 2, dtype=np.float32)], label="ceil", constants=[1, 2], mode="nearest",
         nearest_mode="ceil", coordinate_transformation_mode="half_pixel")
    for mode in ("floor", "round_prefer_ceil"):
        case(11, "Resize", [x, empty, ints(1, 1, 2, 0.7, dtype=np.float32)], label=f"tf_{mode}", constants=[1, 2],
             mode="nearest", nearest_mode=mode, coordinate_transformation_mode="tf_half_pixel_for_nn")
    case(13, "Resize", [x, None, ints(1, 1, 2, 2, dtype=np.float32)], constants=[2], mode="linear")
    case(18, "Resize", [x, None, None, ints(2, 2)], constants=[3], mode="linear", antialias=1, axes=[2, 3])
    case(18, "Resize", [x, None, None, ints(6, 6)], label="aspect", constants=[3], mode="nearest", axes=[2, 3],
         keep_aspect_ratio_policy="not_larger")
    rois, images_of = ints([0, 0, 2, 2], [1, 0, 3, 2], dtype=np.float32), ints(0, 0)
    case(10, "RoiAlign", [x, rois, images_of], output_height=2, output_width=2, sampling_ratio=2)
    case(16, "RoiAlign", [x, rois, images_of], output_height=2, output_width=2, sampling_ratio=2)
    grid = f(1, 2, 2, 2, low=-1.0, high=1.0)
    case(16, "GridSample", [x, grid], mode="bilinear")
    case(16, "GridSample", [x, grid], label="cubic", mode="bicubic", align_corners=1)
    case(20, "GridSample", [x, grid], mode="linear", padding_mode="border")
    boxes = ints([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 2, 1, 3]], dtype=np.float32)
    scores = ints([[0.9, 0.75, 0.6]], dtype=np.float32)
    case(10, "NonMaxSuppression", [boxes, scores, ints(3), ints(0.5, dtype=np.float32), ints(0.0, dtype=np.float32)], [INT64])


def recurrent():
    for op, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
        weights = [f(1, gates * 3, 2), f(1, gates * 3, 3), f(1, 2 * gates * 3)]
        outputs = [FLOAT] * (3 if op == "LSTM" else 2)
        case(7, op, [f(4, 2, 2), *weights], outputs, hidden_size=3)
        # Operator sets before 7 compute the same.
        case(1 if op != "GRU" else 3, op, [f(4, 2, 2), *weights], outputs, hidden_size=3, output_sequence=1,
             expected=by_runtime(7, op, len(outputs), hidden_size=3))
        case(14, op, [f(2, 4, 2), *weights], outputs, hidden_size=3, layout=1,
             expected=lambda *v, op=op: swapped_by_runtime(op, v))


def swapped_by_runtime(op, values):
    y, *states = by_runtime(7, op, 3 if op == "LSTM" else 2, hidden_size=3)(values[0].swapaxes(0, 1).copy(), *values[1:])
    return (y.transpose(2, 0, 1, 3), *(s.swapaxes(0, 1) for s in states))


def quantization():
    x, scale, zero = f(2, 4), scalar(0.02), scalar(128, np.uint8)
    case(10, "QuantizeLinear", [x, scale, zero], [UINT8])
    case(13, "QuantizeLinear", [x, ints(0.02, 0.03, dtype=np.float32), ints(1, 2, dtype=np.int8)], [INT8], axis=0)
    case(21, "QuantizeLinear", [x, f(2, 2, low=0.01, high=0.03)], [UINT8], label="blocks", axis=1, block_size=2)
    q = ints([1, 250, 3, 128], [9, 100, 200, 0], dtype=np.uint8)
    case(10, "DequantizeLinear", [q, scale, zero])
    case(13, "DequantizeLinear", [q, ints(0.5, 0.25, dtype=np.float32), ints(3, 4, dtype=np.uint8)], axis=0)
    case(21, "DequantizeLinear", [q, f(2, 2, low=0.01, high=0.03), ints([1, 2], [3, 4], dtype=np.uint8)], axis=1, block_size=2)


def signals():
    x = f(1, 6, 4, 1)
    case(17, "DFT", [x], label="default")
    case(17, "DFT", [x], axis=2, onesided=1)
    case(17, "DFT", [f(1, 6, 2), scalar(8, np.int64)], label="inverse", inverse=1)
    case(20, "DFT", [x, None, scalar(-2, np.int64)], constants=[2])


def constants():
    def constant(opset, label, kind, **attributes):
        node = helper.make_node("Constant", [], ["c"], **attributes)
        identity = helper.make_node("Identity", ["c"], ["y0"])
        case(opset, "Constant", [], [kind], label=label, nodes=[node, identity],
             expected=lambda: np.array(next(v for v in attributes.values()), helper.tensor_dtype_to_np_dtype(kind)))
    tensor = numpy_helper.from_array(ints(1, 2, 3))
    node = helper.make_node("Constant", [], ["y0"], value=tensor)
    case(1, "Constant", [], [INT64], nodes=[node], expected=lambda: ints(1, 2, 3))
    constant(12, "float", FLOAT, value_float=1.5)
    constant(12, "floats", FLOAT, value_floats=[1.5, 2.5])
    constant(12, "int", INT64, value_int=7)
    constant(12, "ints", INT64, value_ints=[7, 8])
    sparse = helper.make_sparse_tensor(numpy_helper.from_array(ints(5, 6, dtype=np.float32), "s"),
                                       numpy_helper.from_array(ints(1, 4)), [2, 3])
    node = helper.make_node("Constant", [], ["y0"], sparse_value=sparse)
    case(11, "Constant", [], [FLOAT], label="sparse", nodes=[node],
         expected=lambda: ints([0, 5, 0], [0, 6, 0], dtype=np.float32))


def control_flow():
    info = helper.make_tensor_value_info
    then = helper.make_graph([helper.make_node("Add", ["x1", "x1"], ["t"])], "then", [], [info("t", FLOAT, None)])
    other = helper.make_graph([helper.make_node("Neg", ["x1"], ["e"])], "else", [], [info("e", FLOAT, None)])
    for opset in (7, 11, 16, 21):
        for flag in (True, False):
            node = helper.make_node("If", ["x0"], ["y0"], then_branch=then, else_branch=other)
            case(opset, "If", [scalar(flag, bool), f(2)], label=str(flag).lower(), nodes=[node])
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "x3"], ["s_out"]), helper.make_node("Mul", ["s_out", "s_out"], ["e"]),
         helper.make_node("Identity", ["c"], ["c_out"])],
        "body", [info("i", INT64, []), info("c", BOOL, []), info("s", FLOAT, [2])],
        [info("c_out", BOOL, []), info("s_out", FLOAT, [2]), info("e", FLOAT, [2])])
    for opset in (7, 11, 13, 21):
        for trips in (3, 0):
            node = helper.make_node("Loop", ["x0", "x1", "x2"], ["y0", "y1"], body=body)
            case(opset, "Loop", [scalar(trips, np.int64), scalar(True, bool), f(2), f(2)], [FLOAT, FLOAT],
                 label=f"trips{trips}", nodes=[node])
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "x"], ["s_out"]), helper.make_node("Mul", ["s_out", "x"], ["e"])],
        "body", [info("s", FLOAT, [2]), info("x", FLOAT, [2])], [info("s_out", FLOAT, [2]), info("e", FLOAT, [2])])
    state, sequences = f(3, 2), f(3, 4, 2)
    case(8, "Scan", [None, state, sequences], [FLOAT, FLOAT], body=body, num_scan_inputs=1)
    case(8, "Scan", [None, state, sequences], [FLOAT, FLOAT], label="backward", body=body, num_scan_inputs=1, directions=[1])
    case(8, "Scan", [ints(4, 2, 1), state, sequences], [FLOAT, FLOAT], label="lengths", body=body, num_scan_inputs=1)
    case(8, "Scan", [ints(4, 2, 1), state, sequences], [FLOAT, FLOAT], label="lengths_backward", body=body,
         num_scan_inputs=1, directions=[1])
    case(9, "Scan", [f(2), f(4, 2)], [FLOAT, FLOAT], body=body, num_scan_inputs=1, scan_input_directions=[1])
    case(11, "Scan", [f(2), f(2, 4)], [FLOAT, FLOAT], body=body, num_scan_inputs=1, scan_input_axes=[-1],
         scan_output_axes=[-1], scan_output_directions=[1])
    empty = np.zeros((0, 2), np.float32)
    case(9, "Scan", [f(2), empty], [FLOAT, FLOAT], label="empty", body=body, num_scan_inputs=1,
         expected=lambda s, x: (s, x))


def sweep():
    """A case for each operator set: all operators of which it has a new version, on shared inputs."""
    rng = np.random.default_rng(7)
    shared = {"x": f(2, 3)(rng), "large": f(2, 3, low=1.0, high=3.0)(rng), "small": f(2, 3, low=-0.9, high=0.9)(rng),
              "flags": flags(2, 3)(rng), "image": f(1, 8, 4, 4)(rng), "steps": f(3, 1, 3)(rng)}
    versions = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and not schema.deprecated:
            versions.setdefault(schema.name, set()).add(schema.since_version)
    for opset in range(1, onnx.defs.onnx_opset_version() + 1):
        nodes, held, outputs, wanted = [], {}, [], []
        for op, first, inputs, attributes in recipes():
            if opset not in versions[op] or not first <= opset <= UNTIL.get((op, first), 99):
                continue
            names = [x if isinstance(x, str) else "" if x is None else f"{op}_{i}" for i, x in enumerate(inputs)]
            constants = {n: x for n, x in zip(names, inputs) if n and not isinstance(x, str)}
            shown = names[:1] if op == "If" else names
            results = [(op, 0)] + ([(f"{op}_second", 0)] if op in ("TopK", "Split") else [])
            node = helper.make_node(op, shown, [n for n, _ in results], name=op, **attributes)
            feeds = {n: shared[n] for n in names if n in shared}
            try:
                values = results_of(model_of(op, opset, [node], feeds, results, constants), feeds)[1]
            except Exception as error:  # neither has this version
                print(f"opset {opset}: {op} is left out: {str(error).splitlines()[0][:80]}")
                continue
            nodes.append(node)
            held |= constants
            outputs += [(n, helper.np_dtype_to_tensor_dtype(x.dtype)) for (n, _), x in zip(results, values)]
            wanted += values
        if not nodes:
            continue
        folder = ROOT / f"all_of_{opset}"
        data = folder / "test_data_set_0"
        data.mkdir(parents=True)
        names = [n for n in shared if any(n in node.input or (node.attribute and n == "x") for node in nodes)]
        model = model_of(f"all_of_{opset}", opset, nodes, {n: shared[n] for n in names}, outputs, held)
        onnx.save(model, folder / "model.onnx")
        (folder / "data.json").write_text(json.dumps({"rtol": 1e-3, "atol": 1e-5}) + "\n")
        for i, n in enumerate(names):
            (data / f"input_{i}.pb").write_bytes(message(shared[n], n))
        for i, x in enumerate(wanted):
            (data / f"output_{i}.pb").write_bytes(message(np.asarray(x)))


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    for family in (elementwise, activations, normalizations, pooling, reductions, linear_algebra, reshaping, indexing,
                   images, recurrent, quantization, signals, constants, control_flow):
        family()
    sweep()
    print(f"{len(list(ROOT.iterdir()))} cases in {ROOT}")


if __name__ == "__main__":
    main()
