"""speed.py FX GRAPH_BENCH MODEL [--rounds N]: how fast passes are beside others'.

First dead code, common subexpressions and constants on graphs of 10,000 and 100,000 calls: nodes per second of all three
together, ours beside torch.fx's passes (Benchmarks/graph). Then whole processes on MODEL, taking turns, the median of N:
`fx optimize` at both levels, onnxsim reading, simplifying and writing, and a session of ONNX Runtime being created, which
optimizes too. Exit status 1 if torch.fx is less than 50 times as slow, or one of the other two is faster than
`fx optimize` at its default level."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PEER = pathlib.Path(__file__).parent.parent / "graph" / "torch_fx.py"
STEPS = ("dead code", "common subexpressions", "constant folding")
ONNXSIM = "import sys, onnx, onnxsim; onnx.save(onnxsim.simplify(onnx.load(sys.argv[1]))[0], sys.argv[2])"
ONNXRUNTIME = """
import sys, onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
"""
# What starting Python and importing the packages takes, which is not the packages' fault.
IMPORTS = {"onnxsim": "import onnx, onnxsim", "onnxruntime session": "import onnxruntime"}


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return time.perf_counter() - start


def measured(*command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compare_graphs(bench, python):
    worst = float("inf")
    print(f"{'calls':>9}{'ours nodes/s':>16}{'torch.fx nodes/s':>18}{'ratio':>8}")
    for count in ("10000", "100000"):
        ours, theirs = measured(bench, "--json", count), measured(python, str(PEER), count)
        times = [sum(side[step] for step in STEPS) for side in (ours, theirs)]
        worst = min(worst, times[1] / times[0])
        rates = [int(count) / time * 1e3 for time in times]
        print(f"{count:>9}{rates[0]:16.0f}{rates[1]:18.0f}{times[1] / times[0]:8.0f}", flush=True)
    return worst


def compare_processes(fx, model, rounds):
    with tempfile.TemporaryDirectory() as scratch:
        written = pathlib.Path(scratch) / "written.onnx"
        commands = {
            "fx optimize": [fx, "optimize", model, "-o", written],
            "fx optimize --level aggressive": [fx, "optimize", model, "-o", written, "--level", "aggressive"],
            "onnxsim": [sys.executable, "-c", ONNXSIM, model, written],
            "onnxruntime session": [sys.executable, "-c", ONNXRUNTIME, model],
        }
        times = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(seconds(command))
        imports = {name: min(seconds([sys.executable, "-c", code]) for _ in range(3)) for name, code in IMPORTS.items()}
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"\n{model}\n{'process':34}{'seconds':>9}{'without imports':>17}")
    for name, median in medians.items():
        print(f"{name:34}{median:9.2f}{median - imports.get(name, 0):17.2f}")
    return min(medians[name] - imports[name] for name in imports) / medians["fx optimize"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx")
    parser.add_argument("graph_bench")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--torch", help="an interpreter with PyTorch; without one, torch.fx is left out")
    options = parser.parse_args()
    graphs = compare_graphs(options.graph_bench, options.torch) if options.torch else None
    processes = compare_processes(options.fx, options.model, options.rounds)
    print(f"\n{'torch.fx was left out' if graphs is None else f'torch.fx takes {graphs:.0f} times as long at least'}; "
          f"the faster of the others takes {processes:.2f} times as long as fx optimize")
    return 0 if (graphs is None or graphs >= 50) and processes > 1 else 1


if __name__ == "__main__":
    sys.exit(main())
