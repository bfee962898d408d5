"""compare.py GRAPH_BENCH [COUNT...]: graph-bench beside torch.fx on the same graphs, one after the other for each size.
Prints a row for each step that both have: milliseconds of both, and how many times as long torch.fx takes."""

import json
import pathlib
import subprocess
import sys

PEER = pathlib.Path(__file__).with_name("torch_fx.py")


def measure(*command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    print(f"{'calls':>9}  {'step':24}{'ours ms':>12}{'torch.fx ms':>14}{'ratio':>9}")
    for count in sys.argv[2:] or ["10000", "100000"]:
        ours, theirs = measure(sys.argv[1], "--json", count), measure(sys.executable, PEER, count)
        for step in (step for step in ours if step in theirs and step != "calls"):
            print(f"{count:>9}  {step:24}{ours[step]:12.2f}{theirs[step]:14.1f}{theirs[step] / ours[step]:9.0f}", flush=True)


if __name__ == "__main__":
    main()
