"""What make-version-cases.py calls every operator with at every operator set that has a new version of it."""
import numpy as np
from onnx import TensorProto, helper

FLOAT, INT32, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL


def ints(*values, dtype=np.int64):
    return np.array(values, dtype)


def scalar(x, dtype=np.float32):
    return np.array(x, dtype)


# Operators whose versions differ in types only, or in what other cases show: the operator, the first operator set in which
# the form here is valid, inputs by name or as constants, and attributes. `UNTIL` ends forms that later versions dropped.
UNTIL = {
    ("ReduceSum", 1): 12, ("Scatter", 9): 10, ("Upsample", 9): 9, ("Squeeze", 1): 12, ("Unsqueeze", 1): 12,
    ("Split", 2): 12, ("TopK", 1): 9, ("Slice", 1): 9, ("Resize", 11): 12,
} | {(f"Reduce{kind}", 1): 17 for kind in (
    "L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")}


def recipes():
    for op, first in {
            "Abs": 6, "Ceil": 6, "Erf": 9, "Exp": 6, "Floor": 6, "Neg": 6, "Relu": 6, "Sigmoid": 6, "Sign": 9, "Softplus": 1,
            "Softsign": 1, "Tanh": 6, "Round": 11, "Sin": 7, "Cos": 7, "Sinh": 9, "Cosh": 9, "Asinh": 9, "Identity": 1,
            "HardSigmoid": 6, "LeakyRelu": 6, "Elu": 6, "Selu": 6, "ThresholdedRelu": 10, "HardSwish": 14, "Mish": 18,
            "Celu": 12, "Dropout": 7, "IsNaN": 9, "IsInf": 10, "Transpose": 1, "Flatten": 1, "Shape": 1, "Size": 1,
            "Softmax": 1, "LogSoftmax": 1, "Hardmax": 1, "ArgMax": 1, "ArgMin": 1, "NonZero": 9, "EyeLike": 9,
            "MeanVarianceNormalization": 9, "LpNormalization": 1}.items():
        yield op, first, ["x"] if op != "MeanVarianceNormalization" else ["image"], {}
    for op, first in {"Acos": 7, "Asin": 7, "Atan": 7, "Atanh": 9, "Tan": 7}.items():
        yield op, first, ["small"], {}
    for op, first in {"Log": 6, "Sqrt": 6, "Reciprocal": 6, "Acosh": 9}.items():
        yield op, first, ["large"], {}
    for op, first in {
            "Add": 7, "Sub": 7, "Mul": 7, "Div": 7, "Pow": 7, "PRelu": 7, "Max": 8, "Min": 8, "Mean": 8, "Sum": 8, "Greater": 7,
            "Less": 7, "GreaterOrEqual": 12, "LessOrEqual": 12, "Equal": 11}.items():
        yield op, first, ["large", "x"] if op == "Pow" else ["x", "large"], {}
    for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"):
        yield f"Reduce{kind}", 1, ["large"], {"axes": [0], "keepdims": 0}
        yield f"Reduce{kind}", 13 if kind == "Sum" else 18, ["large", ints(-1)], {}
    yield "Clip", 11, ["x", scalar(-0.5), scalar(1.0)], {}
    yield "Where", 9, ["flags", "x", "large"], {}
    yield "Cast", 6, ["x"], {"to": INT32}
    yield "CastLike", 15, ["x", ints(1)], {}
    yield "Mod", 10, ["large", "x"], {"fmod": 1}
    yield "BitShift", 11, [ints(8, 9, dtype=np.uint32), ints(1, 2, dtype=np.uint32)], {"direction": "RIGHT"}
    yield "MatMul", 1, ["x", ints([1, 2], [0, 1], [3, -1], dtype=np.float32)], {}
    yield "Gemm", 7, ["x", "x", scalar([1.0, 2.0])], {"transB": 1}
    yield "Det", 11, [ints([[1, 2], [3, 5]], dtype=np.float32)], {}
    yield "Einsum", 12, ["x", "x"], {"equation": "ij,kj->ik"}
    yield "Reshape", 5, ["x", ints(3, -1)], {}
    yield "Squeeze", 1, ["image"], {"axes": [0]}
    yield "Squeeze", 13, ["image", ints(0)], {}
    yield "Unsqueeze", 1, ["x"], {"axes": [1]}
    yield "Unsqueeze", 13, ["x", ints(1)], {}
    yield "Concat", 4, ["x", "large"], {"axis": 1}
    yield "Split", 2, ["x"], {"axis": 1, "split": [1, 2]}
    yield "Split", 13, ["x", ints(2, 1)], {"axis": 1}
    yield "Slice", 1, ["x"], {"axes": [1], "starts": [1], "ends": [3]}
    yield "Slice", 10, ["x", ints(2), ints(-5), ints(1), ints(-1)], {}
    yield "Pad", 11, ["x", ints(0, 1, 1, 0), scalar(7.0)], {}
    yield "Tile", 6, ["x", ints(1, 2)], {}
    yield "Expand", 8, ["x", ints(2, 2, 3)], {}
    yield "DepthToSpace", 1, ["image"], {"blocksize": 2}
    yield "SpaceToDepth", 1, ["image"], {"blocksize": 2}
    yield "ReverseSequence", 10, ["x", ints(2, 1, 2)], {}
    yield "Trilu", 14, ["x"], {"upper": 0}
    yield "Gather", 1, ["x", ints(1, 0)], {"axis": 1}
    yield "GatherElements", 11, ["x", ints([1, 0], [2, 2])], {"axis": 1}
    yield "GatherND", 11, ["x", ints([1, 2], [0, 0])], {}
    yield "Scatter", 9, ["x", ints([1, 0, 1]), ints([5, 6, 7], dtype=np.float32)], {}
    yield "ScatterElements", 11, ["x", ints([1, 0, 1]), ints([5, 6, 7], dtype=np.float32)], {}
    yield "ScatterND", 11, ["x", ints([1]), ints([5, 6, 7], dtype=np.float32)], {}
    yield "OneHot", 9, [ints(1, 0), scalar(3, np.int64), ints(0, 2, dtype=np.float32)], {}
    yield "Compress", 9, ["x", np.array([False, True, True])], {"axis": 1}
    yield "TopK", 1, ["x"], {"k": 2}
    yield "TopK", 10, ["x", ints(2)], {}
    yield "Unique", 11, ["x"], {}
    yield "CumSum", 11, ["x", scalar(1, np.int32)], {}
    yield "ConstantOfShape", 9, [ints(2, 1)], {}
    yield "Range", 11, [scalar(3, np.int64), scalar(9, np.int64), scalar(2, np.int64)], {}
    kernel = np.linspace(-1, 1, 64, dtype=np.float32).reshape(2, 8, 2, 2)
    yield "Conv", 1, ["image", kernel], {}
    yield "ConvTranspose", 1, ["image", kernel.reshape(8, 2, 2, 2)], {"strides": [2, 2]}
    for op, first in (("AveragePool", 7), ("MaxPool", 1), ("LpPool", 2)):
        yield op, first, ["image"], {"kernel_shape": [2, 2], "strides": [2, 2]}
    for op in ("GlobalAveragePool", "GlobalMaxPool"):
        yield op, 1, ["image"], {}
    yield "GlobalLpPool", 2, ["image"], {}
    yield "MaxUnpool", 9, [ints([[[5, 6], [7, 8]]], dtype=np.float32), ints([[[0, 3], [9, 15]]])], {
        "kernel_shape": [2, 2], "strides": [2, 2]}
    rois = ints([0, 0, 0, 2, 2], dtype=np.float32)
    yield "MaxRoiPool", 1, ["image", rois], {"pooled_shape": [2, 2]}
    yield "RoiAlign", 10, ["image", rois[:, 1:], ints(0)], {"output_height": 2, "output_width": 2, "sampling_ratio": 2}
    yield "LRN", 1, ["image"], {"size": 3}
    eights = [np.linspace(0.5, 2, 8, dtype=np.float32) * s for s in (1, 2, -1, 3)]
    yield "InstanceNormalization", 6, ["image", *eights[:2]], {}
    yield "BatchNormalization", 9, ["image", *eights], {}
    yield "GroupNormalization", 21, ["image", *eights[:2]], {"num_groups": 4}
    yield "LayerNormalization", 17, ["x", scalar([1.0, 2.0, 3.0])], {}
    yield "QuantizeLinear", 10, ["x", scalar(0.1), scalar(100, np.uint8)], {}
    yield "DequantizeLinear", 10, [ints([1, 2], [200, 5], dtype=np.uint8), scalar(0.1), scalar(100, np.uint8)], {}
    matrix = ints([1, 2], [30, 40], dtype=np.uint8)
    yield "QLinearMatMul", 10, [
        matrix, scalar(0.1), scalar(3, np.uint8), matrix, scalar(0.2), scalar(4, np.uint8), scalar(0.3), scalar(5, np.uint8)], {}
    yield "Upsample", 9, ["image", ints(1, 1, 2, 2, dtype=np.float32)], {}
    yield "Resize", 11, ["image", np.zeros(0, np.float32), ints(1, 1, 2, 2, dtype=np.float32)], {"mode": "linear"}
    yield "Resize", 13, ["image", None, ints(1, 1, 2, 2, dtype=np.float32)], {"mode": "linear"}
    yield "GridSample", 16, ["image", ints([[[-0.5, 0.2]]], dtype=np.float32)], {"align_corners": 1}
    boxes, scores = ints([[0, 0, 1, 1], [0, 0, 1, 0.9]], dtype=np.float32), ints([[0.4, 0.6]], dtype=np.float32)
    yield "NonMaxSuppression", 10, [boxes, scores, ints(2), ints(0.5, dtype=np.float32)], {}
    offset = np.linspace(-0.5, 0.5, 72, dtype=np.float32).reshape(1, 8, 3, 3)
    yield "DeformConv", 19, ["image", kernel, offset], {}
    labels = ints(1, 2)
    yield "NegativeLogLikelihoodLoss", 12, ["x", labels], {}
    yield "SoftmaxCrossEntropyLoss", 12, ["x", labels], {}
    for op, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
        weights = np.linspace(-1, 1, gates * 10, dtype=np.float32)
        yield op, 7, ["steps", weights[:gates * 6].reshape(1, gates * 2, 3), weights[gates * 6:].reshape(1, gates * 2, 2)], {
            "hidden_size": 2}
    info = helper.make_tensor_value_info
    branches = [helper.make_graph([helper.make_node(op, ["x"], ["z"])], op, [], [info("z", FLOAT, None)])
                for op in ("Neg", "Identity")]
    yield "If", 1, [scalar(True, bool), "x"], {"then_branch": branches[0], "else_branch": branches[1]}
    body = helper.make_graph(
        [helper.make_node("Mul", ["s", "x"], ["t"]), helper.make_node("Identity", ["c"], ["d"])], "body",
        [info("i", INT64, []), info("c", BOOL, []), info("s", FLOAT, [2, 3])],
        [info("d", BOOL, []), info("t", FLOAT, [2, 3])])
    yield "Loop", 1, [scalar(2, np.int64), scalar(True, bool), "x"], {"body": body}
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "e"], ["t"])], "body", [info("s", FLOAT, [3]), info("e", FLOAT, [3])],
        [info("t", FLOAT, [3])])
    yield "Scan", 9, [scalar([0.0, 1.0, 2.0]), "x"], {"body": body, "num_scan_inputs": 1}
