"""layers.py FX MODEL.onnx... [--inputs 2]: whose roundings depart from the standard, layer by layer.

Every tensor that a QDQ or QOperator model quantizes becomes an output as well. Both programs run the model on the same inputs; then each
layer is computed in double precision from the bytes that the program itself gave it, by the standard's formulas (dequantize,
the operator, divide by the scale, round half to even, add the zero point, saturate), so that no error is inherited. Per operator
a line says how many of a program's bytes differ from that, by how many quanta at most, and how many of those do although the
number before rounding is further than a thousandth of a quantum from a tie, where no rounding of float32 excuses it.
Exit status 1 if fx has such a byte.
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from quantize import inputs_of, sample  # noqa: E402

NEAR = 1e-3


def attribute(node, name, default=None):
    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def window(node, x):
    pads = attribute(node, "pads", [0, 0, 0, 0])
    return F.pad(x, (pads[1], pads[3], pads[0], pads[2]), value=float("-inf") if node.op_type == "MaxPool" else 0)


def compute(node, x):
    """An operator in double precision, None if it is none of those below; operands that are left out are None."""
    kind = node.op_type
    if kind == "Conv":
        return F.conv2d(
            window(node, x[0]), x[1], x[2] if len(x) > 2 else None, attribute(node, "strides", [1, 1]),
            dilation=attribute(node, "dilations", [1, 1]), groups=attribute(node, "group", 1))
    if kind == "Gemm":
        y = x[0] @ (x[1].T if attribute(node, "transB", 0) else x[1])
        return y + x[2] if len(x) > 2 else y
    if kind == "MaxPool":
        return F.max_pool2d(window(node, x[0]), attribute(node, "kernel_shape"), attribute(node, "strides", [1, 1]))
    if kind in ("ReduceMean", "GlobalAveragePool"):
        axes = tuple(int(a) for a in x[1]) if len(x) > 1 else (2, 3)
        return x[0].mean(axes, keepdim=kind != "ReduceMean" or bool(attribute(node, "keepdims", 1)))
    simple = {
        "Tanh": lambda: x[0].tanh(), "Sigmoid": lambda: x[0].sigmoid(), "AveragePool": lambda: F.avg_pool2d(
            x[0], attribute(node, "kernel_shape"), attribute(node, "strides", [1, 1])),
        "MatMul": lambda: x[0] @ x[1], "Add": lambda: x[0] + x[1], "Mul": lambda: x[0] * x[1], "Relu": lambda: x[0].relu(),
        "Clip": lambda: x[0].clamp(*(None if v is None else float(v) for v in x[1:])),
        "Reshape": lambda: x[0].reshape([int(v) if v else x[0].shape[i] for i, v in enumerate(x[1])]),
        "Flatten": lambda: x[0].flatten(attribute(node, "axis", 1)),
    }
    if kind not in simple:
        return None
    return simple[kind]()


def along(parameter, node, rank):
    """Scales or zero points in double precision, to be multiplied with a tensor."""
    if parameter.numel() == 1:
        return parameter.double().reshape([])
    return parameter.double().reshape([-1 if i == attribute(node, "axis", 1) % rank else 1 for i in range(rank)])


def judge(model, given, inputs):
    """Yields (operator, wrong, bytes, quanta, inexcusable) for each tensor that `given` has the bytes of.

    What follows from an operator that is not computed here is left out, up to the next bytes."""
    values = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in model.graph.initializer}
    values |= {v.name: torch.tensor(a) for v, a in zip(model.graph.input, inputs)}
    kinds = {}
    for node in model.graph.node:
        x = [values[name] if name else None for name in node.input]
        if any(v is None for name, v in zip(node.input, x) if name):
            y = torch.tensor(given[node.output[0]]) if node.op_type == "QuantizeLinear" else None
        elif node.op_type == "Constant":
            y = torch.tensor(numpy_helper.to_array(attribute(node, "value")))
        elif node.op_type == "DequantizeLinear":
            zero = along(x[2], node, x[0].dim()) if len(x) > 2 else 0
            y = (x[0].double() - zero) * along(x[1], node, x[0].dim())
        elif node.op_type == "QuantizeLinear":
            exact = x[0].double() / float(x[1])
            steps = torch.round(exact)
            range_ = torch.iinfo(x[2].dtype)
            right = (steps + float(x[2])).clamp(range_.min, range_.max)
            y = torch.tensor(given[node.output[0]])
            off = (y.double() - right).abs()
            from_tie = ((exact - torch.floor(exact)) - 0.5).abs()
            kind = kinds.get(node.input[0], "input")
            yield kind, int((off > 0).sum()), off.numel(), float(off.max()), int(((off > 0) & (from_tie > NEAR) | (off > 1)).sum())
        else:
            y = compute(node, [v.double() if v is not None and v.dtype.is_floating_point else v for v in x])
            inner = kinds.get(node.input[0])
            kinds[node.output[0]] = f"{inner}, {node.op_type}" if node.op_type in ("Relu", "Clip") and inner else node.op_type
        values[node.output[0]] = y


# Of a QOperator: the operator that it is, by operand where it stands (value, scale and zero point after each other), where a
# bias is, and where the result's scale is.
QOPERATORS = {
    "QLinearConv": ("Conv", [0, 3], 8, 6), "QLinearMatMul": ("MatMul", [0, 3], None, 6), "QLinearAdd": ("Add", [0, 3], None, 6),
    "QLinearMul": ("Mul", [0, 3], None, 6), "QGemm": ("Gemm", [0, 3], 6, 7), "QLinearSigmoid": ("Sigmoid", [0], None, 3),
    "QLinearAveragePool": ("AveragePool", [0], None, 3), "QLinearGlobalAveragePool": ("GlobalAveragePool", [0], None, 3),
}


def as_pairs(model):
    """A QOperator model as a QDQ model, each operator between conversions of its own."""
    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type not in QOPERATORS:
            nodes.append(node)
            continue
        kind, operands, bias, result = QOPERATORS[node.op_type]
        given, names = list(node.input) + [""] * 9, []
        for place in operands:
            names.append(f"{node.output[0]}.{place}")
            axis = 0 if kind == "Conv" or attribute(node, "transB", 0) else 1
            nodes.append(helper.make_node("DequantizeLinear", given[place:place + 3], names[-1:], axis=axis))
        if bias and given[bias]:
            # Its scale is the product of those of the factors.
            name = f"{node.output[0]}.{bias}"
            product = np.float64(tensors[given[operands[0] + 1]]) * np.float64(tensors[given[operands[1] + 1]])
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(product), name + ".scale"))
            nodes.append(helper.make_node("DequantizeLinear", [given[bias], name + ".scale"], [name], axis=0))
            names.append(name)
        ends = bool(given[result])
        plain = node.output[0] + (".plain" if ends else "")
        nodes.append(helper.make_node(kind, names, [plain]))
        nodes[-1].attribute.extend(node.attribute)
        if ends:
            nodes.append(helper.make_node("QuantizeLinear", [plain, *given[result:result + 2]], [node.output[0]]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def with_outputs(path, target):
    """The model, of QDQ form, with every quantized activation as an output; their names. TARGET is the model in its own form."""
    own = onnx.load(path)
    model = as_pairs(onnx.load(path))
    types = {t.name: t.data_type for t in model.graph.initializer}
    names = [n.output[0] for n in model.graph.node if n.op_type == "QuantizeLinear"]
    kinds = {n.output[0]: types[n.input[2]] for n in model.graph.node if n.op_type == "QuantizeLinear"}
    own.graph.output.extend(helper.make_tensor_value_info(name, kinds[name], None) for name in names)
    onnx.save(own, target)
    return model, names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fx")
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--inputs", type=int, default=2)
    options = parser.parse_args()
    failed = False
    print("| model | program | layers | bytes | other than the standard's | quanta | away from ties |\n|---|---|---|---|---|---|---|")
    for path in options.models:
        counts = collections.defaultdict(lambda: [0, 0, 0, 0, 0])
        random = np.random.default_rng(3)
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            model, names = with_outputs(path, scratch / "model.onnx")
            settings = onnxruntime.SessionOptions()
            settings.log_severity_level = 3
            session = onnxruntime.InferenceSession(scratch / "model.onnx", settings, providers=["CPUExecutionProvider"])
            for _ in range(options.inputs):
                inputs = [sample(array, random) for array in inputs_of(path.parent)]
                for place, array in enumerate(inputs):
                    np.save(scratch / f"input_{place}.npy", array)
                subprocess.run(
                    [options.fx, "run", scratch / "model.onnx", "--inputs", scratch, "--outputs", scratch / "out"], check=True,
                    stdout=subprocess.DEVNULL)
                outputs = [o.name for o in session.get_outputs()]
                ours = {name: np.load(scratch / "out" / f"output_{outputs.index(name)}.npy") for name in names}
                feed = {v.name: a for v, a in zip(session.get_inputs(), inputs)}
                theirs = dict(zip(names, session.run(names, feed)))
                for program, given in [("fx", ours), ("ONNX Runtime", theirs)]:
                    for kind, wrong, size, quanta, bad in judge(model, given, inputs):
                        row = counts[kind, program]
                        row[0] += 1
                        row[1] += size
                        row[2] += wrong
                        row[3] = max(row[3], quanta)
                        row[4] += bad
        for (kind, program), (layers, size, wrong, quanta, bad) in sorted(counts.items()):
            print(f"| {path.parent.name} | {program} | {layers // options.inputs} {kind} | {size} | {wrong} | {quanta:.0f} | {bad} |")
            failed |= program == "fx" and bad > 0
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
