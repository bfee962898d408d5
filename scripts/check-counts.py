#!/usr/bin/env python3
"""check-counts.py FX [--write]: what a clock cannot tell on a busy machine.

- Calls for memory per run of a compiled graph, once its sizes have been seen: none on one thread; on two, one for each step
  that is divided.
- Instructions of five kernels with AVX2, under valgrind, beside Benchmarks/kernels/counts.json: at most 3 % more.

--write stores the instructions counted. Exit status 1 if a count is too high."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
KERNELS = ROOT / "Benchmarks" / "kernels"
STORED = KERNELS / "counts.json"
MARGIN = 1.03


def chain(length):
    """Additions and subtractions each of whose results is read twice: nothing can be fused."""
    lines = [f"  %x{i + 2} = {'sub' if i % 2 else 'add'}(%x{i}, %x{i + 1})" for i in range(length)]
    return "\n".join(["fx 1", "graph @chain(%x0: f32[4], %x1: f32[4]) {", *lines, f"  return %x{length + 1}", "}", ""])


def calls_for_memory(fx, counter, model, threads, runs):
    command = [fx, "bench", model, "--threads", str(threads), "--iterations", str(runs), "--json"]
    # Loading a model allocates as its hash tables fall out, differently in each process unless their seed is fixed.
    environment = {**os.environ, "LD_PRELOAD": str(counter), "SWIFT_DETERMINISTIC_HASHING": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    found = re.search(r"allocations: (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.strip()[-300:]}")
    return int(found[1])


def steps(fx, model, sizes):
    done = subprocess.run([fx, "plan", model, *sizes], capture_output=True, text=True)
    found = re.search(r"^steps\s+(\d+)", done.stdout, re.M)
    if done.returncode != 0 or not found:
        sys.exit(f"fx plan {model}: {done.stderr.strip()[-300:]}")
    return int(found[1])


def check_allocations(fx, folder):
    counter = folder / "allocations.so"
    subprocess.run(["clang", "-O2", "-shared", "-fPIC", KERNELS / "allocations.c", "-o", counter], check=True)
    (folder / "chain.fxt").write_text(chain(1000))
    passed = True
    # The size of the batch is the one that `fx bench` draws.
    for model, sizes in [(ROOT / "Models" / "digits" / "model.onnx", ["--size", "batch=2"]), (folder / "chain.fxt", [])]:
        for threads in (1, 2):
            # `fx bench` itself grows one array while it times: none of it is left of the difference per run.
            few, many = (calls_for_memory(fx, counter, model, threads, runs) for runs in (100, 600))
            each = (many - few) / 500
            bound = 0 if threads == 1 else steps(fx, model, sizes)
            good = each < bound + 0.05
            passed &= good
            print(f"{model.stem if model.stem != 'model' else model.parent.name:10} {threads} threads  "
                  f"{each:6.2f} calls for memory a run, at most {bound}{'' if good else '  TOO MANY'}")
    return passed


def instructions(kernel, times):
    done = subprocess.run(
        ["sh", KERNELS / "run.sh", "counts", kernel, str(times)], capture_output=True, text=True,
        env={**os.environ, "CC": "clang", "RUN": "valgrind --tool=callgrind --callgrind-out-file=/dev/null"})
    if done.returncode == 3:
        return None
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"counts {kernel}: {done.stderr.strip()[-300:]}")
    return int(found[1].replace(",", ""))


def check_instructions(write):
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    passed = True
    for kernel in ("product", "winograd", "depthwise", "softmax", "gelu"):
        once = instructions(kernel, 1)
        if once is None:
            print("skipped: instructions of kernels: this machine has no AVX2")
            return passed
        count = instructions(kernel, 2) - once
        if write:
            stored[kernel] = count
        good = count <= stored.get(kernel, 0) * MARGIN
        passed &= good
        print(f"{kernel:10} {count:>12,} instructions, stored {stored.get(kernel, 0):>12,}{'' if good else '  TOO MANY'}")
    if write:
        STORED.write_text(json.dumps(stored, indent=2) + "\n")
    return passed


def main():
    fx = pathlib.Path(sys.argv[1]).resolve()
    if sys.platform != "linux" or not shutil.which("valgrind"):
        print("skipped: counts need Linux and valgrind")
        return
    with tempfile.TemporaryDirectory() as folder:
        passed = check_allocations(fx, pathlib.Path(folder))
    passed &= check_instructions("--write" in sys.argv[2:])
    if not passed:
        sys.exit("counts are above their bounds")
    print("all counts are within their bounds")


if __name__ == "__main__":
    main()
