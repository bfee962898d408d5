"""compare.py GRAPH_BENCH [COUNT...]: graph-bench beside torch.fx on the same graphs, one after the other for each size.
Prints a row for each step that both have: milliseconds of both, and how many times as long torch.fx takes. Tracing
resnet50 is last, by trace-bench beside GRAPH_BENCH. compare.py --trace TRACE_BENCH: that alone."""

import json
import pathlib
import subprocess
import sys

PEER = pathlib.Path(__file__).with_name("torch_fx.py")


def measure(*command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def row(count, step, ours, theirs):
    print(f"{count:>9}  {step:24}{ours:12.2f}{theirs:14.1f}{theirs / ours:9.0f}", flush=True)


def compare_traces(bench):
    ours, theirs = measure(bench), measure(sys.executable, PEER, "--trace")
    for step in (step for step in ours if step != "nodes"):
        row("", step, ours[step], theirs[step])


def main():
    print(f"{'calls':>9}  {'step':24}{'ours ms':>12}{'torch.fx ms':>14}{'ratio':>9}")
    if sys.argv[1] == "--trace":
        return compare_traces(sys.argv[2])
    for count in sys.argv[2:] or ["10000", "100000"]:
        ours, theirs = measure(sys.argv[1], "--json", count), measure(sys.executable, PEER, count)
        for step in (step for step in ours if step in theirs and step != "calls"):
            row(count, step, ours[step], theirs[step])
    if (tracer := pathlib.Path(sys.argv[1]).with_name("trace-bench")).exists():
        compare_traces(tracer)


if __name__ == "__main__":
    main()
