"""families.py FX FOLDER...: what share of the machine the kernels of each operator family reach, over the models below the folders.

`fx profile --json` gives the steps of the fastest of some runs on one thread. Each model counts the same: its times are taken as
shares of its run. Of a kernel's steps the operations (of products and convolutions, by definition) and bytes (of operands and
results) are summed and divided by their time; both are also given of the largest share a single model reaches. The machine's peak
is measured by `fx profile`, the rate of memory by copying an array that no cache holds."""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

from compare import replace_table


def profile(fx, model, iterations):
    command = [fx, "profile", model / "model.onnx", "--inputs", model / "test_data_set_0", "--threads", "1", "--json",
               "--iterations", str(iterations)]
    done = subprocess.run(command, capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def copies_per_second():
    """Bytes read and written a second by one thread that copies 256 MB."""
    source = np.ones(64 << 20, np.float32)
    target = np.empty_like(source)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--least", type=float, default=0.3, help="percent of the time that a line needs")
    parser.add_argument("--markdown", type=pathlib.Path, help="put the table between the marks of this document")
    options = parser.parse_args()
    models = [path.parent for folder in options.folders for path in sorted(folder.glob("*/model.onnx"))]
    shares, time_of, operations, bytes_of = (collections.Counter() for _ in range(4))
    best, names, peaks, missing = {}, collections.defaultdict(collections.Counter), [], []
    for model in models:
        run = profile(options.fx, model, options.iterations)
        if run is None:
            missing.append(model.name)
            continue
        peaks.append(run["peak_gflops"])
        own = collections.defaultdict(lambda: [0.0, 0])
        for step in run["steps"]:
            kernel = step["kernel"].split("<")[0]
            key = step["family"], kernel
            shares[key] += step["ms"] / run["total_ms"] / len(models)
            time_of[key] += step["ms"] / 1e3
            operations[key] += step["operations"]
            bytes_of[key] += step["bytes"]
            names[key][step["op"]] += step["ms"]
            own[key][0] += step["ms"] / 1e3
            own[key][1] += step["operations"]
        for key, (seconds, count) in own.items():
            best[key] = max(best.get(key, 0), count / max(seconds, 1e-9) / 1e9 / run["peak_gflops"])
    peak = sorted(peaks)[len(peaks) // 2]
    lines = [
        f"One thread; peak {peak:.0f} GFLOP/s, copies {copies_per_second() / 1e9:.0f} GB/s, {len(peaks)} models.", "",
        "| family | kernel | mostly | of the time | of peak | in its best model | GB/s |", "|---|---|---|---|---|---|---|"]
    for key, share in shares.most_common():
        if share * 100 < options.least:
            break
        flops = operations[key] / time_of[key] / 1e9
        of_peak = f"{flops / peak:.0%} | {best[key]:.0%}" if flops else "– | –"
        mostly = ", ".join(f"`{op}`" for op, _ in names[key].most_common(2))
        lines.append(
            f"| {key[0]} | {key[1]} | {mostly} | {share:.1%} | {of_peak} | {bytes_of[key] / time_of[key] / 1e9:.1f} |")
    print("\n".join(lines))
    if missing:
        print("not measured:", ", ".join(missing))
    if options.markdown:
        replace_table(options.markdown, "families", lines)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
