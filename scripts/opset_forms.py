"""Operators of ONNX in the form that each operator set gives them: what make-opset-cases.py builds its networks with.

`Writer(opset)` has a method for each operator. Its arguments are those of the newest form; what it writes has the
attributes, operands and broadcasting of the operator set asked for, and says explicitly what that set lets a file say
(`is_test`, `consumed_inputs`, `spatial`, `ceil_mode`, `storage_order`, ...)."""

import numpy as np
from onnx import TensorProto, defs, helper, numpy_helper

TYPE_NAMES = {
    TensorProto.FLOAT: "FLOAT", TensorProto.INT32: "INT32", TensorProto.INT64: "INT64", TensorProto.BOOL: "BOOL",
    TensorProto.DOUBLE: "DOUBLE"}


class Writer:
    def __init__(self, opset):
        self.opset = opset
        self.nodes, self.weights, self.count = [], [], 0

    # Names, constants, nodes

    def fresh(self, hint):
        self.count += 1
        return f"{hint}_{self.count}"

    def weight(self, values, name="weight"):
        """An initializer."""
        name = self.fresh(name)
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def integers(self, values, hint):
        """A constant of shapes, axes or indices: an initializer, or from operator set 12 on a Constant with `value_ints`."""
        if self.opset < 12:
            return self.weight(np.array(values, np.int64), hint)
        return self.node("Constant", [], value_ints=list(values))

    def node(self, op, inputs, outputs=1, **attributes):
        """Adds a node and returns the name of its output, or the names of several. Attributes that are None are left out."""
        inputs = [self.weight(x) if isinstance(x, np.ndarray) else x for x in inputs]
        known = defs.get_schema(op, self.opset, "").attributes
        if "consumed_inputs" in known and op != "BatchNormalization":
            attributes["consumed_inputs"] = [0] * len(inputs)
        names = [self.fresh(op) for _ in range(outputs)]
        attributes = {k: v for k, v in attributes.items() if v is not None}
        self.nodes.append(helper.make_node(op, inputs, names, name=self.fresh("node"), **attributes))
        return names[0] if outputs == 1 else names

    def axes(self, axes, rank):
        """From operator set 11 on axes may be counted from the back, so they are."""
        return [a - rank for a in axes] if self.opset >= 11 else list(axes)

    # Elementwise

    def binary(self, op, a, b, axis=None, rank=None):
        """`b` lines up with the end of `a`, or from `axis` of `a`'s `rank` dimensions on."""
        if self.opset < 7:
            return self.node(op, [a, b], broadcast=1, axis=axis)
        if axis is not None:
            assert isinstance(b, np.ndarray)
            b = b.reshape(b.shape + (1,) * (rank - axis - b.ndim))
        return self.node(op, [a, b])

    def same(self, op, a, b):
        """An operator of two operands of one shape."""
        return self.node(op, [a, b])

    def several(self, op, x, y, shape):
        """Max, Min, Sum, Mean: before operator set 8 the operands, here `x` of `shape` and a constant, had one shape."""
        return self.node(op, [x, np.broadcast_to(y, shape).copy() if self.opset < 8 else y, x])

    def clip(self, x, low, high, kind=np.float32):
        if self.opset < 11:
            return self.node("Clip", [x], min=low, max=high)
        return self.node("Clip", [x, np.array(low, kind), np.array(high, kind)])

    def prelu(self, x, slope, rank):
        if self.opset >= 7:
            slope = slope.reshape(slope.shape + (1,) * (rank - 2))
        return self.node("PRelu", [x, slope])

    def cast(self, x, to):
        if self.opset < 6:
            return self.node("Cast", [x], to=TYPE_NAMES[to])
        later = {"saturate": 1} if self.opset >= 19 else {}
        later |= {"round_mode": "up"} if self.opset >= 24 else {}
        return self.node("Cast", [x], to=to, **later)

    def gelu(self, x):
        """Of the hyperbolic tangent: the operator of set 20, or its parts."""
        if self.opset >= 20:
            return self.node("Gelu", [x], approximate="tanh")
        cube = self.same("Mul", x, self.same("Mul", x, x))
        inner = self.same("Add", x, self.binary("Mul", cube, np.float32([0.044715])))
        inner = self.node("Tanh", [self.binary("Mul", inner, np.float32([np.sqrt(2 / np.pi)]))])
        return self.same("Mul", self.binary("Mul", x, np.float32([0.5])), self.binary("Add", inner, np.float32([1])))

    def softmax(self, x, axis, shape, op="Softmax"):
        """Over everything from `axis` on, which the operator itself means before operator set 13."""
        if self.opset < 13:
            return self.node(op, [x], axis=axis)
        if axis == len(shape) - 1:
            return self.node(op, [x], axis=-1)
        flat = self.reshape(x, [0] * axis + [-1])
        return self.reshape(self.node(op, [flat], axis=-1), [0] * axis + shape[axis:])

    # Shapes

    def reshape(self, x, shape):
        if self.opset < 5:
            return self.node("Reshape", [x], shape=shape)
        return self.node("Reshape", [x, self.integers(shape, "shape")], **({"allowzero": 0} if self.opset >= 14 else {}))

    def squeeze(self, x, axes, rank, op="Squeeze"):
        axes = self.axes(axes, rank)
        if self.opset < 13:
            return self.node(op, [x], axes=axes)
        return self.node(op, [x, self.integers(axes, "axes")])

    def unsqueeze(self, x, axes, rank):
        return self.squeeze(x, axes, rank, "Unsqueeze")

    def concat(self, xs, axis, rank):
        # The channels were the default of operator set 1.
        return self.node("Concat", xs, axis=None if self.opset < 4 and axis == 1 else self.axes([axis], rank)[0])

    def split(self, x, sizes, axis, rank):
        axis = self.axes([axis], rank)[0]
        if self.opset < 13:
            return self.node("Split", [x], len(sizes), axis=axis, split=sizes)
        if self.opset >= 18 and len(set(sizes)) == 1:
            return self.node("Split", [x], len(sizes), axis=axis, num_outputs=len(sizes))
        return self.node("Split", [x, self.integers(sizes, "split")], len(sizes), axis=axis)

    def slice(self, x, starts, ends, axes, rank):
        axes = self.axes(axes, rank)
        if self.opset < 10:
            return self.node("Slice", [x], starts=starts, ends=ends, axes=axes)
        steps = [self.integers([1] * len(axes), "steps")] if self.opset >= 11 else []
        operands = [self.integers(v, n) for v, n in ((starts, "starts"), (ends, "ends"), (axes, "axes"))]
        return self.node("Slice", [x, *operands, *steps])

    def thirds(self, x, axis, rank):
        """Split into three equal parts, the sizes left out."""
        axis = self.axes([axis], rank)[0]
        return self.node("Split", [x], 3, axis=axis, num_outputs=3 if self.opset >= 18 else None)

    def pad(self, x, pads, value, kind=np.float32):
        """`pads` are those of the last two of four dimensions: top, left, bottom, right."""
        whole = [0, 0, *pads[:2], 0, 0, *pads[2:]]
        if self.opset < 11:
            return self.node("Pad", [x], mode="constant", value=value, **{"paddings" if self.opset < 2 else "pads": whole})
        value = np.array(value, kind)
        if self.opset < 18:
            return self.node("Pad", [x, self.integers(whole, "pads"), value], mode="constant")
        return self.node("Pad", [x, self.integers(pads, "pads"), value, self.integers([2, 3], "axes")], mode="constant")

    def repeat(self, x, axis, shape, count):
        """Repeats an axis of size 1: by Expand, or before operator set 8 by Tile."""
        if self.opset >= 8:
            return self.node("Expand", [x, self.integers([count if i == axis else 1 for i in range(len(shape))], "shape")])
        if self.opset < 6:
            return self.node("Tile", [x, np.float32([count]), np.float32([axis])])
        return self.node("Tile", [x, self.integers([count if i == axis else 1 for i in range(len(shape))], "repeats")])

    def resize(self, x, mode, shape):
        """Twice as high and wide; a pixel's value belongs to its corner, as in Upsample."""
        if self.opset < 7:
            return self.node(
                "Upsample", [x], mode={"linear": "bilinear"}.get(mode, mode), height_scale=2.0, width_scale=2.0)
        scales = np.array([1, 1, 2, 2], np.float32)
        if self.opset < 9:
            return self.node("Upsample", [x], mode=mode, scales=scales.tolist())
        if self.opset < 11:
            return self.node("Upsample" if self.opset < 10 else "Resize", [x, scales], mode=mode)
        settings = dict(mode=mode, coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        if self.opset < 13:
            return self.node("Resize", [x, np.zeros(0, np.float32), scales], **settings)
        if self.opset < 18:
            return self.node("Resize", [x, "", scales], **settings)
        if mode == "nearest":
            return self.node("Resize", [x, "", scales[2:]], axes=[2, 3], antialias=0, **settings)
        sizes = self.integers([2 * n for n in shape[2:]], "sizes")
        return self.node("Resize", [x, "", "", sizes], axes=[2, 3], keep_aspect_ratio_policy="stretch", **settings)

    # Layers

    def conv(self, x, weight, bias, **attributes):
        return self.node("Conv", [x, weight, bias], kernel_shape=list(weight.shape[2:]), **attributes)

    def pool(self, op, x, size, **attributes):
        if op == "AveragePool" and self.opset >= 7:
            attributes["count_include_pad"] = 0
        if op == "MaxPool" and self.opset >= 8:
            attributes["storage_order"] = 0
        if self.opset >= 10:
            attributes["ceil_mode"] = 0
        if self.opset >= (19 if op == "AveragePool" else 10):
            attributes["dilations"] = [1] * len(size)
        return self.node(op, [x], kernel_shape=size, **attributes)

    def batch_normalization(self, x, scale, bias, mean, variance):
        forms = [(6, dict(consumed_inputs=[0, 0, 0, 1, 1], is_test=1, spatial=1)), (7, dict(is_test=1, spatial=1)),
                 (9, dict(spatial=1)), (14, dict()), (99, dict(training_mode=0))]
        attributes = next(form for before, form in forms if self.opset < before)
        return self.node("BatchNormalization", [x, scale, bias, mean, variance], epsilon=1e-4, momentum=0.8, **attributes)

    def lp_pool(self, x, size):
        later = dict(ceil_mode=0, dilations=[1] * len(size)) if self.opset >= 18 else {}
        return self.node("LpPool", [x], kernel_shape=size, strides=size, p=3.0 if self.opset < 2 else 3, **later)

    def blocks(self, op, x):
        """DepthToSpace and SpaceToDepth."""
        mode = {"mode": "DCR"} if self.opset >= (11 if op == "DepthToSpace" else 28) else {}
        return self.node(op, [x], blocksize=2, **mode)

    def dropout(self, x):
        if self.opset < 7:
            return self.node("Dropout", [x], ratio=0.3, is_test=1)
        if self.opset < 12:
            return self.node("Dropout", [x], ratio=0.3)
        return self.node("Dropout", [x, np.array(0.3, np.float32), np.array(False)])

    def gemm(self, a, b, c):
        return self.node("Gemm", [a, b, c], alpha=0.5, transB=1, **({"broadcast": 1} if self.opset < 7 else {}))

    def reduce(self, op, x, axes, rank, keepdims=0):
        axes = self.axes(axes, rank)
        if self.opset < (13 if op == "ReduceSum" else 18):
            return self.node(op, [x], axes=axes, keepdims=keepdims)
        return self.node(op, [x, self.integers(axes, "axes")], keepdims=keepdims, noop_with_empty_axes=0)

    def argmax(self, x, axis, rank, op="ArgMax"):
        later = {"select_last_index": 0} if self.opset >= 12 else {}
        return self.node(op, [x], axis=self.axes([axis], rank)[0], keepdims=0, **later)

    def topk(self, x, k):
        if self.opset < 10:
            return self.node("TopK", [x], 2, k=k, axis=1)
        return self.node(
            "TopK", [x, self.integers([k], "k")], 2, axis=-1, **(dict(largest=1, sorted=1) if self.opset >= 11 else {}))

    def recurrent(self, op, x, weights, lengths, states, hidden, **attributes):
        """Time first, or in even operator sets from 14 on batch first by the attribute; the results are time first."""
        w, r, b, *peepholes = weights
        batch_first = self.opset >= 14 and self.opset % 2 == 0
        if batch_first:
            x = self.node("Transpose", [x], perm=[1, 0, 2])
            states = [s.transpose(1, 0, 2) for s in states]
        if op == "GRU" and self.opset >= 3:
            attributes["linear_before_reset"] = 0
        if self.opset < 7:
            attributes["output_sequence"] = 1
        if self.opset >= 14:
            attributes["layout"] = int(batch_first)
        count = 3 if op == "LSTM" else 2
        y, *last = self.node(op, [x, w, r, b, lengths, *states, *peepholes], count, hidden_size=hidden, **attributes)
        if batch_first:
            y = self.node("Transpose", [y], perm=[1, 2, 0, 3])
            last = [self.node("Transpose", [s], perm=[1, 0, 2]) for s in last]
        return [y, *last]

    def layer_normalization(self, x, scale, bias):
        """Of the last of three dimensions: the operator of set 17, or its parts."""
        if self.opset >= 17:
            return self.node("LayerNormalization", [x, scale, bias], axis=-1, epsilon=1e-5)
        x = self.along_rows("Sub", x, lambda keepdims: self.reduce("ReduceMean", x, [2], 3, keepdims))
        two = np.array(2, np.int64 if self.opset >= 12 else np.float32)
        square = self.binary("Pow", x, two)
        x = self.along_rows("Div", x, lambda keepdims: self.root(self.reduce("ReduceMean", square, [2], 3, keepdims)))
        return self.binary("Add", self.binary("Mul", x, scale), bias)

    def rms_normalization(self, x, scale):
        """Of the last of three dimensions: the operator of set 23, or its parts."""
        if self.opset >= 23:
            return self.node("RMSNormalization", [x, scale], axis=-1, epsilon=1e-5)
        square = self.same("Mul", x, x)
        root = lambda keepdims: self.root(self.reduce("ReduceMean", square, [2], 3, keepdims))  # noqa: E731
        return self.binary("Mul", self.along_rows("Mul", x, lambda k: self.node("Reciprocal", [root(k)])), scale)

    def root(self, x):
        return self.node("Sqrt", [self.binary("Add", x, np.array([1e-5], np.float32))])

    def along_rows(self, op, x, rows):
        """A number per row with every element of it. Before operator set 7 dimensions of size 1 did not repeat: the
        second operand lacks them and `axis` says where it begins."""
        if self.opset < 7:
            return self.node(op, [x, rows(0)], broadcast=1, axis=0)
        return self.node(op, [x, rows(1)])
