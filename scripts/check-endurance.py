"""check-endurance.py FX MODELS...: 100,000 runs of every small model take no more memory than 1,000, and a disk that is full or
may not be written is told of, with nothing half written left behind.

The second part needs the right to mount file systems in memory; without it, it is skipped by name."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

# What the times of that many runs take, and what allocators keep.
SLACK_MB = 4
SMALL_MS = 0.2


def bench(fx, model, iterations):
    done = subprocess.run(
        [fx, "bench", model / "model.onnx", "--inputs", model / "test_data_set_0", "--iterations", str(iterations), "--json"],
        capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def soak(fx, models, runs):
    for model in models:
        first = bench(fx, model, 3)
        if first is None:
            yield "failed", f"{model.name}: does not run"
        elif first["min_ms"] <= SMALL_MS:
            few, many = bench(fx, model, 1000), bench(fx, model, runs)
            growth = many["peak_rss_mb"] - few["peak_rss_mb"]
            text = f"{model.name}: {runs} runs, {few['peak_rss_mb']:.1f} MB, then {many['peak_rss_mb']:.1f} MB"
            yield "failed" if growth > SLACK_MB else "passed", text


def commands(fx, model, place):
    """What writes files, with the name that must not be there afterwards."""
    for name in ("x.onnx", "x.fxb", "x.json", "x.fxt"):
        yield [fx, "convert", model, place / name], name
    yield [fx, "visualize", model, "-o", place / "x.html"], "x.html"
    yield [fx, "optimize", model, "-o", place / "y.onnx"], "y.onnx"
    yield [fx, "quantize", model, "--scheme", "weights-int8", "-o", place / "z.onnx"], "z.onnx"
    yield [fx, "profile", model, "--trace", place / "t.json"], "t.json"
    yield [fx, "codegen", model, "--target", "numpy", "-o", place / "code"], "code/digits.npz"


def places(fx, model):
    with tempfile.TemporaryDirectory() as folder:
        for options, reason in (("size=4k", "No space left on device"), ("ro", "Read-only file system")):
            place = pathlib.Path(folder) / options.replace("=", "-")
            place.mkdir()
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True)
            if mounted.returncode != 0:
                yield "skipped", f"{reason}: file systems in memory may not be mounted here"
                continue
            try:
                if options != "ro":
                    (place / "fills").write_bytes(bytes(4096))
                for command, name in commands(fx, model, place):
                    done = subprocess.run(command, capture_output=True, text=True)
                    said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
                    fits = done.returncode == 3 and reason in said and not (place / name).exists()
                    yield "passed" if fits else "failed", f"fx {command[1]} {name}: status {done.returncode}: {said}"
            finally:
                subprocess.run(["umount", place], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=100_000)
    options = parser.parse_args()
    models = [path.parent for folder in options.folders for path in sorted(folder.glob("*/model.onnx"))]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for results in (soak(options.fx, models, options.runs), places(options.fx, (models[0] / "model.onnx").resolve())):
        for state, text in results:
            counts[state] += 1
            print(f"{state:8} {text}", flush=True)
    print(", ".join(f"{count} {state}" for state, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
