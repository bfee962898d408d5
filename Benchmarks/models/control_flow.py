"""Models that branch and repeat: as PyTorch's exporters write them, and as the ONNX operators themselves."""

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from example import Example, Ready


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda x: torch.relu(self.up(x)), lambda x: torch.tanh(self.down(x)) * 2, (x,))


def conditional() -> Example:
    return Example(Branches(), {"x": torch.randn(3, 8)}, ["y"], {"x": {0: "batch"}})


class Recurrence(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 8) * 0.3)

    def forward(self, steps):
        from torch._higher_order_ops.scan import scan

        def step(state, x):
            state = torch.tanh(state @ self.weight + x)
            return state, state.clone()

        last, states = scan(step, torch.zeros(2, 8), steps, dim=0)
        return states, last


def scan_cell() -> Example:
    return Example(Recurrence(), {"steps": torch.randn(6, 2, 8)}, ["states", "last"])


class Repeated(nn.Module):
    """As many rounds as an input says; odd and even ones differ."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor, rounds: torch.Tensor) -> torch.Tensor:
        for i in range(int(rounds)):
            if i % 2 == 0:
                x = torch.relu(self.layer(x)) + x
            else:
                x = torch.sigmoid(x) - 0.3
        return x


def scripted_loop() -> Example:
    inputs = {"x": torch.randn(2, 8), "rounds": torch.tensor(5)}
    return Example(torch.jit.script(Repeated()), inputs, ["y"], {"x": {0: "batch"}})


def info(name: str, shape: list, kind: int = TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def onnx_loop() -> Ready:
    """Loop with If inside: a state, a value of every round, a condition that ends it early, captured weights."""
    generator = np.random.default_rng(1)
    weight = (generator.standard_normal((8, 8)) * 0.5).astype(np.float32)
    node = helper.make_node
    branches = dict(
        then_branch=helper.make_graph([node("Relu", ["product"], ["kept"])], "then", [], [info("kept", ["batch", 8])]),
        else_branch=helper.make_graph([node("Tanh", ["product"], ["bent"])], "else", [], [info("bent", ["batch", 8])]))
    body = helper.make_graph(
        [
            node("MatMul", ["state", "weight"], ["product"]), node("Mod", ["i", "two"], ["rest"]),
            node("Equal", ["rest", "zero"], ["even"]), node("If", ["even"], ["next"], **branches),
            node("ReduceMax", ["next"], ["most"], keepdims=0), node("Less", ["most", "limit"], ["going"]),
        ], "body", [info("i", [], TensorProto.INT64), info("on", [], TensorProto.BOOL), info("state", ["batch", 8])],
        [info("going", [], TensorProto.BOOL), info("next", ["batch", 8]), info("most", [])])
    constants = {"weight": weight, "two": np.int64(2), "zero": np.int64(0), "limit": np.float32(50)}
    graph = helper.make_graph(
        [node("Loop", ["rounds", "", "x"], ["y", "maxima"], body=body)], "onnx_loop",
        [info("x", ["batch", 8]), info("rounds", [], TensorProto.INT64)], [info("y", ["batch", 8]), info("maxima", ["n"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    inputs = {"x": generator.standard_normal((3, 8)).astype(np.float32), "rounds": np.array(7, np.int64)}
    state, maxima = inputs["x"], []
    for i in range(7):
        state = np.maximum(state @ weight, 0) if i % 2 == 0 else np.tanh(state @ weight)
        maxima.append(state.max())
        if maxima[-1] >= 50:
            break
    return Ready(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), inputs,
                 [state, np.array(maxima, np.float32)])


def onnx_scan() -> Ready:
    """Scan over time in both directions, with weights captured from outside."""
    generator = np.random.default_rng(2)
    weight = (generator.standard_normal((8, 8)) * 0.3).astype(np.float32)
    node = helper.make_node
    body = helper.make_graph(
        [node("MatMul", ["h", "weight"], ["hw"]), node("Add", ["a", "b"], ["ab"]), node("Add", ["hw", "ab"], ["sum"]),
         node("Tanh", ["sum"], ["next"]), node("Identity", ["next"], ["out"])],
        "body", [info(name, ["batch", 8]) for name in ("h", "a", "b")], [info(name, ["batch", 8]) for name in ("next", "out")])
    graph = helper.make_graph(
        [node("Scan", ["h0", "x", "x"], ["last", "states"], body=body, num_scan_inputs=2, scan_input_directions=[0, 1])],
        "onnx_scan", [info("h0", ["batch", 8]), info("x", ["time", "batch", 8])],
        [info("last", ["batch", 8]), info("states", ["time", "batch", 8])], [numpy_helper.from_array(weight, "weight")])
    inputs = {"h0": np.zeros((2, 8), np.float32), "x": generator.standard_normal((7, 2, 8)).astype(np.float32)}
    states = [inputs["h0"]]
    for forward, backward in zip(inputs["x"], inputs["x"][::-1]):
        states.append(np.tanh(states[-1] @ weight + forward + backward))
    return Ready(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), inputs,
                 [states[-1], np.stack(states[1:])])
