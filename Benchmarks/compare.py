"""compare.py FX FOLDER...: `fx bench` beside ONNX Runtime, and others if asked, on every model below the folders.

All take turns, one process each, so that a machine that slows down hurts all; what counts is the median over the
rounds of ours / theirs. Prints a row for each model and number of threads, and the geometric means:
  time    median time of a run          start   loading and the first run          memory   peak resident memory
Of the other peers, the time alone. With --batch N the inputs are repeated along their first dimension where that is not
fixed; models where none is are left out. Exit status 1 if a model could not be measured."""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

from peer_bench import input_files

RATIOS = ("time", "start", "memory")
OTHERS = {"openvino": "OpenVINO", "torch": "PyTorch"}


class NotMeasured(Exception):
    """A process that failed or did not print its JSON; the message is the last line it wrote."""


def measure(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    try:
        if done.returncode == 0:
            return json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        pass
    lines = (done.stderr + done.stdout).strip().splitlines()
    raise NotMeasured(f"{pathlib.Path(str(command[0])).name}: {lines[-1][:200] if lines else f'exit status {done.returncode}'}")


def repeated(folder, batch, target):
    """The inputs of a model, `batch` times as many along the first dimension where that may vary. None if it never may."""
    graph = onnx.load(folder / "model.onnx", load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    declared = [value for value in graph.input if value.name not in weights]
    files, varies = input_files(folder / "test_data_set_0"), False
    for value, file in zip(declared, files):
        array = numpy_helper.to_array(onnx.load_tensor(file))
        dimensions = value.type.tensor_type.shape.dim
        if dimensions and not dimensions[0].HasField("dim_value"):
            array, varies = np.concatenate([array] * batch), True
        onnx.save_tensor(numpy_helper.from_array(array, value.name), target / file.name)
    return target if varies else None


def compare(fx, folder, inputs, threads, rounds, seconds, others):
    model = folder / "model.onnx"

    def ours(iterations):
        return measure([fx, "bench", model, "--inputs", inputs, "--threads", threads, "--iterations", iterations, "--json"])

    def theirs(iterations, peer="onnxruntime"):
        return measure([
            sys.executable, pathlib.Path(__file__).with_name(f"{peer}_bench.py"), model, inputs, threads, iterations])

    def of_another(peer, iterations):
        try:
            return theirs(iterations, peer)
        except NotMeasured:
            return None

    iterations = max(3, min(2000, int(seconds * 1e3 / max(theirs(3)["median_ms"], 1e-3))))
    pairs, beside = [], {peer: [] for peer in others}
    for _ in range(rounds):
        pairs.append((ours(iterations), theirs(iterations)))
        for peer in others:
            if (other := of_another(peer, iterations)) is not None:
                beside[peer].append(pairs[-1][0]["median_ms"] / other["median_ms"])

    def median(value):
        return statistics.median(value(a, b) for a, b in pairs)

    return {
        **{peer: statistics.median(ratios) if ratios else None for peer, ratios in beside.items()},
        "model": folder.name, "threads": threads, "iterations": iterations, "rounds": rounds,
        "ours_ms": median(lambda a, b: a["median_ms"]),
        "onnxruntime_ms": median(lambda a, b: b["median_ms"]),
        "time": median(lambda a, b: a["median_ms"] / b["median_ms"]),
        "start": median(lambda a, b: (a["load_ms"] + a["first_run_ms"]) / (b["load_ms"] + b["first_run_ms"])),
        "memory": median(lambda a, b: a["peak_rss_mb"] / max(b["peak_rss_mb"], 1e-3)),
    }


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def replace_table(document, name, lines):
    """Puts lines between the marks of a document. Nothing happens where the document has no such marks."""
    marks = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->\n"
    text = document.read_text()
    if marks[0] in text:
        before, rest = text.split(marks[0])
        document.write_text(before + marks[0] + "\n".join(lines) + "\n" + marks[1] + rest.split(marks[1])[1])


def write_table(document, name, rows):
    """A table in a document: a line per model, columns for each number of threads."""
    threads = sorted({row["threads"] for row in rows})
    others = [peer for peer in OTHERS if peer in rows[0]]
    columns = "ONNX Runtime (ms) | time | start | memory |" + "".join(f" time × {OTHERS[peer]}'s |" for peer in others)
    head = "".join(f" ours, {t} thread{'s' if t > 1 else ''} (ms) | {columns}" for t in threads)
    lines = [f"| model |{head}", "|---|" + "---|" * (5 + len(others)) * len(threads)]
    for model in dict.fromkeys(row["model"] for row in rows):
        cells = ""
        for t in threads:
            row = next((row for row in rows if row["model"] == model and row["threads"] == t), None)
            if row is None:
                cells += " – |" * (5 + len(others))
                continue
            cells += f" {row['ours_ms']:.3g} | {row['onnxruntime_ms']:.3g} |"
            cells += "".join(f" {row[ratio]:.2f} |" if row[ratio] else " – |" for ratio in (*RATIOS, *others))
        lines.append(f"| {model} |{cells}")
    means = ""
    for t in threads:
        some = [row for row in rows if row["threads"] == t]
        for ratio in (*RATIOS, *others):
            known = [row[ratio] for row in some if row[ratio]]
            means += " | |" * (ratio == RATIOS[0]) + (f" **{geometric_mean(known):.2f}** |" if known else " – |")
    lines.append(f"| geometric mean |{means}")
    replace_table(document, name, lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--models", type=lambda text: text.split(","), help="names of folders, separated by commas")
    parser.add_argument("--threads", type=lambda text: [int(t) for t in text.split(",")], default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long each process runs the model")
    parser.add_argument("--batch", type=int, default=1, help="how often inputs are repeated along their first dimension")
    parser.add_argument("--others", type=lambda text: text.split(","), default=[], help=f"of {','.join(OTHERS)}")
    parser.add_argument("--json", type=pathlib.Path, help="also write the rows to this file")
    parser.add_argument("--markdown", type=pathlib.Path, help="put the table between the marks of this document")
    parser.add_argument("--table", default="make bench", help="what the marks call the table")
    options = parser.parse_args()
    models = [path.parent for folder in options.folders for path in sorted(folder.glob("*/model.onnx"))]
    if options.models:
        models = [model for model in models if model.name in options.models]
    if not models:
        parser.error("no model.onnx there")
    if unknown := [peer for peer in options.others if peer not in OTHERS]:
        parser.error(f"no peer is called {', '.join(unknown)}")

    rows, missing = [], []
    scratch = tempfile.TemporaryDirectory()
    print(f"{'model':22} threads   ours ms    ONNX Runtime ms   time ×   start ×   memory ×")
    for threads in options.threads:
        for model in models:
            inputs = model / "test_data_set_0"
            if options.batch > 1:
                target = pathlib.Path(scratch.name) / model.name
                target.mkdir(exist_ok=True)
                if (inputs := repeated(model, options.batch, target)) is None:
                    continue
            try:
                row = compare(options.fx, model, inputs, threads, options.rounds, options.seconds, options.others)
            except NotMeasured as reason:
                missing.append(model.name)
                print(f"{model.name:22} {threads:7}   {reason}", flush=True)
                continue
            rows.append(row)
            print(
                f"{model.name:22} {threads:7} {row['ours_ms']:9.3f} {row['onnxruntime_ms']:18.3f}"
                f" {row['time']:8.2f} {row['start']:9.2f} {row['memory']:10.2f}"
                + "".join(f"   {row[peer]:.2f} × {OTHERS[peer]}" for peer in options.others if row[peer]), flush=True)
    for threads in options.threads:
        some = [row for row in rows if row["threads"] == threads]
        if some:
            means = "".join(
                f"{geometric_mean([row[ratio] for row in some]):{width}.2f}" for ratio, width in zip(RATIOS, (9, 10, 11)))
            worst = max(some, key=lambda row: row["time"])
            label, slowest = f"geometric mean of {len(some)}", f"slowest: {worst['model']} × {worst['time']:.2f}"
            print(f"{label:22} {threads:7} {'':28}{means}   {slowest}")
    if missing:
        print("not measured:", ", ".join(sorted(set(missing))))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    if options.markdown:
        write_table(options.markdown, options.table, rows)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
