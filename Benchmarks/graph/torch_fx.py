"""torch_fx.py [COUNT...]: the steps of graph-bench on the same graph in torch.fx; prints one JSON object per COUNT with
milliseconds by step, the best of three. torch_fx.py --trace: one object with the time of tracing torchvision's resnet50,
the best and the median of 20."""

import json
import sys
import time

import torch
from torch import fx


def make_graph(calls):
    graph = fx.Graph()
    x, weight = graph.placeholder("x"), graph.get_attr("weight")
    for _ in range(calls // 10):
        a = graph.call_function(torch.abs, (x,))
        b = graph.call_function(torch.abs, (x,))
        c = graph.call_function(torch.add, (a, b))
        folded = graph.call_function(torch.exp, (weight,))
        d = graph.call_function(torch.mul, (c, folded))
        dead = graph.call_function(torch.neg, (d,))
        graph.call_function(torch.exp, (dead,))
        e = graph.call_function(torch.sub, (d, x))
        f = graph.call_function(torch.sin, (e,))
        x = graph.call_function(torch.add, (f, weight))
    graph.output(x)
    return graph


def root():
    module = torch.nn.Module()
    module.register_buffer("weight", torch.tensor([0.5, -0.25, 1, 2]))
    return module


def eliminate_common(graph):
    from torch.fx.passes.dialect.common.cse_pass import CSEPass

    CSEPass()(fx.GraphModule(root(), graph))


def fold_constants(graph):
    from torch.fx.experimental.const_fold import split_const_subgraphs

    split_const_subgraphs(fx.GraphModule(root(), graph)).run_folding()


STEPS = {
    "verify": lambda graph: graph.lint(),
    "print": lambda graph: str(graph),
    "dead code": lambda graph: graph.eliminate_dead_code(),
    "common subexpressions": eliminate_common,
    "constant folding": fold_constants,
}


def milliseconds(action):
    start = time.perf_counter()
    result = action()
    return (time.perf_counter() - start) * 1e3, result


def trace():
    import torchvision

    model = torchvision.models.resnet50()
    times = sorted(milliseconds(lambda: fx.symbolic_trace(model))[0] for _ in range(20))
    nodes = len(fx.symbolic_trace(model).graph.nodes)
    print(json.dumps({"trace resnet50": times[0], "trace resnet50, median": times[10], "nodes": nodes}))


def main():
    if sys.argv[1:] == ["--trace"]:
        return trace()
    for count in [int(argument) for argument in sys.argv[1:]] or [10_000, 100_000]:
        best = {}
        for _ in range(3):
            for step in ("build", *STEPS):
                elapsed, graph = milliseconds(lambda: make_graph(count))
                if step in STEPS:  # each on a graph of its own, since some of them change it
                    elapsed, _ = milliseconds(lambda: STEPS[step](graph))
                best[step] = min(elapsed, best.get(step, elapsed))
        print(json.dumps({"calls": count} | {step: round(value, 2) for step, value in best.items()}), flush=True)


if __name__ == "__main__":
    main()
