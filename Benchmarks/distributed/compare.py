#!/usr/bin/env python3
"""compare.py FX MODELS : two processes of one thread beside one process of one thread.

Prints a Markdown table: milliseconds of the fastest run, speed-up, and the share of it that a rank spends in calls to the other.
MODELS holds resnet50/model.onnx and bert_base/model.onnx, as `make models` leaves them. The same program measures one rank
and two, so that what is compared is the division alone.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

FX, MODELS = os.path.abspath(sys.argv[1]), sys.argv[2]
CASES = [("resnet50", "data", 8), ("resnet50", "pipeline", 8), ("bert_base", "tensor", 1), ("bert_base", "data", 2)]
work = tempfile.mkdtemp(prefix="fx-distributed-")


def measure(path, strategy, ranks, batch):
    plan = f"{work}/plan"
    shutil.rmtree(plan, ignore_errors=True)
    # Exporters name sizes as they like: the first of an input is the batch.
    shown, sizes = subprocess.run([FX, "inspect", path], capture_output=True, text=True, check=True).stdout, []
    for shape in re.findall(r"^input .*\[(.*)\]", shown, re.M):
        for index, size in enumerate(shape.split(", ")):
            if not size.isdigit():
                sizes += ["--size", f"{size}={128 if index else batch}"]
    subprocess.run([FX, "distribute", path, "--strategy", strategy, "--ranks", str(ranks), "-o", plan] + sizes, check=True,
                   stdout=subprocess.DEVNULL)
    command = ["timeout", "-k", "5", "600", "mpirun", "-n", str(ranks), "--bind-to", "core", "--oversubscribe"]
    if os.getuid() == 0:
        command.append("--allow-run-as-root")
    run = subprocess.run(command + [FX, "run", "--distributed", plan, "--outputs", f"{work}/out", "--repeats", "10"],
                         capture_output=True, text=True, check=True)
    found = re.search(r"best of \d+: (\S+) ms, communication (\S+) %", run.stdout)
    return float(found[1]), float(found[2])


try:
    print("| model | strategy | batch | 1 process | 2 processes | speed-up | communication |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for name, strategy, batch in CASES:
        path = f"{MODELS}/{name}/model.onnx"
        if not os.path.exists(path):
            print(f"| {name} | not there: `make models` |")
            continue
        (alone, _), (both, share) = measure(path, "data", 1, batch), measure(path, strategy, 2, batch)
        print(f"| {name} | {strategy} | {batch} | {alone:.1f} ms | {both:.1f} ms | {alone / both:.2f} | {share:.1f} % |", flush=True)
finally:
    shutil.rmtree(work, ignore_errors=True)
