#!/usr/bin/env python3
"""check-distributed.py FX RANKS MODELS... : real processes over MPI compute what one process computes.

Each MODELS folder holds model.onnx and test_data_set_0/ or input_I.npy. For each model, strategy and world size the plan is
made, run by mpirun, and compared with `fx run`; plans for up to 1,024 ranks are made, and the model is trained for 20 steps.
Before: training of a small network, faults, restart, and three hosts made of network namespaces.
Every mpirun has a limit: one that hangs is a failure. The last line counts; the exit status says whether all passed.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy
import onnx
import onnx.numpy_helper

FX, RANKS, FOLDERS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
HERE = os.path.dirname(os.path.abspath(__file__))
MESHES = {
    2: [("data", "data=2"), ("tensor", "tensor=2"), ("model", "pipeline=2"), ("pipeline", "pipeline=2")],
    4: [("data", "data=4"), ("tensor", "tensor=4"), ("model", "pipeline=4"), ("pipeline", "pipeline=4"),
        ("hybrid", "data=2,tensor=2"), ("hybrid", "data=2,pipeline=2"), ("hybrid", "pipeline=2,tensor=2")],
}
counts = {"passed": 0, "failed": 0, "skipped": 0}
work = tempfile.mkdtemp(prefix="fx-distributed-")


def say(state, name, text=""):
    counts[state] += 1
    print(f"{state:8} {name}{'  ' + text if text else ''}", flush=True)


def mpirun(ranks, command, limit=120, options=()):
    # A launcher that ends a job kills its ranks a second later, within which not all may have said what they waited for.
    base = ["timeout", "-k", "10", str(limit), "mpirun", "-n", str(ranks), "--oversubscribe", "--mca", "mpi_yield_when_idle", "1",
            "--mca", "odls_base_sigkill_timeout", "5"]
    if os.getuid() == 0:
        base.append("--allow-run-as-root")
    return timed(base + list(options) + command, limit)


def timed(command, limit):
    """A finished process; `late` says whether its time was over. Status 137 is also that of a job of which a rank was killed."""
    start = time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True)
    run.late = time.monotonic() - start >= limit
    return run


def values(folder):
    """The outputs in a folder, by position."""
    found = {}
    for path in glob.glob(f"{folder}/output_*.npy"):
        found[int(re.findall(r"output_(\d+)", path)[0])] = numpy.load(path)
    return found


def compare(found, expected):
    """The largest difference relative to the largest number; 0 for equal bits."""
    if found.keys() != expected.keys() or not expected:
        return float("inf")
    worst = 0.0
    for index, wanted in expected.items():
        mine = found[index]
        if mine.shape != wanted.shape or mine.dtype != wanted.dtype:
            return float("inf")
        if mine.tobytes() == wanted.tobytes():
            continue
        difference = numpy.abs(mine.astype(numpy.float64) - wanted.astype(numpy.float64))
        worst = max(worst, float(difference.max()) / max(1.0, float(numpy.abs(wanted).max())))
    return worst


def inputs_of(folder, batch, name, length=None):
    """Inputs whose batch falls into four parts: those of the test data, repeated; of sequences the first `length` tokens."""
    target = f"{work}/inputs-{name}"
    os.makedirs(target, exist_ok=True)
    paths = sorted(glob.glob(f"{folder}/input_*.npy")) or sorted(glob.glob(f"{folder}/test_data_set_0/input_*.pb"))
    for path in paths:
        if path.endswith(".pb"):
            with open(path, "rb") as file:
                array = onnx.numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))
        else:
            array = numpy.load(path)
        if array.ndim and array.shape[0] < batch and batch % max(1, array.shape[0]) == 0:
            array = numpy.concatenate([numpy.roll(array, turn, axis=-1) for turn in range(batch // array.shape[0])])
        if length and array.ndim == 2 and array.dtype == numpy.int64:
            array = array[:, :length]
        numpy.save(f"{target}/{os.path.splitext(os.path.basename(path))[0]}.npy", array)
    return target


def model(folder):
    name = os.path.basename(folder.rstrip("/"))
    path = f"{folder}/model.onnx"
    chosen = ["--inputs", inputs_of(folder, 4, name)]
    alone = f"{work}/{name}-alone"
    run = subprocess.run([FX, "run", path, "--outputs", alone, "--threads", "1"] + chosen, capture_output=True, text=True)
    if run.returncode:
        return say("failed", f"{name} alone", run.stderr.strip())
    expected = values(alone)
    for ranks, meshes in MESHES.items():
        for strategy, mesh in meshes:
            case = f"{name} {strategy} {mesh}"
            plan, outputs = f"{work}/plan", f"{work}/outputs"
            shutil.rmtree(plan, ignore_errors=True)
            shutil.rmtree(outputs, ignore_errors=True)
            made = subprocess.run(
                [FX, "distribute", path, "--strategy", strategy, "--ranks", str(ranks), "--mesh", mesh, "-o", plan] + chosen,
                capture_output=True, text=True)
            if made.returncode:
                say("failed", case, made.stderr.strip())
                continue
            run = mpirun(ranks, [FX, "run", "--distributed", plan, "--outputs", outputs, "--timeout", "60"] + chosen, 180)
            difference = compare(values(outputs), expected) if run.returncode == 0 else float("inf")
            if difference <= 1e-5:
                say("passed", case, "equal bits" if difference == 0 else f"{difference:.1e}")
            else:
                say("failed", case, f"{difference} {run.returncode} {run.stderr.strip()[-300:]}")


def losses(text):
    return {int(step): float(loss) for step, loss in re.findall(r"step (\d+) loss (\S+)", text)}


def same_losses(mine, alone, count, tolerance=1e-5):
    """The largest difference, relative above a hundredth, and whether all `count` are there and near; a loss that does not
    move shows nothing. Below a hundredth, 1e-5 of the loss is less than float32's rounding of the gradients leaves."""
    worst = max((abs(mine.get(step, 1e9) - loss) / max(1e-2, abs(loss)) for step, loss in alone.items()), default=float("inf"))
    return worst, len(alone) == count and worst <= tolerance and min(alone.values()) < 0.99 * alone[0]


TRAINING = [("data=2", 2, []), ("tensor=2", 2, []), ("data=4", 4, []), ("data=2,tensor=2", 4, [])]
PIPELINES = [("pipeline=2", 2, 4), ("pipeline=4", 4, 8), ("data=2,pipeline=2", 4, 4), ("pipeline=2,tensor=2", 4, 2)]


def training():
    alone = losses(subprocess.run([RANKS, "train", "data=1", "20"], capture_output=True, text=True).stdout)
    for mesh, ranks, options in TRAINING:
        run = mpirun(ranks, [RANKS, "train", mesh, "20"] + options)
        worst, good = same_losses(losses(run.stdout), alone, 20)
        say("passed" if good else "failed", f"20 training steps {mesh}", f"{worst:.1e} {run.stderr[-200:]}".strip())
    for mesh, ranks, batches in PIPELINES:
        held = {}
        for schedule in ("gpipe", "1f1b"):
            run = mpirun(ranks, [RANKS, "train", mesh, "20", "--micro-batches", str(batches), "--schedule", schedule])
            worst, good = same_losses(losses(run.stdout), alone, 20)
            found = re.search(r"micro-batches (\d+), held (\d+) bytes", run.stdout)
            good = good and found and int(found[1]) == batches
            held[schedule] = int(found[2]) if found else 0
            say("passed" if good else "failed", f"20 training steps {mesh}, {batches} micro-batches, {schedule}",
                f"{worst:.1e} {run.stderr[-200:]}".strip())
        # The first stage: all micro-batches against as many as there are stages.
        stages = int(re.search(r"pipeline=(\d+)", mesh)[1])
        share = held["1f1b"] / max(1, held["gpipe"])
        wanted = min(batches, stages) / batches
        say("passed" if abs(share - wanted) < 0.02 else "failed", f"activations held {mesh}",
            f"1f1b {held['1f1b']} bytes, gpipe {held['gpipe']}: {share:.3f}, by the papers {wanted:.3f}")
    # Killed in the eighth step, gone on with from the checkpoint of the fifth, on this mesh and on another.
    saved = f"{work}/checkpoint"
    died = mpirun(2, [RANKS, "train", "data=2", "20", "--checkpoint", saved, "--die-at", "7"])
    for mesh, ranks in [("data=2", 2), ("pipeline=2", 2), ("data=2,tensor=2", 4)]:
        again = mpirun(ranks, [RANKS, "train", mesh, "20", "--from", f"{saved}-5"])
        mine = losses(again.stdout)
        good = died.returncode != 0 and min(mine, default=0) == 5 and len(mine) == 15
        good = good and all(abs(mine[step] - alone[step]) <= 1e-5 * max(1, abs(alone[step])) for step in mine)
        say("passed" if good else "failed", f"restart of data=2 from its checkpoint as {mesh}",
            "" if good else f"{died.returncode} {again.stderr[-200:]} {mine}")


# How fast the models of the open collection learn in steps that stay stable.
RATES = {"resnet18": "1e-5", "gpt2": "1e-3", "bert_mini": "1e-1"}


def model_training(folder):
    name = os.path.basename(folder.rstrip("/"))
    path, inputs = f"{work}/{name}.fxb", inputs_of(folder, 4, f"{name}-training", 16)
    made = subprocess.run([FX, "convert", f"{folder}/model.onnx", path], capture_output=True, text=True)
    if made.returncode:
        return say("failed", f"{name} as a graph", made.stderr.strip())
    command = [RANKS, "train", "data=1", "20", "--model", path, "--inputs", inputs, "--rate", RATES.get(name, "1e-2")]
    run = subprocess.run(command, capture_output=True, text=True)
    alone = losses(run.stdout)
    if len(alone) != 20:
        return say("failed", f"{name} trained alone", run.stderr.strip()[-300:])
    for mesh, ranks in [("data=2", 2), ("tensor=2", 2), ("pipeline=2", 2), ("data=4", 4), ("data=2,pipeline=2", 4), ("data=2,tensor=2", 4)]:
        run = mpirun(ranks, command[:2] + [mesh] + command[3:] + ["--timeout", "120"], 900)
        worst, good = same_losses(losses(run.stdout), alone, 20)
        batches = re.search(r"micro-batches (\d+)", run.stdout)
        say("passed" if good else "failed", f"{name} 20 training steps {mesh}",
            f"{worst:.1e}, loss {alone[0]:.4f} to {alone[19]:.4f}, {batches[1] if batches else '?'} micro-batches "
            + ("" if good else run.stderr.strip()[-300:]))


def plans(folder):
    """Plans for worlds that are not at hand: checked as they are made, even, and soon there."""
    name = os.path.basename(folder.rstrip("/"))
    shown = subprocess.run([FX, "inspect", f"{folder}/model.onnx"], capture_output=True, text=True).stdout
    for ranks, mesh in [(8, "data=8"), (64, "data=64"), (64, "data=32,tensor=2"), (1024, "data=1024"), (1024, "data=256,tensor=4")]:
        sizes = []
        for shape in re.findall(r"^input .*\[(.*)\]", shown, re.M):
            for index, size in enumerate(shape.split(", ")):
                if not size.isdigit():
                    sizes += ["--size", f"{size}={64 if index else 1024}"]
        start = time.monotonic()
        run = subprocess.run([FX, "distribute", f"{folder}/model.onnx", "--strategy", "hybrid", "--ranks", str(ranks), "--mesh", mesh] + sizes,
                             capture_output=True, text=True)
        found = re.search(r"the busiest rank is (\d+) % above the mean", run.stdout)
        good = run.returncode == 0 and found and int(found[1]) <= 10
        say("passed" if good else "failed", f"{name} plan {mesh}",
            f"{found[1] if found else '?'} % above the mean, {time.monotonic() - start:.1f} s {'' if good else run.stderr.strip()[-200:]}")


def faults():
    wanted = {"kill": "", "hang": "all_reduce 'after'", "other-plan": "another plan or model", "group": "making the group"}
    for kind, text in wanted.items():
        for ranks in (2, 4):
            check_fault(f"{kind}, {ranks} ranks", mpirun(ranks, [RANKS, "wait", "3", kind], 40), ranks, text)
    # In the midst of training: what the others wait for is a sum of gradients, or what the next stage gives.
    for mesh, ranks, text in [("data=2", 2, "all_reduce '"), ("pipeline=2", 2, "recv '"), ("tensor=4", 4, "all_reduce '")]:
        for kind in ("--die-at", "--hang-at"):
            run = mpirun(ranks, [RANKS, "train", mesh, "20", kind, "3", "--timeout", "4"], 60)
            check_fault(f"training {mesh} {kind} 3", run, ranks, text if kind == "--hang-at" else "")
    # A rank that was started with another model.
    plan, other = f"{work}/plan-own", f"{work}/plan-other"
    for target, folder in ((plan, FOLDERS[0]), (other, FOLDERS[-1])):
        strategy = "data" if target == plan else "tensor"
        subprocess.run([FX, "distribute", f"{folder}/model.onnx", "--strategy", strategy, "--ranks", "2", "-o", target, "--inputs",
                        inputs_of(folder, 4, f"fault-{strategy}")], capture_output=True)
    start = [FX, "run", "--timeout", "5", "--outputs", f"{work}/none", "--distributed"]
    run = mpirun(1, start + [plan, ":", "-n", "1"] + start + [other], 60)
    check_fault("another model, fx run", run, 2, "another plan or model")


def check_fault(name, run, ranks, text):
    """All but the last rank say who they are and what they waited for, in time, and the job's status is not 0."""
    said = [rank for rank in range(ranks - 1) if re.search(rf"rank {rank}: ", run.stderr)]
    # A killed rank ends the job before the others' time is over; they say what they waited for.
    good = run.returncode != 0 and not run.late and len(said) == ranks - 1 and text in run.stderr
    say("passed" if good else "failed", name, "" if good else f"{run.returncode} {run.stderr[-600:]}")


def hosts():
    name = "three hosts of network namespaces"
    up = subprocess.run([f"{HERE}/mpi-hosts.sh", "up", "3"], capture_output=True, text=True)
    if up.returncode:
        return say("skipped", name, "it needs the right to make them: " + up.stderr.strip()[-200:])
    try:
        agent = f"{HERE}/mpi-hosts.sh"
        options = ["--host", "10.77.0.1,10.77.0.2,10.77.0.3", "--mca", "plm_rsh_agent", f"{agent} agent", "--mca", "btl", "self,tcp",
                   "--mca", "btl_tcp_if_include", "10.77.0.0/24", "--mca", "oob_tcp_if_include", "10.77.0.0/24"]

        def start(command, limit):
            base = ["timeout", "-k", "5", str(limit), agent, "on", "1", "mpirun", "-n", "3", "--allow-run-as-root"]
            return timed(base + options + command, limit)
        where = start(["hostname"], 60)
        names = {word for word in where.stdout.split() if word.startswith("fxhost")}
        if len(names) != 3:
            return say("failed", name, f"ranks are on {names}: {where.stderr[-300:]}")
        folder = next((folder for folder in FOLDERS if "mlp" in folder or "digits" in folder), FOLDERS[0])
        plan, outputs, reference = f"{work}/plan-hosts", f"{work}/outputs-hosts", f"{work}/reference-hosts"
        path = f"{folder}/model.onnx"
        for strategy in ("data", "pipeline", "tensor"):
            shutil.rmtree(plan, ignore_errors=True)
            chosen = ["--inputs", inputs_of(folder, 3, "hosts")]
            made = subprocess.run([FX, "distribute", path, "--strategy", strategy, "--ranks", "3", "-o", plan] + chosen,
                                  capture_output=True, text=True)
            subprocess.run([FX, "run", path, "--outputs", reference, "--threads", "1"] + chosen, capture_output=True)
            run = start([FX, "run", "--distributed", plan, "--outputs", outputs] + chosen, 120)
            difference = compare(values(outputs), values(reference))
            good = made.returncode == 0 and run.returncode == 0 and difference <= 1e-5
            say("passed" if good else "failed", f"{name}, {strategy}", f"{difference:.1e} {'' if good else made.stderr + run.stderr[-300:]}".strip())
        fault = start([RANKS, "wait", "3", "hang"], 60)
        good = fault.returncode != 0 and not fault.late and "all_reduce 'after'" in fault.stderr
        say("passed" if good else "failed", f"{name}, one hangs", "" if good else f"{fault.returncode} {fault.stderr[-300:]}")
    finally:
        subprocess.run([f"{HERE}/mpi-hosts.sh", "down"], capture_output=True)


try:
    training()
    faults()
    hosts()
    for folder in FOLDERS:
        model(folder)
        plans(folder)
        model_training(folder)
finally:
    shutil.rmtree(work, ignore_errors=True)
print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
sys.exit(1 if counts["failed"] or not counts["passed"] else 0)
